from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.cornering import Cornering

CORNERING = Cornering(0.6, 1.5, 4.0)

speeds = st.floats(0.01, 30.0)
angles = st.floats(0.001, 1.2)


@given(speeds)
def test_at_the_largest_angle_the_acceleration_to_the_side_is_its_bound(speed: float) -> None:
    assert speed * speed * math.tan(CORNERING.angle(speed)) / 0.6 == pytest.approx(1.5)
    assert CORNERING.angle(-speed) == CORNERING.angle(speed)


@given(angles)
def test_at_the_fastest_the_acceleration_to_the_side_is_its_bound(angle: float) -> None:
    assert CORNERING.speed(angle) ** 2 * math.tan(angle) / 0.6 == pytest.approx(1.5)
    assert CORNERING.speed(-angle) == CORNERING.speed(angle)


@given(speeds, angles)
def test_at_the_quickest_it_changes_as_quickly_as_it_may(speed: float, angle: float) -> None:
    slew, h = CORNERING.slew(speed, angle), 1e-7
    change = speed * speed * (math.tan(angle + slew * h) - math.tan(angle - slew * h)) / 0.6 / (2.0 * h)
    # A slow vehicle turns its wheels far in no time, and the step is none for it any more.
    if slew < 100.0:
        assert change == pytest.approx(4.0, rel=1e-3)
    assert CORNERING.slew(-speed, angle) == slew


def test_one_that_stands_may_steer_as_it_likes_and_straight_ahead_is_no_bend() -> None:
    assert CORNERING.angle(0.0) == math.pi / 2
    assert CORNERING.slew(0.0, 0.3) == math.inf
    assert CORNERING.speed(0.0) == math.inf
