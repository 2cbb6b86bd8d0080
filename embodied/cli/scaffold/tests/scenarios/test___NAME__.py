"""Scenarios of the launch file in simulation; equal seeds give equal runs."""

from __future__ import annotations

import pytest
from embodied.testing.plugin import Scenario

FILE = "launch/__NAME__.yaml"


@pytest.mark.scenario(FILE, seeds=range(3))
def test_the_block_is_placed_and_the_tool_stays_above_the_floor(scenario: Scenario) -> None:
    run = scenario()
    lowest = 1.0  # [m]
    while run.verdict is None:
        run.seconds(0.1)
        lowest = min(lowest, run["ik.tcp"].position[2])
    assert run.verdict.passed, run.verdict.reason
    assert lowest > 0.009


def test_the_arm_holds_while_the_policy_is_silent(scenario: Scenario) -> None:
    run = scenario(FILE)
    run.seconds(1.0)
    run.silence("policy")
    run.until(lambda: run["guard.report"].state == "holding", within=0.5)
