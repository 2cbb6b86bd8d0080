"""Faults of a camera and its connection: another one takes its place, it restarts, it answers late or half."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import numpy as np

from embodied.clock import SECOND
from embodied.errors import DeviceLost
from embodied.testing.observations import GRACE, insist
from embodied.testing.serving import Drive
from tests.drivers.uvc.bench import CameraBench
from tests.faults.devices import Trial
from tests.faults.tally import Tally

FOUND_AGAIN = 3.0
"""Longest time until a camera that is back is read again, on a machine that others use [s]."""


def _lost(bench: CameraBench, drive: Drive, tally: Tally, since: int) -> None:
    """Check that the loss is said in time, and nothing that was taken after it is published."""
    began, within = time.monotonic(), drive.driver.lost_within
    if insist(drive, within + GRACE, early=True):
        tally.add("said after [ms]", 1e3 * (time.monotonic() - began), 1e3 * within + 250)
    elif bench.late <= bench.patience:
        tally.wrong("nothing says so")
    insist(drive, 0.3)
    # A picture that was under way may arrive within a period.
    if any(picture > since + 0.1 * SECOND for picture in _acquired(drive)):
        tally.wrong("it published a picture")


def _acquired(drive: Drive) -> list[int]:
    return [getattr(step["rgb"], "acquired", 0) for step in drive.outputs if "rgb" in step]


def replaced(bench: CameraBench, rng: np.random.Generator, tally: Tally) -> None:
    """Let another camera answer at the address while its pictures are read."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 0.6)))
        bench.camera.replace(f"other {rng.integers(1000)}")
        _lost(bench, drive, tally, drive.now)


def silent(bench: CameraBench, rng: np.random.Generator, tally: Tally, *, how: Callable[[CameraBench], None]) -> None:
    """Let no new picture come."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 0.6)))
        how(bench)
        _lost(bench, drive, tally, drive.now)


def restarted(bench: CameraBench, rng: np.random.Generator, tally: Tally) -> None:
    """Break every connection, as a camera that restarts does: it is the same one, and is read again."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 0.6)))
        began, since = time.monotonic(), drive.now
        bench.camera.unplug()
        bench.camera.plug()
        while time.monotonic() - began < FOUND_AGAIN:
            with suppress(DeviceLost):
                drive.go(0.05)
            if any(picture > since + 0.1 * SECOND for picture in _acquired(drive)):
                tally.add("read again after [ms]", 1e3 * (time.monotonic() - began))
                return
        tally.wrong("it was not read again")


def half(bench: CameraBench, rng: np.random.Generator, tally: Tally) -> None:
    """Cut every second picture short: those are counted, and the others come."""
    with bench.ready() as drive:
        drive.go(float(rng.uniform(0.2, 0.6)))
        before, count = drive.driver.step(drive.now).status.rejected, len(drive.outputs)  # type: ignore[attr-defined]
        bench.camera.disturb("truncate", 2)
        with suppress(DeviceLost):
            drive.go(0.6)
        after = 0 if drive.status is None else drive.status.rejected
        tally.add("rejected", after - before)
        if after == before:
            tally.wrong("no picture was rejected")
        if not any("rgb" in step for step in drive.outputs[count:]):
            tally.wrong("no picture came")


FAULTS: dict[str, tuple[str, Trial]] = {
    "cable out": ("lost in time; no picture", partial(silent, how=lambda bench: bench.camera.unplug())),
    "pictures repeat": ("lost in time; no picture", partial(silent, how=lambda bench: bench.camera.freeze())),
    "another camera in its place": ("lost in time, says which; no picture of it", replaced),
    "it restarts": ("read again", restarted),
    "pictures come half": ("counted; the whole ones come", half),
}
"""Faults of a camera and its connection."""
