"""Faults of a device and its connection while it moves, after which its body must reach the stated safe state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
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
"""Motion in a tenth of a second up to which a body stands [rad]."""

REST_TIMEOUT = 5.0
"""Time after which a body that still moves will not come to rest [s]."""

Trial = Callable[[Any, np.random.Generator, Tally], None]
"""Function that tries a fault once, on a bench of the device that it is about."""

Rest = Callable[[Any, float, Tally, float], None]
"""Function that waits for the safe state of a bench since a time [s], with a limit [s]."""


def repeated(make: Callable[[], Bench], trial: Trial, rng: np.random.Generator) -> Callable[[int, Tally], None]:
    """Return a fault that runs a trial n times on one device, which is repaired after each."""

    def fault(trials: int, tally: Tally) -> None:
        bench = make()
        with bench.served():
            for _ in range(trials):
                attempt(bench, trial, rng, tally)

    return fault


def attempt(bench: Bench, trial: Trial, rng: np.random.Generator, tally: Tally) -> None:
    """Run a trial once on a device, and repair it."""
    tally.trials += 1
    trial(bench, rng, tally)
    bench.virtual.plug()
    bench.virtual.clear_faults()


@contextmanager
def moving(bench: Bench, rng: np.random.Generator) -> Iterator[Drive]:
    """Bring a device to a random instant of its motion."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 1.0)), bench.motion)
        yield drive


def stands(bench: Bench, since: float, tally: Tally, limit: float) -> None:
    """Wait until the body comes to rest and stays, and note the time since an instant of the steady clock [s]."""
    before = bench.position()
    moved = time.monotonic()
    while time.monotonic() - since < REST_TIMEOUT:
        pause(0.01)
        now = bench.position()
        if np.abs(now - before).max() > STILL / 10:
            moved = time.monotonic()
        before = now
        if time.monotonic() - moved > 0.2:
            tally.add("stands within [ms]", 1e3 * max(0.0, moved - since), 1e3 * limit)
            return
    tally.wrong("it never came to rest")


def misplaced(bench: Bench, state: Any) -> bool:
    """Return whether a state's position is far from that of the body."""
    return bool(np.abs(state.position - bench.position()).max() > 0.5)


def link_loss(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Pull the cable of the device."""
    _lost(bench, rng, tally, bench.virtual.unplug)


def power_loss(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Cut the power of the device and its motors."""
    _lost(bench, rng, tally, lambda: bench.virtual.inject("power loss"))


def _lost(bench: Bench, rng: np.random.Generator, tally: Tally, fail: Callable[[], None]) -> None:
    with moving(bench, rng) as drive:
        began = time.monotonic()
        fail()
        try:
            drive.go(REST_TIMEOUT, bench.motion)
            tally.wrong("it was not noticed")
        except DeviceLost:
            tally.add("noticed after [ms]", 1e3 * (time.monotonic() - began), 1e3 * drive.driver.lost_within + 100)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


def over_temperature(bench: ArmBench, rng: np.random.Generator, tally: Tally) -> None:
    """Overheat a motor of the arm."""
    with moving(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject("over-temperature")
        stop = drive.now + REST_TIMEOUT * 1e9
        while drive.now < stop and (drive.status is None or drive.status.state != "fault"):
            drive.go(0.02, bench.motion)
        if drive.status is None or drive.status.state != "fault":
            tally.wrong(f"it reports {drive.status}")
        else:
            tally.add("reported after [ms]", 1e3 * (time.monotonic() - began))
        if drive.applied is not None:
            tally.wrong("it goes on sending targets")
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


def not_finite(bench: ArmBench, rng: np.random.Generator, tally: Tally) -> None:
    """Command a position that is not finite, or far beyond the limits, in one joint."""
    with moving(bench, rng) as drive:
        home = bench.robot.limit("home")
        position: Vector = home.copy()
        position[rng.integers(len(home))] = rng.choice([np.nan, np.inf, -np.inf, 1e30])
        began = time.monotonic()
        count = len(bench.virtual.received())
        drive.go(0.3, lambda _: JointCommand(position=position))
        if drive.applied is not None:
            tally.wrong(f"it applied {drive.applied}")
        for received in bench.virtual.received()[count:]:
            if not bench.allowed(received):
                tally.wrong(f"{received} reached the device")
        stands(bench, began, tally, drive.driver.stops_within + 0.4)


def corrupted(
    bench: Any,
    rng: np.random.Generator,
    tally: Tally,
    *,
    deviates: Callable[[Any, Any], bool] = misplaced,
    moves: Callable[[Any, np.random.Generator], AbstractContextManager[Drive]] = moving,
    rests: Rest = stands,
    seconds: float = 0.5,
    margin: float = 0.1,
) -> None:
    """Damage, cut short, repeat or reorder half of the device's frames while it moves.

    Args:
        bench: bench of the device.
        rng: source of the instant and the kind of disturbance.
        tally: where the trial is counted.
        deviates: function of the bench and a state that returns whether the state cannot be true.
        moves: function that brings the device into motion.
        rests: function that waits for the safe state.
        seconds: duration of the disturbance [s].
        margin: time that the safe state may take longer than the driver states [s].
    """
    with moves(bench, rng) as drive:
        how: Any = rng.choice(list(bench.virtual.disturbances))
        before = 0 if drive.status is None else drive.status.rejected
        bench.virtual.disturb(how, 2)
        with suppress(DeviceLost):
            for _ in range(round(seconds / 0.05)):
                count = len(drive.outputs)
                drive.go(0.05, bench.motion)
                for outputs in drive.outputs[count:]:
                    if "state" in outputs and deviates(bench, outputs["state"]):
                        tally.wrong(f"a frame after '{how}' became a state")
        bench.virtual.disturb("")
        after = 0 if drive.status is None else drive.status.rejected
        tally.add("rejected", after - before)
        if after == before:
            tally.wrong(f"no frame was rejected after '{how}'")
        began = time.monotonic()
        with suppress(DeviceLost):
            drive.go(0.1)
        rests(bench, began, tally, drive.driver.stops_within + margin)


def wrong_device(
    bench: Any,
    rng: np.random.Generator,
    tally: Tally,
    *,
    position: Callable[[Any], Vector] = lambda bench: bench.position(),
    tolerance: float = STILL,
    unit: str = "rad",
) -> None:
    """Put another device at the address than the launch file states.

    Args:
        bench: bench of the device.
        rng: source of the setting that differs.
        tally: where the trial is counted.
        position: function of the bench that measures its body.
        tolerance: largest motion that counts as none.
        unit: unit of both.
    """
    before = position(bench)
    count = len(bench.received())
    wrong = bench.wrong()
    try:
        with bench.ready(**wrong[int(rng.integers(len(wrong)))]):
            tally.wrong("it was armed")
    except WrongDevice:
        pass
    moved = float(np.abs(position(bench) - before).max())
    if len(bench.received()) != count or moved > tolerance:
        tally.wrong("it moved")
    tally.add(f"moved [{unit}]", moved)


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
    rests: Rest = stands,
) -> None:
    """Kill the driver's process, so that only the device itself can stop."""
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
    "over-temperature": ("it is reported, nothing more is sent; it stands", over_temperature),
    "NaN commanded": ("nothing of it reaches the wire; it stands", not_finite),
    "corrupted frames": ("counted, none becomes a state", corrupted),
    "wrong device": ("not armed; it does not move", wrong_device),
    "driver killed": ("it stands by itself", killed),
}
