"""Tests of the node Floor by calls of its step."""

from __future__ import annotations

import numpy as np
import pytest
from embodied.geometry import BASE
from embodied.messages import Goal

from policies.floor import Floor

DOWN = np.array([0.0, 0.0, -1.0])


@pytest.mark.parametrize(("asked", "given"), [(0.2, 0.2), (0.05, 0.05), (-0.1, 0.05)])
def test_a_goal_below_the_floor_is_raised_to_it(asked: float, given: float) -> None:
    goal = Goal(position=np.array([0.4, 0.1, asked]), approach=DOWN, yaw=0.0, gripper=0.08, frame=BASE)
    assert Floor(height=0.05).step(goal).position.tolist() == [0.4, 0.1, given]


def test_a_floor_below_the_table_is_refused() -> None:
    assert list(Floor(height=-0.01).check()) == ["height must be at least 0 m, got -0.01"]
