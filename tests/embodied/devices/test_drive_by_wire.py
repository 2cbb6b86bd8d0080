"""The drive-by-wire unit's speed control holds at rest, changes gears at rest only, and stays within its limit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.bodies import CarSensors
from embodied.clock import Time
from embodied.devices.drive_by_wire import BRAKING, STANDSTILL_SPEED, SpeedControl, current, voltage


def motions(speed: float) -> CarSensors:
    return CarSensors(
        speed=speed,
        wheel_speeds=np.full(4, speed),
        steering=0.0,
        yaw_rate=0.0,
        acceleration=0.0,
        charge=0.9,
        acquired=Time(0),
    )


def test_a_gear_changes_at_rest_only() -> None:
    control = SpeedControl()
    assert control.step(1.0, "D", 2.0, motions(0.5)) == (0.0, -2.0), "it rolls in P, and brakes"
    assert control.gear == "P"
    assert control.step(1.0, "D", 2.0, motions(0.0)) == (1.0, 2.0)
    assert control.gear == "D"


def test_there_is_no_reverse() -> None:
    control = SpeedControl("D")
    assert control.step(-1.0, "R", 2.0, motions(0.0)) == (0.0, -BRAKING)
    assert control.gear == "D"


@given(speed=st.floats(0, 3), measured=st.floats(-1, 4), limit=st.floats(0.1, 3))
def test_acceleration_leads_towards_the_speed_within_its_limit(speed: float, measured: float, limit: float) -> None:
    target, acceleration = SpeedControl("D").step(speed, "D", limit, motions(measured))
    assert target == speed
    if speed == 0.0 and abs(measured) <= STANDSTILL_SPEED:
        assert acceleration == -BRAKING, "the brakes hold it"
    else:
        assert abs(acceleration) <= limit
        assert acceleration * (speed - measured) >= 0.0


def test_an_empty_battery_has_four_fifths_of_its_voltage_and_brakes_draw_no_current() -> None:
    assert voltage(0.0) == pytest.approx(0.8 * voltage(1.0))
    assert current(-3.0) == current(0.0) < current(1.0)
