"""What goes wrong with a road vehicle, its bus and the person in it; the safe state that is stated has to follow."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from embodied.errors import DeviceLost, NotStopped
from embodied.messages import VehicleCommand
from embodied.testing.benches.bench import Bench
from tests.faults.devices import FAULTS as OF_ARMS
from tests.faults.devices import MOST, Trial, moving, stands
from tests.faults.tally import Tally


def harmed(bench: Bench, rng: np.random.Generator, tally: Tally, *, what: str) -> None:
    """It says so, is let go of, stands, and is not armed while that lasts."""
    with moving(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject(what)
        with suppress(DeviceLost):
            end = drive.now + MOST * 1e9
            while drive.now < end and drive.applied is not None:
                drive.go(0.02, bench.motion)
        if drive.applied is not None:
            tally.wrong("it goes on sending commands")
        tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
        told = "" if drive.status is None else drive.status.reason
        if what not in told and "cannot be trusted" not in told and bench.late <= bench.patience:
            tally.wrong(f"it says {told!r}")
        with suppress(DeviceLost):
            drive.go(0.1, bench.motion)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)
        try:
            drive.driver.arm()
            tally.wrong("it was armed again while that lasted")
        except (NotStopped, DeviceLost):
            pass


def not_finite(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """A number of a command is none."""
    with moving(bench, rng) as drive:
        count = len(bench.received())
        good: Any = bench.motion(0.5)
        numbers = {"speed": good.speed, "steering": good.steering, "acceleration": 1.0}
        numbers[str(rng.choice(list(numbers)))] = float(rng.choice([np.nan, np.inf, -np.inf]))
        began = time.monotonic()
        drive.go(0.3, lambda _: VehicleCommand(**numbers))
        if drive.applied is not None:
            tally.wrong(f"it applied {drive.applied}")
        if not all(bench.allowed(heard) for heard in bench.received()[count:]):
            tally.wrong("some of it reached the wire")
        drive.go(drive.driver.stops_within)
        stands(bench, began, tally, drive.driver.stops_within + 0.4)


def corrupted(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Frames of the unit are bent, cut short, repeated or out of order."""
    with moving(bench, rng) as drive:
        how: Any = rng.choice(list(bench.virtual.disturbances))
        before = 0 if drive.status is None else drive.status.rejected
        bench.virtual.disturb(how, 2)
        with suppress(DeviceLost):
            for _ in range(10):
                count = len(drive.outputs)
                drive.go(0.05, bench.motion)
                world: Any = bench.world
                for given in drive.outputs[count:]:
                    state: Any = given.get("state")
                    if state is not None and abs(state.speed - world.car().speed) > 0.3:
                        tally.wrong(f"'{how}' was taken for a state")
        bench.virtual.disturb("")
        after = 0 if drive.status is None else drive.status.rejected
        tally.add("rejected", after - before)
        if after == before:
            tally.wrong(f"nothing was rejected of '{how}'")
        began = time.monotonic()
        with suppress(DeviceLost):
            drive.go(0.1)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)


HARMED = "told, nothing more is sent; it stands, and is not armed while it lasts"

FAULTS: dict[str, tuple[str, Trial]] = {
    **{name: OF_ARMS[name] for name in ("link loss", "power loss", "wrong device", "driver killed")},
    "NaN commanded": ("nothing of it reaches the wire; it stands", not_finite),
    "corrupted frames": ("counted, none is taken for a state", corrupted),
    **{
        what: (HARMED, partial(harmed, what=what))
        for what in ("driver override", "low battery", "steering fault", "stuck counter", "bad checksum")
    },
}
