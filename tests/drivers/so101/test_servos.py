"""Ticks, angles and openings convert into each other, and commands that do not fit the arm are refused."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.so101 import jaw
from drivers.so101.command_check import refusal
from drivers.so101.servos import ServoScale
from embodied.messages import JointCommand
from tests.drivers.so101.bench import CALIBRATION, ROBOT


def test_an_opening_becomes_an_angle_and_back() -> None:
    for opening in np.linspace(0.011, ROBOT.opening, 20):
        angle = jaw.angle(opening)
        assert jaw.opening(angle) == pytest.approx(opening, abs=1e-9)
        step = 1e-6
        assert jaw.slope(angle) == pytest.approx((jaw.opening(angle + step) - opening) / step, rel=1e-4)


def test_ticks_become_angles_and_back() -> None:
    servos = ServoScale(CALIBRATION)
    position = np.array([0.1, -0.2, 0.3, -0.4, 0.5])
    angles = servos.angles(servos.ticks(position, 0.05))
    assert angles[:-1] == pytest.approx(position)
    assert jaw.opening(angles[-1]) == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (JointCommand(velocity=np.zeros(5)), "mode must be position, got velocity"),
        (JointCommand(gripper=0.5), "gripper must be in [0, 0.08] m, got 0.5"),
        (JointCommand(gripper=float("nan")), "gripper must be finite, got nan"),
        (JointCommand(position=np.zeros(6)), "position must have shape (5,), got (6,)"),
        (JointCommand(position=np.array([0, 0, np.inf, 0, 0])), "position must be finite"),
        (JointCommand(position=np.array([0, 2.0, 0, 0, 0])), "shoulder_lift must be in [-1.745, 1.745] rad, got 2"),
        (JointCommand(position=np.array([0, 2.0, 0, 0, -3.0])), "; wrist_roll must be in [-2.744, 2.841] rad, got -3"),
    ],
)
def test_a_command_that_is_refused_says_why(command: JointCommand, why: str) -> None:
    assert why in refusal(command, ROBOT)


def test_a_command_at_the_very_limits_is_not_refused() -> None:
    for limit in ("lower", "upper"):
        assert not refusal(JointCommand(position=ROBOT.limit(limit), gripper=ROBOT.opening), ROBOT)
