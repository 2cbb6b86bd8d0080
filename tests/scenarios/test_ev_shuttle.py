"""The shuttle on its lane, run whole: real physics and wheels, a camera with flaws, an obstacle, a stop line."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from embodied import Stamped, Time
from embodied.launch import Overrides, load
from embodied.messages import GuardReport, VehicleState
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep
from embodied.testing.plugin import Scenario

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

SHUTTLE = Path(__file__).parents[2] / "launch" / "ev_shuttle.yaml"
WAITS = 1000
"""A seed with something in the lane."""


def test_it_keeps_to_its_lane_waits_before_what_stands_in_it_and_parks_before_the_stop_line() -> None:
    run = Lockstep(load(SHUTTLE, Overrides()).graph("sim").check(), seed=WAITS)
    states: list[Stamped[VehicleState]] = []
    run.observe("car.state", states.append)
    at = 0
    with run:
        while (verdict := run.verdict()) is None:
            at += VERDICT_PERIOD
            run.advance(Time(at))
    assert verdict.passed, verdict.reason
    assert states[-1].value.gear == "P"
    # It stood once on its way, for as long as it took to draw aside what stood there.
    moving = [abs(state.value.speed) > 0.3 for state in states]
    assert sum(now and not before for before, now in pairwise(moving)) == 2


def test_on_its_way_a_perception_that_dies_leaves_it_standing(scenario: Scenario) -> None:
    run = scenario(SHUTTLE, profile="sim", seed=WAITS)
    run.seconds(4.0)
    state: VehicleState = run["car.state"]
    assert state.speed > 1.0
    run.kill("lane")
    # Silent after so long, as `check` says; then it brakes at 2 m/s², and the last of its speed dies away.
    run.seconds(0.29 + state.speed / 2.0 + 0.6)
    report: GuardReport = run["guard.report"]
    assert report.refusals == ("no fresh command",)
    stood: VehicleState = run["car.state"]
    assert (abs(stood.speed) < 0.05, stood.gear) == (True, "D")
