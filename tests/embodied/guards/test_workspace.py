from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.guards.workspace import Box

BOX = Box((0.0, -1.0, 0.0), (2.0, 1.0, 3.0))
INSIDE = np.array([1.0, 0.0, 1.0])
POINT = st.tuples(*[st.floats(-5, 5)] * 3).map(np.array)


@pytest.mark.parametrize("axis", range(3))
def test_a_box_that_has_no_room_along_an_axis_is_empty(axis: int) -> None:
    low, high = [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]
    assert not Box(tuple(low), tuple(high)).empty()  # type: ignore[arg-type]
    low[axis] = 1.0
    assert Box(tuple(low), tuple(high)).empty()  # type: ignore[arg-type]
    low[axis] = float("nan")
    assert Box(tuple(low), tuple(high)).empty()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("point", "depth"),
    [
        ((1, 0, 1), 0.0),
        ((0, -1, 0), 0.0),
        ((2, 1, 3), 0.0),
        ((-0.5, 0, 1), 0.5),
        ((1, 1.25, 1), 0.25),
        ((1, 0, 7), 4.0),
        ((-1, 4, -2), 3.0),
    ],
)
def test_depth_is_how_far_the_farthest_axis_is_outside(point: tuple[float, float, float], depth: float) -> None:
    assert BOX.depth(np.array(point, dtype=float)) == depth


def test_the_first_point_outside_is_the_one_that_is_named() -> None:
    one, two = np.array([-1.0, 0, 0]), np.array([-3.0, 0, 0])
    assert BOX.first_outside(INSIDE, [INSIDE, one, two]) is one
    assert BOX.first_outside(INSIDE, [two, one]) is two
    assert BOX.first_outside(INSIDE, [INSIDE, INSIDE]) is None


def test_from_outside_only_the_way_back_is_open() -> None:
    was = np.array([-1.0, 0.0, 1.0])
    assert BOX.first_outside(was, [np.array([-0.9, 0.0, 1.0]), INSIDE]) is None
    assert BOX.first_outside(was, [was]) is was
    worse = np.array([-1.1, 0.0, 1.0])
    assert BOX.first_outside(was, [np.array([-0.9, 0.0, 1.0]), worse]) is worse


@given(POINT, st.lists(POINT, max_size=4))
def test_nobody_is_let_further_out_than_they_are(was: np.ndarray, ahead: list[np.ndarray]) -> None:
    left = BOX.first_outside(was, ahead)
    allowed = [BOX.depth(point) <= 0 or BOX.depth(point) < BOX.depth(was) for point in ahead]
    assert (left is None) == all(allowed)
    if left is not None:
        assert left is ahead[allowed.index(False)]
