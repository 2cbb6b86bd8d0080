"""All faults, each with its promise and the number of trials."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np

from embodied.testing.benches.bench import Bench
from tests.drivers.can_ev.bench import RoadBench
from tests.drivers.mavlink.bench import AirfieldBench
from tests.drivers.so101.bench import SO101Bench
from tests.drivers.uvc.bench import CameraBench
from tests.drivers.xarm.bench import XArmBench
from tests.faults import cameras, devices, drones, interference, models, others, vehicles
from tests.faults.drone_interference import INTERFERENCE
from tests.faults.kills import ENDING, RESTARTED, end, interrupt
from tests.faults.tally import Tally

DEVICES: dict[str, tuple[Callable[[], Bench], dict[str, tuple[str, devices.Trial]]]] = {
    "so101": (SO101Bench, {**devices.FAULTS, **dict(interference.of(SO101Bench, ("elbow_flex", "gripper")))}),
    "uvc": (CameraBench, cameras.FAULTS),
    "xarm": (XArmBench, devices.FAULTS),
    "can_ev": (RoadBench, vehicles.FAULTS),
    "mavlink": (AirfieldBench, drones.FAULTS | INTERFERENCE),
}
"""Benches of the devices, and the faults of each."""

Fault = Callable[[int, Tally], None]
"""Function that runs n trials of a fault, and counts them in a tally."""


def faults(rng: np.random.Generator) -> Iterator[tuple[str, str, int, Fault]]:
    """Yield name, promise, number of trials in the long version, and function of each fault.

    Args:
        rng: source of the instants.
    """
    for node in RESTARTED:
        held = {"ik": "guard holds within 50 ms", "policy": "guard holds within the goal's max_age + 60 ms"}
        promise = held.get(node, "the others go on") + "; started again"
        yield f"kill -9 {node}", promise, 200, partial(_interrupt, node, signal.SIGKILL, rng)
    for node in ENDING:
        promise = "the body stops within 50 ms" if node == "guard" else "the run ends and names the reason"
        yield f"kill -9 {node}", promise, 200, partial(_end, node, signal.SIGKILL, rng)
    for node in RESTARTED:
        yield (
            f"SIGSTOP {node}",
            "found, named, ended, started again",
            20,
            partial(_interrupt, node, signal.SIGSTOP, rng),
        )
    for node in ENDING:
        yield f"SIGSTOP {node}", "found, named; the run ends", 20, partial(_end, node, signal.SIGSTOP, rng)
    yield "kill -9 launcher", "nothing is left after 1 s", 50, lambda n, t: others.kill_launcher(n, rng, t)
    yield "Ctrl-C at start-up", "ends in order, nothing is left", 50, lambda n, t: others.interrupt_start(n, rng, t)
    yield "sleeping subscriber, flooding publisher", "others' p99 within 2x, memory bounded", 5, others.crowd
    yield "kill -9 of a lossless publisher", "what it published arrives", 50, lambda n, t: _lossless(n, rng, t)
    yield "wall clock jumps by an hour", "no node notices", 5, others.clock
    for device, (bench, device_faults) in DEVICES.items():
        for name, (promise, trial) in device_faults.items():
            yield f"{device}: {name}", promise, 50, devices.repeated(bench, trial, rng)
    for name, promise, fault in models.faults():
        yield name, promise, 50, fault


def _interrupt(node: str, number: signal.Signals, rng: np.random.Generator, count: int, tally: Tally) -> None:
    interrupt(node, count, number, rng, tally)


def _end(node: str, number: signal.Signals, rng: np.random.Generator, count: int, tally: Tally) -> None:
    end(node, count, number, rng, tally)


def _lossless(count: int, rng: np.random.Generator, tally: Tally) -> None:
    with tempfile.TemporaryDirectory() as folder:
        others.lossless(count, Path(folder), rng, tally)
