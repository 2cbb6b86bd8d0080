"""Short version of the faults, on a machine of any speed: what no test that is nearer to its promise shows.

Each kind of trial is run once, on the first device that has it; `make faults` runs every fault of every device, many
times. Here a kind is left out that the driver contract (`unplugged`, `not finite`, `intrusions`) or a test beside the
device shows.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import pytest

from embodied.testing.benches.bench import Bench
from tests.faults import cameras, drone_interference, drones, vehicles
from tests.faults.all import DEVICES, faults
from tests.faults.devices import attempt
from tests.faults.kills import RESTARTED, cell, interrupt_in
from tests.faults.tally import Tally

RNG = np.random.default_rng(1)
# The faults of devices and of restarted nodes share benches and a run below; those of models are in `test_models`. Each
# SIGSTOP takes two seconds to be detected; that of a node which is restarted stands for the others.
# `tests/embodied/live/test_live.py` has nodes that hang or are killed and end their run.
SHORT = {
    name: (promise, fault)
    for name, promise, _, fault in faults(RNG)
    if name.partition(": ")[0] not in DEVICES
    and name.rpartition(" ")[2] not in RESTARTED
    and not name.startswith(("model ", "SIGSTOP"))
    and name != "kill -9 arm"
}
ELSEWHERE: dict[Callable[..., None], str] = {
    drones.lost: "driver contract: unplugged, parts",
    drones.overridden: "driver contract: emergency stop",
    drones.not_finite: "driver contract: not finite",
    vehicles.not_finite: "driver contract: not finite",
    cameras.replaced: "driver contract: another device",
    drone_interference.commanded: "driver contract: intrusions",
    drone_interference.reset: "driver contract: intrusions",
    drone_interference.restarted: "tests/drivers/mavlink/test_behind_its_back.py",
    drone_interference.replaced: "tests/drivers/mavlink/test_behind_its_back.py",
    drone_interference.answers_late: "tests/drivers/mavlink/test_behind_its_back.py",
    drone_interference.answers_half: "tests/drivers/mavlink/test_behind_its_back.py",
}
"""Kinds of trials that only `make faults` runs, and where what they show is tested nearer to its promise."""


def _first_of_each_kind() -> Iterator[tuple[str, str]]:
    """Yield device and fault of the first trial of each kind that is not shown elsewhere."""
    kinds = set(ELSEWHERE)
    for device, (_, device_faults) in DEVICES.items():
        for name, (_, trial) in device_faults.items():
            kind = trial.func if isinstance(trial, partial) else trial
            if kind not in kinds:
                kinds.add(kind)
                yield device, name


OF_DEVICES = [*_first_of_each_kind()]


@pytest.mark.parametrize("name", SHORT)
def test_the_promise_for_a_fault_is_kept(name: str) -> None:
    promise, fault = SHORT[name]
    tally = Tally(name, promise, timed=False)
    fault(1, tally)
    assert tally.trials
    assert not tally.broken


def test_nodes_that_are_killed_or_stopped_again_and_again_are_restarted_in_one_run() -> None:
    with cell() as running:
        for node in RESTARTED:
            tally = Tally(f"kill -9 {node}", "restarted", timed=False)
            interrupt_in(running, node, 1, signal.SIGKILL, RNG, tally)
            assert tally.trials == 1
            assert not tally.broken, node
        tally = Tally("SIGSTOP policy", "restarted", timed=False)
        interrupt_in(running, "policy", 1, signal.SIGSTOP, RNG, tally)
        assert not tally.broken


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Serve one device to all of its faults here; each trial leaves it repaired."""
    bench = DEVICES[request.param][0]()
    with bench.served():
        yield bench


@pytest.mark.parametrize(("bench", "name"), OF_DEVICES, indirect=["bench"])
def test_the_promise_for_a_fault_of_a_device_is_kept(bench: Bench, name: str, request: pytest.FixtureRequest) -> None:
    device = request.node.callspec.params["bench"]
    promise, trial = DEVICES[device][1][name]
    tally = Tally(f"{device}: {name}", promise, timed=False)
    attempt(bench, trial, RNG, tally)
    assert tally.trials
    assert not tally.broken
