from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.command_check import GEARS, drone_problem, joint_problem, joint_range_problem, vehicle_problem
from embodied.messages import DroneCommand, JointCommand, VehicleCommand

SEVEN = np.zeros(7)
BAD = st.sampled_from([math.nan, math.inf, -math.inf])


def joints(command: JointCommand, mode: str = "position") -> str:
    return joint_problem(command, mode, 7)


def drone(**values: Any) -> str:
    return drone_problem(DroneCommand(**values, frame="world"))


def command(**fields: Any) -> JointCommand:
    return JointCommand(**fields)


@pytest.mark.parametrize("mode", ["position", "velocity", "effort"])
def test_a_finite_command_of_the_one_mode_and_size_is_legal(mode: str) -> None:
    assert joints(command(**{mode: SEVEN}), mode) == ""
    assert joints(command(**{mode: SEVEN}, gripper=0.04), mode) == ""
    assert joints(JointCommand(gripper=0.04), mode) == ""


@pytest.mark.parametrize("mode", ["position", "velocity", "effort"])
@pytest.mark.parametrize("other", ["position", "velocity", "effort"])
def test_another_mode_is_illegal_even_beside_the_one_that_is_taken(mode: str, other: str) -> None:
    if other != mode:
        both = command(**{mode: SEVEN, other: SEVEN})
        assert joints(both, mode) == f"mode must be {mode}, got {other}"


@pytest.mark.parametrize("size", [0, 1, 6, 8])
def test_another_number_of_joints_is_illegal(size: int) -> None:
    assert joints(JointCommand(position=np.zeros(size))) == f"position must have shape (7,), got ({size},)"
    assert joints(JointCommand(position=np.zeros((7, 1)))) == "position must have shape (7,), got (7, 1)"


@given(st.integers(0, 6), BAD)
def test_joints_and_a_gripper_that_are_not_finite_are_illegal(joint: int, bad: float) -> None:
    values = SEVEN.copy()
    values[joint] = bad
    assert joints(JointCommand(position=values)) == f"position must be finite, got {values.tolist()}"
    assert joints(JointCommand(position=SEVEN, gripper=bad)) == f"gripper must be finite, got {bad}"


def test_each_joint_outside_its_range_is_named_and_the_ends_are_inside() -> None:
    lower, upper, names = np.array([-1.0, -2.0, 0.0]), np.array([1.0, 2.0, 0.5]), ("lift", "elbow", "wrist")
    for inside in (lower, upper, (lower + upper) / 2):
        assert joint_range_problem(inside, lower, upper, names) == ""
    assert joint_range_problem(np.array([1.5, 0.0, -0.25]), lower, upper, names) == (
        "lift must be in [-1, 1] rad, got 1.5; wrist must be in [0, 0.5] rad, got -0.25"
    )


@given(BAD, st.integers(0, 2), st.sampled_from(["position", "velocity"]))
def test_a_drone_command_is_three_finite_numbers_or_to_land(bad: float, axis: int, name: str) -> None:
    three = np.zeros(3)
    cases: tuple[dict[str, Any], ...] = ({name: three}, {name: three, "yaw": 0.5}, {"land": True})
    for legal in cases:
        assert drone(**legal) == drone(**{**legal, "land": True}) == ""
    three[axis] = bad
    assert drone(**{name: three}) == f"{name} must be finite, got {three.tolist()}"
    assert drone(**{name: np.zeros(2)}) == f"{name} must have shape (3,), got (2,)"
    assert drone(land=True, yaw=bad) == f"yaw must be finite, got {bad}"
    assert drone() == "position, velocity or land must be set, got none of them"


@pytest.mark.parametrize("name", ["speed", "acceleration", "steering"])
@given(bad=BAD)
def test_numbers_of_a_vehicle_command_are_finite(name: str, bad: float) -> None:
    values: dict[str, Any] = {"speed": 1.0, "acceleration": 1.0, "steering": 0.1, name: bad}
    assert vehicle_problem(VehicleCommand(**values)) == f"{name} must be finite, got {bad}"


def test_a_vehicle_drives_forwards_in_d_backwards_in_r_and_not_at_all_in_p_and_n() -> None:
    ways = {"P": {0.0}, "R": {-1.0, 0.0}, "N": {0.0}, "D": {0.0, 1.0}}
    assert tuple(ways) == GEARS
    for gear, speeds in ways.items():
        for speed in (-1.0, 0.0, 1.0):
            problem = vehicle_problem(VehicleCommand(speed=speed, steering=0.0, gear=gear))
            assert (problem == "") == (speed in speeds), problem


@pytest.mark.parametrize(
    ("speed", "gear", "problem"),
    [
        (0.0, "X", "gear must be one of P, R, N, D, got 'X'"),
        (0.0, "", "gear must be one of P, R, N, D, got ''"),
        (0.0, "ND", "gear must be one of P, R, N, D, got 'ND'"),
        (-0.5, "D", "speed must be at least 0 m/s in gear D, got -0.5"),
        (0.5, "R", "speed must be at most 0 m/s in gear R, got 0.5"),
        (0.5, "P", "speed must be 0 m/s in gear P, got 0.5"),
        (-0.5, "N", "speed must be 0 m/s in gear N, got -0.5"),
    ],
)
def test_what_a_gear_forbids_is_said(speed: float, gear: str, problem: str) -> None:
    assert vehicle_problem(VehicleCommand(speed=speed, steering=0.0, gear=gear)) == problem
