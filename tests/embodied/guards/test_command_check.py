from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.command_check import unfit
from embodied.messages import JointCommand
from tests.embodied.robots import robot

PANDA = robot("panda")
SEVEN = np.zeros(7)


def said(command: JointCommand, mode: str = "position") -> str:
    return unfit("ik", command, mode, PANDA)


@pytest.mark.parametrize("mode", ["position", "velocity", "effort"])
def test_a_finite_command_of_the_one_mode_and_size_is_fit(mode: str) -> None:
    assert said(JointCommand(**{mode: SEVEN}), mode) == ""
    assert said(JointCommand(**{mode: SEVEN}, gripper=0.04), mode) == ""
    assert said(JointCommand(gripper=0.04), mode) == ""


@pytest.mark.parametrize("mode", ["position", "velocity", "effort"])
@pytest.mark.parametrize("given", ["position", "velocity", "effort"])
def test_another_mode_is_not_even_beside_the_one_that_is_taken(mode: str, given: str) -> None:
    if given != mode:
        both = JointCommand(**{mode: SEVEN, given: SEVEN})
        assert said(both, mode) == f"ik commands {given}, and this guard takes {mode}"


@pytest.mark.parametrize("size", [0, 1, 6, 8])
def test_another_number_of_joints_is_not(size: int) -> None:
    assert said(JointCommand(position=np.zeros(size))) == f"ik commands {size} joints, and panda has 7"
    assert said(JointCommand(position=np.zeros((7, 1)))) == "ik commands 7 joints, and panda has 7"


@given(st.integers(0, 6), st.sampled_from([math.nan, math.inf, -math.inf]))
def test_what_is_not_finite_is_not(joint: int, bad: float) -> None:
    values = SEVEN.copy()
    values[joint] = bad
    assert said(JointCommand(position=values)) == f"ik commands position {values.tolist()}, which is not finite"
    assert said(JointCommand(position=SEVEN, gripper=bad)) == f"ik commands gripper {bad}, which is not finite"
