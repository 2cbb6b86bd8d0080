"""Faults of a multirotor, its link and its pilot; in the air the safe state is a hold, or the way home."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from embodied.errors import DeviceLost, NotStopped
from embodied.messages import DroneCommand, DroneState
from embodied.messages.schema import Command, Vector
from embodied.testing.serving import Drive, pause
from tests.drivers.mavlink.bench import AirfieldBench
from tests.faults.devices import Trial, corrupted, killed, wrong_device
from tests.faults.tally import Tally

HOLD_TIMEOUT = 10.0
"""Time after which a multirotor that still moves will not hold [s]."""

HOME_TIMEOUT = 60.0
"""Time for the way home, landing included [s]."""


@contextmanager
def flying(bench: AirfieldBench, rng: np.random.Generator) -> Iterator[Drive]:
    """Bring a multirotor to a random instant of its motion."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.3, 2.5)), bench.motion)
        yield drive


def until(drive: Drive, condition: Callable[[], bool], command: Callable[[float], Command | None]) -> bool:
    """Step until a condition holds, or time is over; return whether it holds."""
    end = drive.now + HOLD_TIMEOUT * 1e9
    while drive.now < end and not condition():
        drive.go(0.02, command)
    return condition()


def holds(bench: AirfieldBench, since: float, tally: Tally, limit: float, go: Callable[[float], None] = pause) -> None:
    """Wait until it holds and stays there, and note the time since an instant of the steady clock [s]."""
    where, moved = true_position(bench), time.monotonic()
    while time.monotonic() - since < HOLD_TIMEOUT:
        go(0.02)
        now = true_position(bench)
        if np.abs(now - where).max() > bench.tolerance:
            where, moved = now, time.monotonic()
        if time.monotonic() - moved > 1.5 and bench.virtual.stopped():
            tally.add("holds within [ms]", 1e3 * max(0.0, moved - since), 1e3 * limit)
            return
    tally.wrong(f"it never came to hold: it is at {true_position(bench)} m")


def true_position(bench: AirfieldBench) -> Vector:
    """Return the position of the body in its world [m]; what it reports has the errors of its sensors."""
    world: Any = bench.world
    position: Vector = np.array(world.drone().position)
    return position


def lost(bench: AirfieldBench, rng: np.random.Generator, tally: Tally, *, heartbeats: bool) -> None:
    """Lose the link, or the heartbeats alone."""
    with flying(bench, rng) as drive:
        began = time.monotonic()
        if heartbeats:
            bench.virtual.inject("heartbeat loss")
        else:
            bench.virtual.unplug()
        try:
            drive.go(HOLD_TIMEOUT, bench.motion)
            tally.wrong("it was not noticed")
        except DeviceLost:
            tally.add("noticed after [ms]", 1e3 * (time.monotonic() - began), 1e3 * drive.driver.lost_within + 100)
        holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within)


def overridden(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Have a pilot take over: nothing more is sent, not even when the pilot lets go."""
    try:
        with flying(bench, rng) as drive:
            began = time.monotonic()
            bench.virtual.press_stop()
            if not until(drive, lambda: drive.applied is None, bench.motion):
                tally.wrong("it goes on sending set-points")
            tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
            if drive.status is None or "pilot" not in drive.status.reason:
                tally.wrong(f"it reports {drive.status}")
            bench.virtual.release_stop()
            drive.go(0.3, bench.motion)
            if drive.applied is not None:
                tally.wrong("it went on when the pilot let go")
            holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within, drive.go)
    finally:
        bench.virtual.release_stop()


def low_battery(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Drain the battery: the autopilot flies home and lands, nothing more is sent, and it is not armed again."""
    home = true_position(bench)
    with flying(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject("low battery")
        if not until(drive, lambda: drive.applied is None, bench.motion):
            tally.wrong("it goes on sending set-points")
        tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
        if drive.status is None or "Battery at 6 %" not in drive.status.reason:
            tally.wrong(f"it reports {drive.status}")
        _denied(drive, tally)
        while drive.newest(DroneState).armed and time.monotonic() - began < HOME_TIMEOUT:
            drive.go(0.2, bench.motion)
        tally.add("landed from home [m]", math.dist(true_position(bench)[:2], home[:2]), 0.5)
        if true_position(bench)[2] > 0.15:
            tally.wrong("it did not land")
        _denied(drive, tally)


def denied(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Drain the battery of one that stands: it denies arming, and stays."""
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
        if drive.applied is not None or len(bench.received()) != count or true_position(bench)[2] > 0.15:
            tally.wrong("it was commanded nevertheless")
    finally:
        drive.close()


def _denied(drive: Drive, tally: Tally) -> None:
    try:
        drive.driver.arm()
        tally.wrong("it was armed")
    except NotStopped as error:
        if "attery" not in str(error):
            tally.wrong(f"it reports {error}")


def not_finite(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Command a position that is not finite."""
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
        if not all(bench.allowed(received) for received in bench.received()[count:]):
            tally.wrong("part of it reached the device")
        holds(bench, began, tally, drive.driver.stops_within, lambda s: drive.go(s, lambda _: bad))


def misplaced(bench: AirfieldBench, state: Any) -> bool:
    """Return whether a state's position is far from the true one."""
    return bool(np.abs(state.position - true_position(bench)).max() > 1.0)


FAULTS: dict[str, tuple[str, Trial]] = {
    "link loss": ("DeviceLost in time; it holds", partial(lost, heartbeats=False)),
    "heartbeat loss": ("DeviceLost in time; it holds", partial(lost, heartbeats=True)),
    "driver override": ("reported, nothing more is sent; it holds", overridden),
    "low battery": ("reported; it flies home, lands, and is not armed again", low_battery),
    "denied arming": ("reported; it stays on the ground", denied),
    "NaN commanded": ("no part of it reaches the device; it holds", not_finite),
    "corrupted frames": (
        "counted, none becomes a state; it holds",
        partial(corrupted, deviates=misplaced, moves=flying, rests=holds, seconds=1.0, margin=0.0),
    ),
    "wrong device": (
        "not armed; it does not move",
        partial(wrong_device, position=true_position, tolerance=AirfieldBench.tolerance, unit="m"),
    ),
    "driver killed": ("the autopilot holds by itself", partial(killed, rests=holds)),
}
