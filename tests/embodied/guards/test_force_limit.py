from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.force_limit import ForceLimit
from embodied.messages import Vector

CALM = np.array([1.0, -1.0])


def limit(periods: int = 3) -> ForceLimit:
    return ForceLimit(["shoulder", "elbow"], np.array([10.0, 4.0]), periods)


def test_it_trips_when_a_joint_was_over_for_so_many_periods_in_a_row_and_names_the_one_that_is_worst() -> None:
    force = limit()
    hard = np.array([12.0, -6.0])
    assert [force.update(hard) for _ in range(2)] == ["", ""]
    assert force.update(hard) == "elbow: effort -6 is over its limit of 4 N·m"
    assert force.update(np.array([-25.0, 0.0])) == "shoulder: effort -25 is over its limit of 10 N·m"


def test_the_limit_itself_is_allowed() -> None:
    force = limit(periods=1)
    assert force.update(np.array([10.0, -4.0])) == ""
    assert force.update(np.array([np.nextafter(10.0, 11.0), 0.0])) != ""


def test_periods_that_are_not_in_a_row_do_not_count_together() -> None:
    force = limit()
    hard = np.array([12.0, 0.0])
    for _ in range(5):
        assert force.update(hard) == ""
        assert force.update(hard) == ""
        assert force.update(CALM) == ""


def test_it_no_longer_says_so_once_nothing_pushes() -> None:
    force = limit(periods=1)
    assert force.update(np.array([11.0, 0.0]))
    assert force.update(CALM) == ""


@pytest.mark.parametrize("unknown", [None, np.array([math.nan, 0.0]), np.array([0.0, math.inf])])
def test_what_is_not_known_neither_counts_nor_heals(unknown: Vector | None) -> None:
    force = limit()
    hard = np.array([12.0, 0.0])
    assert [force.update(hard) for _ in range(2)] == ["", ""]
    assert force.update(unknown) == ""
    assert force.update(hard)
    assert force.update(unknown)
    assert not force.measured(unknown)
    assert force.measured(hard)


@given(st.lists(st.tuples(st.floats(-20, 20), st.floats(-8, 8)), max_size=30), st.integers(1, 4))
def test_it_says_stop_exactly_while_the_last_periods_were_all_over(
    efforts: list[tuple[float, float]], periods: int
) -> None:
    force, row = limit(periods), 0
    for shoulder, elbow in efforts:
        row = row + 1 if abs(shoulder) > 10.0 or abs(elbow) > 4.0 else 0
        assert bool(force.update(np.array([shoulder, elbow]))) == (row >= periods)
