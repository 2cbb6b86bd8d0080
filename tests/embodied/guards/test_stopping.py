from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.stopping import stoppable_speed

lengths = st.floats(1e-6, 1e3)
decelerations = st.floats(1e-2, 1e3)
periods = st.floats(1e-4, 0.1)


@given(lengths, decelerations, periods)
def test_one_period_and_the_braking_after_it_take_exactly_the_distance(d: float, a: float, h: float) -> None:
    v = stoppable_speed(d, a, h)
    # A root beside a much longer period loses digits: relative to what the period alone would travel.
    assert v * h + v * v / (2 * a) == pytest.approx(d, rel=1e-9, abs=1e-12 * (1 + a * h * h))


@given(st.floats(1e-3, 10.0), st.floats(0.1, 50.0), st.floats(1e-3, 0.05))
def test_a_setpoint_that_keeps_to_it_never_overshoots_and_never_brakes_harder(d: float, a: float, h: float) -> None:
    left, before = d, math.inf
    for _ in range(200):
        v = stoppable_speed(left, a, h)
        assert v >= before - a * h - 1e-9 or before == math.inf
        left, before = left - v * h, v
        assert left >= -1e-12
        left = max(left, 0.0)


def test_at_the_limit_nothing_moves() -> None:
    assert stoppable_speed(0.0, 2.0, 0.5) == 0.0


def test_without_a_period_it_is_the_rule_of_continuous_time_and_with_one_it_is_slower() -> None:
    assert stoppable_speed(1.0, 2.0, 0.0) == 2.0
    assert stoppable_speed(6.0, 1.0, 2.0) == 2.0 < stoppable_speed(6.0, 1.0, 0.0)


@given(st.lists(st.tuples(lengths, decelerations), min_size=1, max_size=7), periods)
def test_arrays_give_to_the_bit_what_numbers_give_one_by_one(axes: list[tuple[float, float]], h: float) -> None:
    distances, strengths = np.array(axes).T
    together = stoppable_speed(distances, strengths, h)
    assert together.tolist() == [stoppable_speed(d, a, h) for d, a in axes]
    assert stoppable_speed(distances, 2.0, h).tolist() == [stoppable_speed(d, 2.0, h) for d in distances.tolist()]
    assert isinstance(stoppable_speed(1.0, 2.0, h), float)
    assert not isinstance(stoppable_speed(1.0, 2.0, h), np.floating), "numbers stay plain numbers"
