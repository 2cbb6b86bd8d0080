"""Arming and landing: what keeps a multirotor on the ground, and when it is there again."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embodied import Time
from embodied.autopilot import Estimate, Touchdown, arming_denials, descent, is_level
from embodied.geometry import quaternion, transform


def at(tilt: float) -> Estimate:
    turned = transform((0.0, 0.0, 0.0), (tilt, 0.0, 1.0))[:3, :3]
    return Estimate(np.zeros(3), np.zeros(3), quaternion(turned), np.zeros(3), Time(0))


def test_without_a_position_or_a_charged_battery_it_does_not_arm() -> None:
    assert not list(arming_denials(located=True, charge=0.2, reserve=0.2))
    assert list(arming_denials(located=True, charge=0.19, reserve=0.2)) == ["battery at 19 %"]
    assert len(list(arming_denials(located=False, charge=0.0, reserve=0.2))) == 2


@pytest.mark.parametrize(("degrees", "level"), [(0.0, True), (19.0, True), (21.0, False), (180.0, False)])
def test_it_takes_off_from_level_ground_alone(degrees: float, level: bool) -> None:
    assert is_level(at(math.radians(degrees))) is level


def test_it_has_landed_once_it_was_at_rest_for_long_enough_without_a_break() -> None:
    touchdown = Touchdown(0.5)
    assert not touchdown.update(True, 1.0)
    assert not touchdown.update(True, 1.5)
    assert touchdown.update(True, 1.6)
    assert not touchdown.update(False, 1.7)
    assert touchdown.since is None
    assert not touchdown.update(True, 2.0)
    assert touchdown.update(True, 2.6)


def test_a_descent_holds_its_place_and_goes_down_at_its_speed() -> None:
    setpoint = descent(np.array([1.0, 2.0, 9.0]), 4.0, 0.7, 0.3)
    assert setpoint.position is not None
    assert setpoint.velocity is not None
    assert setpoint.position.tolist() == [1.0, 2.0, 4.0]
    assert setpoint.velocity.tolist() == [0.0, 0.0, -0.7]
    assert setpoint.yaw == 0.3


def test_the_yaw_of_an_estimate_is_that_of_its_forward_axis() -> None:
    assert at(0.2).yaw == pytest.approx(1.0)
