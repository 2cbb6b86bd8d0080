"""Short version of the faults: each is tried once or twice, and its promise is kept on a machine of any speed."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.testing.benches.bench import Bench
from tests.faults.all import DEVICES, faults
from tests.faults.devices import attempt
from tests.faults.kills import RESTARTED, cell, interrupt_in
from tests.faults.tally import Tally

RNG = np.random.default_rng(1)
# The faults of devices and of restarted nodes share benches and a run below; those of models are in `test_models`. Each
# SIGSTOP takes two seconds to be detected; one of either kind stands for the others.
SHORT = {
    name: (promise, fault)
    for name, promise, _, fault in faults(RNG)
    if name.partition(": ")[0] not in DEVICES
    and not name.startswith("model ")
    and name.rpartition(" ")[2] not in RESTARTED
    and name != "SIGSTOP arm"
}
OF_DEVICES = [(device, name) for device, (_, device_faults) in DEVICES.items() for name in device_faults]


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
            interrupt_in(running, node, 2, signal.SIGKILL, RNG, tally)
            assert tally.trials == 2
            assert not tally.broken, node
        tally = Tally("SIGSTOP policy", "restarted", timed=False)
        interrupt_in(running, "policy", 1, signal.SIGSTOP, RNG, tally)
        assert not tally.broken


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Serve one device to all of its faults; each trial leaves it repaired."""
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
