"""What goes wrong with a device and its wire while it moves; its body has to come to the safe state that is stated."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from embodied.errors import DeviceLost, WrongDevice
from embodied.messages import JointCommand
from embodied.messages.schema import Vector
from embodied.testing.benches.arm import ArmBench
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive, pause
from tests.faults.tally import Tally

STILL = 0.01
"""A body that moves less than this in a tenth of a second stands [rad]."""

MOST = 5.0
"""A body that does not stand after so long never will [s]."""

Trial = Callable[[Any, np.random.Generator, Tally], None]
"""Of a bench of the kind of device that the fault is about."""


def each(make: Callable[[], Bench], trial: Trial, rng: np.random.Generator) -> Callable[[int, Tally], None]:
    """A fault that is tried so often on one device, which is put in order after each."""

    def fault(trials: int, tally: Tally) -> None:
        bench = make()
        with bench.served():
            for _ in range(trials):
                tally.trials += 1
                trial(bench, rng, tally)
                bench.virtual.plug()
                bench.virtual.clear_faults()

    return fault


@contextmanager
def moving(bench: Bench, rng: np.random.Generator) -> Iterator[Drive]:
    """A device at a random instant of its motion."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 1.0)), bench.motion)
        yield drive


def stands(bench: Bench, since: float, tally: Tally, limit: float) -> None:
    """The body comes to rest, and stays; within how long of a moment on the steady clock [s] is a figure."""
    before = bench.position()
    moved = time.monotonic()
    while time.monotonic() - since < MOST:
        pause(0.01)
        now = bench.position()
        if np.abs(now - before).max() > STILL / 10:
            moved = time.monotonic()
        before = now
        if time.monotonic() - moved > 0.2:
            tally.add("stands within [ms]", 1e3 * max(0.0, moved - since), 1e3 * limit)
            return
    tally.wrong("it never came to rest")


def link_loss(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """The cable is out."""
    _lost(bench, rng, tally, bench.virtual.unplug)


def power_loss(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Nobody answers any more, and the motors have no power."""
    _lost(bench, rng, tally, lambda: bench.virtual.inject("power loss"))


def _lost(bench: Bench, rng: np.random.Generator, tally: Tally, break_it: Callable[[], None]) -> None:
    with moving(bench, rng) as drive:
        began = time.monotonic()
        break_it()
        try:
            drive.go(MOST, bench.motion)
            tally.wrong("it was not noticed")
        except DeviceLost:
            tally.add("noticed after [ms]", 1e3 * (time.monotonic() - began), 1e3 * drive.driver.lost_within + 100)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


def over_temperature(bench: ArmBench, rng: np.random.Generator, tally: Tally) -> None:
    """A motor becomes too hot."""
    with moving(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject("over-temperature")
        stop = drive.now + MOST * 1e9
        while drive.now < stop and (drive.status is None or drive.status.state != "fault"):
            drive.go(0.02, bench.motion)
        if drive.status is None or drive.status.state != "fault":
            tally.wrong(f"it says {drive.status}")
        else:
            tally.add("told after [ms]", 1e3 * (time.monotonic() - began))
        if drive.applied is not None:
            tally.wrong("it goes on sending targets")
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


def not_finite(bench: ArmBench, rng: np.random.Generator, tally: Tally) -> None:
    """A command is not a number, in one joint or all, or has one joint too many."""
    with moving(bench, rng) as drive:
        home = bench.robot.limit("home")
        position: Vector = home.copy()
        position[rng.integers(len(home))] = rng.choice([np.nan, np.inf, -np.inf, 1e30])
        began = time.monotonic()
        count = len(bench.virtual.received())
        drive.go(0.3, lambda _: JointCommand(position=position))
        if drive.applied is not None:
            tally.wrong(f"it applied {drive.applied}")
        for heard in bench.virtual.received()[count:]:
            if not bench.allowed(heard):
                tally.wrong(f"{heard} reached the device")
        stands(bench, began, tally, drive.driver.stops_within + 0.4)


def corrupted(bench: ArmBench, rng: np.random.Generator, tally: Tally) -> None:
    """Half a second in which half of the frames are bent, cut short, repeated or out of order."""
    with moving(bench, rng) as drive:
        how: Any = rng.choice(list(bench.virtual.disturbances))
        before = 0 if drive.status is None else drive.status.rejected
        count = len(drive.outputs)
        bench.virtual.disturb(how, 2)
        with suppress(DeviceLost):
            drive.go(0.5, bench.motion)
        bench.virtual.disturb("")
        after = 0 if drive.status is None else drive.status.rejected
        tally.add("rejected", after - before)
        if after == before:
            tally.wrong(f"nothing was rejected of '{how}'")
        for given in drive.outputs[count:]:
            state: Any = given.get("state")
            if state is not None and np.abs(state.position - bench.position()).max() > 0.5:
                tally.wrong(f"'{how}' was taken for a state")
        began = time.monotonic()
        with suppress(DeviceLost):
            drive.go(0.1)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


def wrong_device(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Another one than the launch file wants is at the address."""
    before = bench.position()
    count = len(bench.virtual.received())
    wrong = bench.wrong()
    try:
        with bench.ready(**wrong[int(rng.integers(len(wrong)))]):
            tally.wrong("it was armed")
    except WrongDevice:
        pass
    if len(bench.virtual.received()) != count or np.abs(bench.position() - before).max() > STILL:
        tally.wrong("it moved")
    tally.add("moved [rad]", float(np.abs(bench.position() - before).max()))


CHILD = """
import sys
from {module} import {name}
bench = {name}.at(sys.argv[1])
with bench.ready() as drive:
    print("moving", flush=True)
    drive.go(60.0, bench.motion)
"""


def killed(
    bench: Bench,
    rng: np.random.Generator,
    tally: Tally,
    rests: Callable[[Any, float, Tally, float], None] = stands,
) -> None:
    """The driver's process is killed; nobody but the device is left to stop it."""
    kind = type(bench)
    code = CHILD.format(module=kind.__module__, name=kind.__name__)
    root = Path(__file__).parents[2]
    child = subprocess.Popen(
        [sys.executable, "-c", code, bench.virtual.address], stdout=subprocess.PIPE, cwd=root, env=os.environ, text=True
    )
    try:
        assert child.stdout is not None
        while (line := child.stdout.readline().strip()) != "moving":
            if not line and child.poll() is not None:
                tally.wrong("the driver did not start")
                return
        pause(float(rng.uniform(0.3, 1.5)))
        began = time.monotonic()
        os.kill(child.pid, signal.SIGKILL)
        rests(bench, began, tally, bench.driver().stops_within + 0.1)
    finally:
        child.kill()
        child.communicate()


FAULTS: dict[str, tuple[str, Trial]] = {
    "link loss": ("DeviceLost in time; it stands", link_loss),
    "power loss": ("DeviceLost in time; it stands", power_loss),
    "over-temperature": ("it says so, sends nothing more; it stands", over_temperature),
    "NaN commanded": ("nothing of it reaches the wire; it stands", not_finite),
    "corrupted frames": ("counted, none is taken for a state", corrupted),
    "wrong device": ("not armed; it does not move", wrong_device),
    "driver killed": ("it stands by itself", killed),
}
