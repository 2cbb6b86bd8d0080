"""What others do to a device while it moves: they command, stop or restart it, take its place, or answer late or half.

The promise of each: the driver says so in its stated time, nothing moves by our order from then on until a person arms
it again, and the body stands.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from embodied.testing.benches.bench import Bench
from embodied.testing.observations import GRACE, insist
from embodied.testing.serving import Drive, pause
from tests.faults.devices import Trial, moving, stands
from tests.faults.tally import Tally

AFTER = 0.3
"""Time for which a driver is watched once it has reported that something is wrong [s]."""

INTERFERENCE = "said in its stated time; nothing moves by our order; it stands until it is armed"
"""Promise about everything that others do to a device."""


def intruded(bench: Bench, rng: np.random.Generator, tally: Tally, *, way: str) -> None:
    """Let somebody else command, stop or restart the device."""
    with moving(bench, rng) as drive:
        bench.intrusions()[way]()
        _told(bench, drive, tally)
        _obeys_nobody(bench, drive, tally)


def replaced(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Put another device in its place, and the first one back afterwards."""
    with bench.ready() as drive:
        serial = drive.driver.identify().serial
    with bench.ready(serial=serial) as drive:
        drive.go(float(rng.uniform(0.2, 1.0)), bench.motion)
        bench.replacement()()
        drive.outputs.clear()
        _told(bench, drive, tally)
        if any("state" in step for step in drive.outputs):
            tally.wrong("it published the state of another device")
        _obeys_nobody(bench, drive, tally)
    virtual: Any = bench.virtual
    virtual.replace(serial)


def half_silent(bench: Bench, rng: np.random.Generator, tally: Tally, *, part: str) -> None:
    """Let one part of the device's reports cease, while the others go on."""
    with moving(bench, rng) as drive, bench.silent(part):
        _told(bench, drive, tally)
        drive.outputs.clear()
        _obeys_nobody(bench, drive, tally)
        if any(map(bench.parts()[part], drive.outputs)):
            tally.wrong(f"{part} was published from an old report")


def late(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Let all reports cease for a while, and come again."""
    with moving(bench, rng) as drive:
        bench.virtual.freeze()
        _told(bench, drive, tally)
        bench.virtual.thaw()
        _obeys_nobody(bench, drive, tally)


def _told(bench: Bench, drive: Drive, tally: Tally) -> None:
    began = time.monotonic()
    within = drive.driver.lost_within if bench.reported_within is None else bench.reported_within
    if insist(drive, within + GRACE, bench.motion, early=True):
        tally.add("said after [ms]", 1e3 * (time.monotonic() - began), 1e3 * within + 250)
    elif bench.late <= bench.patience:
        tally.wrong(f"nothing says so: {drive.status}")


def _obeys_nobody(bench: Bench, drive: Drive, tally: Tally) -> None:
    """Check that no command is sent or applied any more, and that the body stands."""
    received, began = len(bench.received()), time.monotonic()
    count = len(drive.outputs)
    insist(drive, AFTER, bench.motion)
    if len(bench.received()) != received:
        tally.wrong(f"the device received {len(bench.received()) - received} more commands")
    if any("applied" in step for step in drive.outputs[count:]):
        tally.wrong("it applied a command")
    stands(bench, began, tally, drive.driver.stops_within + AFTER + 0.1)
    pause(0.0)


def of(bench: Callable[[], Bench], parts: tuple[str, ...]) -> Iterator[tuple[str, tuple[str, Trial]]]:
    """Yield name, promise and trial of all that others can do to a device.

    Args:
        bench: maker of benches of the device.
        parts: parts of its reports without which it must not go on.
    """
    for way in bench().intrusions():
        yield way, (INTERFERENCE, partial(intruded, way=way))
    for part in parts:
        yield f"{part} alone ceases", (INTERFERENCE, partial(half_silent, part=part))
    yield "another device in its place", (INTERFERENCE, replaced)
    yield "reports come late", (INTERFERENCE, late)
