"""The launch file that ships, live: real processes, shared memory, the steady clock, physics beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.live.episode import SLOWEST
from embodied.suite.seed_run import Job, Scenario, run_seed

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"


def test_an_arm_places_the_block_live_as_it_does_in_lockstep() -> None:
    result = run_seed(Job(Scenario("live", PICK, "sim", live=True)), 3).result
    pace = result.outcome.get("real_time_factor", 1.0)
    if result.status != "passed" and pace < SLOWEST:
        pytest.skip(f"this machine is too slow to judge: the world's time passed at {pace:.2f} of the clock's")
    assert result.status == "passed", result.reason
    assert not result.outcome["events"]
