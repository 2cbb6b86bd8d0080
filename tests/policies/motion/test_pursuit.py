from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied import Time
from embodied.messages import Lane
from policies.motion.pursuit import propagated, steering

WHEELBASE = 0.6


def seen(
    offset: float = 0.0,
    heading: float = 0.0,
    curvature: float = 0.0,
    obstacle: float | None = None,
    stop_line: float | None = None,
) -> Lane:
    return Lane(
        offset=offset,
        heading=heading,
        curvature=curvature,
        obstacle=obstacle,
        stop_line=stop_line,
        score=1.0,
        acquired=Time(0),
    )


def followed(lane: Lane, angle: float, distance: float) -> Lane:
    """Where a vehicle is on its lane, once it has driven so far with its wheels at an angle: in many small steps."""
    offset, heading, step = lane.offset, lane.heading, 1e-4
    for _ in range(round(distance / step)):
        along = step * math.cos(heading) / (1.0 - lane.curvature * offset)
        offset += step * math.sin(heading)
        heading += step * math.tan(angle) / WHEELBASE - lane.curvature * along
    return seen(offset, heading, lane.curvature)


@given(st.floats(-0.4, 0.4), st.floats(0.3, 3.0))
def test_on_the_middle_of_an_arc_it_steers_by_its_radius_however_far_it_looks(curvature: float, ahead: float) -> None:
    assert steering(seen(curvature=curvature), ahead, WHEELBASE) == pytest.approx(math.atan(WHEELBASE * curvature))


@pytest.mark.parametrize("curvature", [0.0, 0.25, -0.25])
@pytest.mark.parametrize(("offset", "heading"), [(0.2, 0.0), (-0.2, 0.1), (0.0, -0.3), (0.1, 0.3)])
def test_its_arc_meets_the_middle_where_it_looks(offset: float, heading: float, curvature: float) -> None:
    lane = seen(offset, heading, curvature)
    angle = steering(lane, 1.0, WHEELBASE)
    ends = [followed(lane, angle, distance).offset for distance in (0.9, 1.2)]
    # It is on one side before, and on the other after.
    assert ends[0] * ends[1] < 0.0 or min(map(abs, ends)) < 0.01


@pytest.mark.parametrize(("offset", "heading"), [(0.2, 0.0), (0.0, 0.2)])
def test_to_the_left_of_the_middle_it_steers_right_and_the_other_way_round(offset: float, heading: float) -> None:
    angle = steering(seen(offset, heading), 1.0, WHEELBASE)
    assert angle < 0.0
    assert steering(seen(-offset, -heading), 1.0, WHEELBASE) == pytest.approx(-angle)


@pytest.mark.parametrize("curvature", [0.0, 0.25, -0.25])
@pytest.mark.parametrize("angle", [0.0, 0.2, -0.2])
def test_a_view_is_carried_on_as_the_vehicle_drives(curvature: float, angle: float) -> None:
    lane = seen(0.1, -0.1, curvature, obstacle=3.0, stop_line=5.0)
    along = 0.15
    now = propagated(lane, along, along * math.tan(angle) / WHEELBASE)
    true = followed(lane, angle, along)
    assert now.offset == pytest.approx(true.offset, abs=1e-3)
    assert now.heading == pytest.approx(true.heading, abs=2e-3)
    assert now.obstacle == pytest.approx(2.85)
    assert now.stop_line == pytest.approx(4.85)
    assert (now.curvature, now.acquired) == (lane.curvature, lane.acquired)


def test_what_is_not_seen_is_not_seen_later() -> None:
    now = propagated(seen(), 0.1, 0.0)
    assert (now.obstacle, now.stop_line) == (None, None)
