"""Limits of an arm against those of its URDF: a guard keeps to the former, so they must be within the latter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from embodied.guards import ArmGuard
from tests.embodied.guards import arm_rig
from tests.embodied.robots import robot

PANDA = robot("panda")


@pytest.mark.parametrize(
    ("limit", "value", "says"),
    [
        ("lower", -160.0, "lower of panda_joint1 is -160 rad, beyond the -2.9671 rad of panda.urdf"),
        ("upper", 2.97, "upper of panda_joint1 is 2.97 rad, beyond the 2.9671 rad of panda.urdf"),
        ("velocity", 125.0, "velocity of panda_joint1 is 125 rad/s, beyond the 2.175 rad/s of panda.urdf"),
    ],
)
def test_a_limit_beyond_that_of_the_urdf_is_refused_with_both(limit: str, value: float, says: str) -> None:
    joints = {**PANDA.joints, "panda_joint1": replace(PANDA.joints["panda_joint1"], **{limit: value})}
    (problem,) = ArmGuard(replace(PANDA, joints=joints), low=arm_rig.LOW, high=arm_rig.HIGH).check()
    assert problem == f"{says}: write radians, or correct the URDF if it is wrong"


@pytest.mark.parametrize("name", ["panda", "xarm6", "xarm7", "so101"])
def test_the_limits_of_the_robots_that_ship_are_within_those_of_their_urdf(name: str) -> None:
    assert not list(robot(name).excesses())
