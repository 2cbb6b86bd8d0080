"""What others do to a multirotor behind its driver's back: each is reported in time, and nothing moves by our order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from drivers.mavlink.modes import Mode
from drivers.mavlink.parts import PARTS
from embodied.errors import DeviceLost, NotStopped
from embodied.testing.serving import Drive, pause
from tests.drivers.mavlink.bench import AirfieldBench, wait
from tests.faults.devices import Trial
from tests.faults.drones import HOLD_TIMEOUT, flying, holds, true_position, until
from tests.faults.tally import Tally

HEARTBEAT_LIMIT = 1.2
"""Time in which a mode that another one has set must be reported: a heartbeat, and a step [s]."""

RESTART_LIMIT = 1.0
"""Time in which a restart must be reported [s]."""

AFTER = 0.5
"""Time for which it is watched once it is reported [s]."""


@contextmanager
def standing(bench: AirfieldBench, rng: np.random.Generator) -> Iterator[Drive]:
    """Arm a multirotor on the ground, and let a random time pass."""
    ground(bench)
    driver: Any = bench.driver()
    driver.open()
    drive = Drive(driver)
    try:
        driver.identify()
        driver.arm()
        drive.begin()
        drive.go(float(rng.uniform(1.2, 2.0)))
        yield drive
    finally:
        drive.close()


def ground(bench: AirfieldBench) -> None:
    """Have the autopilot land by itself, and stop its motors."""
    virtual: Any = bench.virtual
    autopilot = virtual._aircraft.autopilot
    with virtual._aircraft.lock:
        if autopilot.armed and autopilot.landed:
            autopilot.disarm()
        elif autopilot.armed:
            autopilot.change(Mode.LAND)
    wait(lambda: not virtual._aircraft.autopilot.armed, "it landed")


def _let_go(bench: AirfieldBench, drive: Drive, began: float, tally: Tally, limit: float) -> None:
    """Step with commands until the driver lets go; note when, and that nothing more reaches the vehicle."""
    if not until(drive, lambda: drive.status is not None and drive.status.state == "stopped", bench.motion):
        tally.wrong(f"it was not noticed: {drive.status}")
    tally.add("noticed after [ms]", 1e3 * (time.monotonic() - began), 1e3 * limit)
    if drive.status is None or not drive.status.reason:
        tally.wrong("it gives no reason")
    pause(0.1)
    count = len(bench.received())
    drive.go(AFTER, bench.motion)
    if drive.applied is not None or len(bench.received()) != count:
        tally.wrong("it goes on sending set-points")


def commanded(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Have another client fly it aside, have it hold, or land it."""
    virtual: Any = bench.virtual

    def change(mode: Mode) -> None:
        with virtual._aircraft.lock:
            virtual._aircraft.autopilot.change(mode)

    ways: list[Callable[[], None]] = [
        lambda: virtual.inject("another client"),
        lambda: change(Mode.HOLD),
        lambda: change(Mode.LAND),
    ]
    with flying(bench, rng) as drive:
        way = ways[int(rng.integers(len(ways)))]
        began = time.monotonic()
        way()
        _let_go(bench, drive, began, tally, HEARTBEAT_LIMIT)
    if virtual._aircraft.autopilot.mode is Mode.LAND:
        ground(bench)


def reset(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Have a pilot take it over for a moment, and another client bring it back to hold."""
    virtual: Any = bench.virtual
    with flying(bench, rng) as drive:
        began = time.monotonic()
        virtual.press_stop()
        drive.go(float(rng.uniform(0.0, 0.3)), bench.motion)
        virtual.release_stop()
        with virtual._aircraft.lock:
            virtual._aircraft.autopilot.change(Mode.HOLD)
        _let_go(bench, drive, began, tally, HEARTBEAT_LIMIT + 0.3)
        holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within, drive.go)


def restarted(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Restart the autopilot of one that stands with its motors armed: it does not lift when it is commanded."""
    _restarted(bench, rng, tally, "restart", "")


def replaced(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Have another autopilot answer in its place: it is neither flown nor armed."""
    _restarted(bench, rng, tally, "another autopilot", "must be the one that was identified")


def _restarted(bench: AirfieldBench, rng: np.random.Generator, tally: Tally, fault: str, denial: str) -> None:
    virtual: Any = bench.virtual
    with standing(bench, rng) as drive:
        where = true_position(bench)
        began = time.monotonic()
        virtual.inject(fault)
        _let_go(bench, drive, began, tally, RESTART_LIMIT)
        if virtual._aircraft.autopilot.armed:
            tally.wrong("it was armed again without being asked")
        if denial:
            try:
                drive.driver.arm()
                tally.wrong("another one was armed")
            except NotStopped as error:
                if denial not in str(error):
                    tally.wrong(f"it reports {error}")
        tally.add("moved [m]", float(np.abs(true_position(bench) - where).max()), bench.tolerance)


def answers_late(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Have all answers come late: it is armed, flown and halted all the same."""
    bench.virtual.inject("late answers")
    began = time.monotonic()
    with flying(bench, rng) as drive:
        tally.add("armed and lifted after [s]", time.monotonic() - began)
        began = time.monotonic()
        drive.driver.halt()
        holds(bench, began, tally, drive.driver.stops_within + 2.0, drive.go)
        drive.go(0.2, bench.motion)
        if drive.applied is not None:
            tally.wrong("it went on without being armed again")


def answers_half(bench: AirfieldBench, rng: np.random.Generator, tally: Tally) -> None:
    """Lose one part of its state while the others go on."""
    parts = list(PARTS.values())
    part = parts[int(rng.integers(len(parts)))]
    with flying(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject(f"{part.name} loss")
        try:
            drive.go(HOLD_TIMEOUT, bench.motion)
            tally.wrong(f"the loss of its {part.name} was not noticed")
        except DeviceLost as error:
            late = time.monotonic() - began - part.timeout
            tally.add("noticed after the part's time [ms]", 1e3 * late, 100)
            if part.name not in str(error):
                tally.wrong(f"it reports {error}")
        holds(bench, began, tally, drive.driver.lost_within + drive.driver.stops_within)


INTERFERENCE: dict[str, tuple[str, Trial]] = {
    "another client commands it": ("reported in time, nothing more is sent", commanded),
    "another client resets it": ("reported in time, nothing more is sent; it holds", reset),
    "autopilot restarts": ("reported in time, nothing more is sent; it stays on the ground", restarted),
    "another autopilot takes its place": ("reported in time, neither flown nor armed", replaced),
    "answers late": ("armed, flown and halted all the same", answers_late),
    "answers half": ("DeviceLost with the part's name, in its time; it holds", answers_half),
}
