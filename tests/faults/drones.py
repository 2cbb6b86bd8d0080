"""What goes wrong with a multirotor, its link and its pilot; in the air the safe state is a hold, or the way home."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np

from embodied.errors import DeviceLost, NotStopped, WrongDevice
from embodied.messages import DroneCommand, DroneState
from embodied.messages.schema import Command, Vector
from embodied.testing.serving import Drive, pause
from tests.drivers.mavlink.bench import MavlinkBench
from tests.faults.devices import Trial, killed
from tests.faults.tally import Tally

MOST = 10.0
"""One that does not hold after so long never will [s]."""

HOME = 60.0
"""So long the way home may take, landing included [s]."""


@contextmanager
def flying(bench: MavlinkBench, rng: np.random.Generator) -> Iterator[Drive]:
    """A multirotor at a random instant of its motion."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.3, 2.5)), bench.motion)
        yield drive


def until(drive: Drive, true: Callable[[], bool], command: Callable[[float], Command | None]) -> bool:
    """Step until something is so, or for too long; whether it is."""
    end = drive.now + MOST * 1e9
    while drive.now < end and not true():
        drive.go(0.02, command)
    return true()


def holds(bench: MavlinkBench, since: float, tally: Tally, limit: float, go: Callable[[float], None] = pause) -> None:
    """It comes to hold, and stays there; within how long of a moment on the steady clock [s] is a figure."""
    where, moved = _truly(bench), time.monotonic()
    while time.monotonic() - since < MOST:
        go(0.02)
        now = _truly(bench)
        if np.abs(now - where).max() > bench.tolerance:
            where, moved = now, time.monotonic()
        if time.monotonic() - moved > 1.5 and bench.virtual.stopped():
            tally.add("holds within [ms]", 1e3 * max(0.0, moved - since), 1e3 * limit)
            return
    tally.wrong(f"it never came to hold: it is at {_truly(bench)} m")


def _truly(bench: MavlinkBench) -> Vector:
    world: Any = bench.world
    place: Vector = np.array(world.drone().position)
    return place


def lost(bench: MavlinkBench, rng: np.random.Generator, tally: Tally, *, heartbeats: bool) -> None:
    """Nothing comes through any more; or positions do, and nobody says that an autopilot is behind them."""
    with flying(bench, rng) as drive:
        began = time.monotonic()
        if heartbeats:
            bench.virtual.inject("heartbeat loss")
        else:
            bench.virtual.unplug()
        try:
            drive.go(MOST, bench.motion)
            tally.wrong("it was not noticed")
        except DeviceLost:
            tally.add("noticed after [ms]", 1e3 * (time.monotonic() - began), 1e3 * drive.driver.lost_within + 100)
        holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within)


def overridden(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """A pilot takes over: nothing more is sent, and letting go alone gives it back to nobody."""
    try:
        with flying(bench, rng) as drive:
            began = time.monotonic()
            bench.virtual.press_stop()
            if not until(drive, lambda: drive.applied is None, bench.motion):
                tally.wrong("it goes on sending set-points")
            tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
            if drive.status is None or "pilot" not in drive.status.reason:
                tally.wrong(f"it says {drive.status}")
            bench.virtual.release_stop()
            drive.go(0.3, bench.motion)
            if drive.applied is not None:
                tally.wrong("it went on when the pilot let go")
            holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within, drive.go)
    finally:
        bench.virtual.release_stop()


def low_battery(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """The autopilot flies home and lands; nothing more is sent, and it is not armed with that battery again."""
    home = _truly(bench)
    with flying(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject("low battery")
        if not until(drive, lambda: drive.applied is None, bench.motion):
            tally.wrong("it goes on sending set-points")
        tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
        if drive.status is None or "Battery at 6 %" not in drive.status.reason:
            tally.wrong(f"it says {drive.status}")
        _denied(drive, tally)
        while drive.newest(DroneState).armed and time.monotonic() - began < HOME:
            drive.go(0.2, bench.motion)
        tally.add("landed from home [m]", math.dist(_truly(bench)[:2], home[:2]), 0.5)
        if _truly(bench)[2] > 0.15:
            tally.wrong("it did not land")
        _denied(drive, tally)


def denied(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """Its battery is too low to be armed, when it stands: it says so, and stays."""
    driver: Any = bench.driver()
    driver.open()
    drive = Drive(driver)
    try:
        driver.identify()
        pause(float(rng.uniform(0.0, 0.5)))
        bench.virtual.inject("low battery")
        count = len(bench.received())
        _denied(drive, tally)
        drive.go(0.5, bench.motion)
        if drive.applied is not None or len(bench.received()) != count or _truly(bench)[2] > 0.15:
            tally.wrong("it was commanded all the same")
    finally:
        drive.close()


def _denied(drive: Drive, tally: Tally) -> None:
    try:
        drive.driver.arm()
        tally.wrong("it was armed")
    except NotStopped as error:
        if "attery" not in str(error):
            tally.wrong(f"it says {error}")


def not_finite(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """A number of a command is none."""
    with flying(bench, rng) as drive:
        count = len(bench.received())
        good: Any = bench.motion(0.5)
        position = good.position.copy()
        position[rng.integers(3)] = rng.choice([np.nan, np.inf, -np.inf])
        bad = DroneCommand(position=position, yaw=0.0, frame=bench.frame)
        began = time.monotonic()
        drive.go(0.4, lambda _: bad)
        if drive.applied is not None:
            tally.wrong(f"it applied {drive.applied}")
        if not all(bench.allowed(heard) for heard in bench.received()[count:]):
            tally.wrong("some of it reached the wire")
        holds(bench, began, tally, drive.driver.stops_within, lambda s: drive.go(s, lambda _: bad))


def corrupted(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """Half of the autopilot's frames are bent, cut short, repeated or out of order for a while."""
    with flying(bench, rng) as drive:
        how: Any = rng.choice(list(bench.virtual.disturbances))
        before = 0 if drive.status is None else drive.status.rejected
        bench.virtual.disturb(how, 2)
        with suppress(DeviceLost):
            for _ in range(20):
                count = len(drive.outputs)
                drive.go(0.05, bench.motion)
                for given in drive.outputs[count:]:
                    state: Any = given.get("state")
                    if state is not None and np.abs(state.position - _truly(bench)).max() > 1.0:
                        tally.wrong(f"'{how}' was taken for a state")
        bench.virtual.disturb("")
        after = 0 if drive.status is None else drive.status.rejected
        tally.add("rejected", after - before)
        if after == before:
            tally.wrong(f"nothing was rejected of '{how}'")
        began = time.monotonic()
        holds(bench, began, tally, drive.driver.stops_within)


def wrong_device(bench: MavlinkBench, rng: np.random.Generator, tally: Tally) -> None:
    """Another one than the launch file wants, or one whose home is outside the geofence."""
    before, count = _truly(bench), len(bench.received())
    wrong = bench.wrong()
    try:
        with bench.ready(**wrong[int(rng.integers(len(wrong)))]):
            tally.wrong("it was armed")
    except WrongDevice:
        pass
    moved = float(np.abs(_truly(bench) - before).max())
    if len(bench.received()) != count or moved > bench.tolerance:
        tally.wrong("it moved")
    tally.add("moved [m]", moved)


FAULTS: dict[str, tuple[str, Trial]] = {
    "link loss": ("DeviceLost in time; it holds", partial(lost, heartbeats=False)),
    "heartbeat loss": ("DeviceLost in time; it holds", partial(lost, heartbeats=True)),
    "driver override": ("told, nothing more is sent; it holds", overridden),
    "low battery": ("told; it flies home, lands, and is not armed again", low_battery),
    "denied arming": ("told; it stays on the ground", denied),
    "NaN commanded": ("nothing of it reaches the wire; it holds", not_finite),
    "corrupted frames": ("counted, none is taken for a state; it holds", corrupted),
    "wrong device": ("not armed; it does not move", wrong_device),
    "driver killed": ("the autopilot holds by itself", partial(killed, rests=holds)),
}
