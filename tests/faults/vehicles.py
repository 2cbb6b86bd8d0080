"""Faults of a road vehicle, its bus and the person in it, after which it must reach the stated safe state."""

from __future__ import annotations

import time
from contextlib import suppress
from functools import partial
from typing import Any

import numpy as np

from embodied.errors import DeviceLost, NotStopped
from embodied.messages import VehicleCommand
from embodied.testing.benches.bench import Bench
from tests.drivers.can_ev.bench import RoadBench
from tests.faults import interference
from tests.faults.devices import FAULTS as ARM_FAULTS
from tests.faults.devices import REST_TIMEOUT, Trial, corrupted, moving, stands
from tests.faults.tally import Tally


def faulty(bench: Bench, rng: np.random.Generator, tally: Tally, *, fault: str) -> None:
    """Inject a fault: the driver reports it and lets go, the vehicle stands, and is not armed while it lasts."""
    with moving(bench, rng) as drive:
        began = time.monotonic()
        bench.virtual.inject(fault)
        with suppress(DeviceLost):
            end = drive.now + REST_TIMEOUT * 1e9
            while drive.now < end and drive.applied is not None:
                drive.go(0.02, bench.motion)
        if drive.applied is not None:
            tally.wrong("it goes on sending commands")
        tally.add("let go after [ms]", 1e3 * (time.monotonic() - began))
        reason = "" if drive.status is None else drive.status.reason
        if fault not in reason and "cannot be trusted" not in reason and bench.late <= bench.patience:
            tally.wrong(f"it reports {reason!r}")
        with suppress(DeviceLost):
            drive.go(0.1, bench.motion)
        stands(bench, began, tally, drive.driver.stops_within + 0.1)
        try:
            drive.driver.arm()
            tally.wrong("it was armed again while that lasted")
        except (NotStopped, DeviceLost):
            pass


def not_finite(bench: Bench, rng: np.random.Generator, tally: Tally) -> None:
    """Command one number that is not finite."""
    with moving(bench, rng) as drive:
        count = len(bench.received())
        good: Any = bench.motion(0.5)
        numbers = {"speed": good.speed, "steering": good.steering, "acceleration": 1.0}
        numbers[str(rng.choice(list(numbers)))] = float(rng.choice([np.nan, np.inf, -np.inf]))
        began = time.monotonic()
        drive.go(0.3, lambda _: VehicleCommand(**numbers))
        if drive.applied is not None:
            tally.wrong(f"it applied {drive.applied}")
        if not all(bench.allowed(received) for received in bench.received()[count:]):
            tally.wrong("part of it reached the device")
        drive.go(drive.driver.stops_within)
        stands(bench, began, tally, drive.driver.stops_within + 0.4)


def too_fast_or_slow(bench: RoadBench, state: Any) -> bool:
    """Return whether a state's speed is far from that of the car."""
    return bool(abs(state.speed - bench.road.car().speed) > 0.3)


FAULTY = "reported, nothing more is sent; it stands, and is not armed while it lasts"

FAULTS: dict[str, tuple[str, Trial]] = {
    **{name: ARM_FAULTS[name] for name in ("link loss", "power loss", "wrong device", "driver killed")},
    "NaN commanded": ("no part of it reaches the device; it stands", not_finite),
    "corrupted frames": ("counted, none becomes a state", partial(corrupted, deviates=too_fast_or_slow)),
    **{
        fault: (FAULTY, partial(faulty, fault=fault))
        for fault in ("driver override", "low battery", "steering fault", "stuck counter", "bad checksum")
    },
    **dict(interference.of(RoadBench, ("StatusReport", "MotionReport"))),
}
