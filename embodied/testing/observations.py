"""Observations of a driver on its bench, with which the tests of the driver contract judge it."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from embodied.clock import SECOND
from embodied.errors import DeviceLost, WrongDevice
from embodied.messages.schema import Command, Vector
from embodied.testing.benches.bench import Bench
from embodied.testing.serving import Drive, pause

GRACE = 1.0
"""Time that something may take longer than stated, on a machine that does other things as well [s]."""

SLICE = 0.05
"""Time after which a driver is asked again whether it gives a reason [s]."""

STANDING = 4
"""Number of readings in a row, each `2 * SLICE` after the one before, in which a body that stands stays in place."""

FOLLOWING = ("ready", "moving")
"""States of a device whose driver follows commands."""


def moves(bench: Bench) -> list[Callable[[float], Command]]:
    """Return the motion of a bench as an argument of `go`, if it has one."""
    return [bench.motion] if bench.commanded else []


def rejected(drive: Drive) -> int:
    """Return the number of frames that the driver has rejected."""
    assert drive.status is not None
    return drive.status.rejected


def near(bench: Bench, drive: Drive | None, stood: Vector) -> bool:
    """Return whether the body is where it stood, within the tolerance of its bench."""
    return bool(np.abs(bench.position(drive) - stood).max() <= bench.tolerance)


def until(holds: Callable[[], bool]) -> bool:
    """Wait until a condition holds; return whether it does within the grace."""
    end = time.monotonic() + GRACE
    while not holds():
        if time.monotonic() > end:
            return False
        pause(0.01)
    return True


def goes_until(
    drive: Drive, holds: Callable[[], bool], seconds: float, *motion: Callable[[float], Command | None]
) -> bool:
    """Step a driver until a condition holds, for up to `seconds`; return whether it does."""
    begin = drive.now
    commands = [lambda _, each=each: each((drive.now - begin) / SECOND) for each in motion]
    while not holds():
        if (left := seconds - (drive.now - begin) / SECOND) <= 0.0:
            return False
        drive.go(min(SLICE, left), *commands)
    return True


def settle(bench: Bench, drive: Drive | None, seconds: float, go: Callable[[float], None] = pause) -> Vector:
    """Let time pass until the body stands, for up to `seconds`; return where it is.

    Args:
        bench: bench of the device.
        drive: run of its driver that is open; None if none is.
        seconds: longest time that it may take to stop [s].
        go: function that lets some time pass [s].
    """
    end = time.monotonic() + seconds
    where = deque([bench.position(drive)], maxlen=STANDING + 1)
    while (left := end - time.monotonic()) > 0.0:
        go(min(2 * SLICE, left))
        where.append(bench.position(drive))
        if len(where) > STANDING and np.ptp(where, axis=0).max() <= bench.tolerance / 4:
            break
    return where[-1]


def acquisitions(drive: Drive) -> dict[str, list[int]]:
    """Return the times of acquisition of all messages that were published, by port."""
    times: dict[str, list[int]] = {}
    for step in drive.outputs:
        for port, message in step.items():
            if hasattr(message, "acquired"):
                times.setdefault(port, []).append(message.acquired)
    return times


def positions(drive: Drive) -> list[Vector]:
    """Return the positions in all states that were published."""
    states = [step["state"] for step in drive.outputs if "state" in step]
    return [state.position for state in states if hasattr(state, "position")]


def expect_fresh(drive: Drive) -> None:
    """Check that new state comes, each once."""
    drive.go(0.3)
    acquired = acquisitions(drive)
    assert acquired, "it published nothing with a time of acquisition"
    for port, times in acquired.items():
        assert all(a < b for a, b in pairwise(times)), f"{port} came twice"


def expect_lost(drive: Drive) -> None:
    """Check that the device is lost within `lost_within`, and no state was acquired after it fell silent."""
    within = drive.driver.lost_within
    began, count = drive.now, len(drive.outputs)
    try:
        drive.go(within + 2 * GRACE)
    except DeviceLost:
        assert (drive.now - began) / SECOND <= within + GRACE, "its loss was noticed too late"
        late = [message for step in drive.outputs[count:] for message in step.values()]
        times = [getattr(message, "acquired", 0) for message in late]
        assert all(at <= began + within * SECOND for at in times), "it published state of a silent device"
        return
    raise AssertionError("it did not notice that the device was lost")


def insist(drive: Drive, seconds: float, *motion: Callable[[float], Command | None], early: bool = False) -> str:
    """Step a driver for some time, even after it has reported that its device is lost or another one.

    Args:
        drive: run of the driver.
        seconds: duration, or longest wait [s].
        motion: commands, as for `Drive.go`.
        early: whether to return as soon as the driver gives a reason.

    Returns:
        reason that the driver gave: its last error, or that of its status; empty if it gave none.
    """
    reason, begin = "", drive.now
    commands = [lambda _, each=each: each((drive.now - begin) / SECOND) for each in motion]
    end = begin + round(seconds * SECOND)
    while (left := end - drive.now) > 0 and not (early and reason):
        try:
            drive.go(min(SLICE, left / SECOND), *commands)
            reason = _reason(drive) or reason
        except (DeviceLost, WrongDevice) as error:
            reason = str(error)
            pause(min(SLICE, left / SECOND))
    return reason


def follows(drive: Drive) -> bool:
    """Return whether the newest status reports a device that follows commands."""
    return drive.status is not None and drive.status.state in FOLLOWING


def _reason(drive: Drive) -> str:
    return "" if drive.status is None else drive.status.reason
