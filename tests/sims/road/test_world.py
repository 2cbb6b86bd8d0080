from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.bodies import arm, car
from embodied.clock import SECOND, Time
from embodied.errors import WorldFailed
from embodied.geometry import rotation
from sims.airfield.world import Airfield
from sims.bodies.car_model import NOSE
from sims.road.nodes import TrueLane
from sims.road.world import Road

SEED = 10**9 + 4
"""Something stands in its lane."""


@pytest.fixture(scope="module")
def world() -> Iterator[Road]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Road()
    yield world
    world.close()


@pytest.fixture
def road(world: Road) -> Road:
    world.reset(SEED)
    return world


def at(seconds: float) -> Time:
    return Time(round(seconds * SECOND))


def near_side(road: Road) -> float:
    stands = road.scene.obstacle
    assert stands is not None
    return stands.along - stands.half_extents()[0]


def test_it_begins_where_the_seed_says_and_stands_there(road: Road) -> None:
    road.advance(at(0.5))
    ahead = road.lane_truth()
    assert (ahead.offset, ahead.heading) == pytest.approx(road.scene.start, abs=0.003)
    assert road.verdict() is None


def test_the_lane_is_told_as_the_car_was_placed_in_it(road: Road) -> None:
    road.place(6.0, 0.2, -0.3)
    ahead = road.lane_truth()
    assert (ahead.offset, ahead.heading) == pytest.approx((0.2, -0.3), abs=0.003)
    assert ahead.curvature == pytest.approx(road.scene.lane.mean_curvature(6.0), abs=0.003)


def test_an_obstacle_and_a_stop_line_are_told_when_they_are_near_and_in_view(road: Road) -> None:
    near = near_side(road)
    road.place(near - 6.5, 0.0, 0.0)
    assert road.lane_truth().obstacle is None
    road.place(near - 2.5, 0.0, 0.0)
    assert road.lane_truth().obstacle == pytest.approx(2.5, abs=0.01)
    road.place(near - 2.5, 0.0, 1.2)
    assert road.lane_truth().obstacle is None
    road.place(near - 2.5, 0.0, 0.0)
    road.draw_aside(1.5)
    assert road.lane_truth().obstacle is None
    road.place(road.scene.lane.stop - 2.0, 0.1, 0.1)
    assert road.lane_truth().stop_line == pytest.approx(2.0, abs=0.01)
    road.place(road.scene.lane.stop - 5.5, 0.0, 0.0)
    assert road.lane_truth().stop_line is None


def test_what_stands_in_the_lane_is_drawn_aside_for_who_stands_before_it_and_not_before(road: Road) -> None:
    near = near_side(road)
    road.place(near - NOSE - 3.2, 0.0, 0.0)
    road.advance(at(4.0))
    assert road.lane_truth().obstacle is not None
    road.place(near - NOSE - 1.0, 0.0, 0.0)
    road.advance(at(6.5))
    assert road.lane_truth().obstacle is not None
    road.advance(at(11.0))
    assert road.lane_truth().obstacle is None
    # Nothing lies in the way any more, so that it can be driven past.
    road.place(near, 0.0, 0.0)
    road.advance(at(11.5))
    assert road.verdict() is None


def test_who_drives_into_what_stands_in_the_lane_has_touched_it(road: Road) -> None:
    road.place(near_side(road) - NOSE - 0.15, 0.0, 0.0)
    road.car().drive(0.0, 1.0)
    road.advance(at(1.5))
    verdict = road.verdict()
    assert verdict is not None
    assert not verdict.passed
    assert "touched the obstacle" in verdict.reason or "did not stand" in verdict.reason


def test_who_touches_what_stands_beside_the_lane_has_failed(road: Road) -> None:
    thing = min(road.scene.beside, key=lambda thing: abs(thing.offset))
    x, y, yaw = road.scene.lane.pose(thing.along, thing.offset)
    road.car().place(x - (NOSE + max(thing.half_extents()) - 0.05) * math.cos(yaw), y - 0.9 * math.sin(yaw), yaw)
    road.advance(at(0.2))
    verdict = road.verdict()
    assert verdict is not None
    assert not verdict.passed


def test_the_front_camera_sees_paint_where_geometry_says(road: Road) -> None:
    road.place(road.scene.lane.stop - 1.8, 0.0, 0.0)
    camera = road.camera("front")
    seen, info = camera.render().rgb, camera.info()
    assert seen is not None
    assert info.frame == "car"

    def brightness(forward: float, left: float) -> float:
        local = rotation(info.orientation).T @ (np.array([forward, left, 0.0]) - info.position)
        column, row = (info.matrix @ (local / local[2]))[:2]
        around = seen[round(row) - 1 : round(row) + 2, round(column) - 1 : round(column) + 2]
        return float(around.mean())

    ground = np.median([brightness(forward, 0.0) for forward in np.arange(1.2, 1.7, 0.1)])
    line = [brightness(1.8 + road.scene.lane.line / 2, left) for left in np.arange(-0.3, 0.31, 0.1)]
    edges = [brightness(forward, side) for forward in np.arange(1.2, 1.7, 0.1) for side in (-0.45, 0.45)]
    assert np.median(line) > ground + 40
    assert np.median(edges) > ground + 40


def test_a_snapshot_shown_in_a_copy_gives_the_same_picture(road: Road) -> None:
    road.car().drive(0.3, 1.5)
    road.advance(at(1.0))
    copy = Road()
    copy.reset(SEED)
    copy.show(road.snapshot())
    for name in ("front", "overview"):
        one, other = (world.camera(name, width=64, height=48).render().rgb for world in (road, copy))
        assert one is not None
        assert other is not None
        np.testing.assert_array_equal(one, other)
    copy.close()


def test_a_seed_is_the_same_ride_twice(road: Road) -> None:
    states = []
    for _ in range(2):
        road.reset(SEED)
        road.car().drive(0.1, 1.0)
        road.advance(at(1.0))
        states.append((road.snapshot(), road.car().read().wheel_speeds))
    np.testing.assert_array_equal(states[0][0], states[1][0])
    np.testing.assert_array_equal(states[0][1], states[1][1])


def test_the_true_lane_is_that_of_the_world_and_no_other_worlds(road: Road) -> None:
    node = TrueLane()
    node.open(road)
    road.place(road.scene.lane.stop - 2.0, 0.1, 0.05)
    lane = node.step(at(3.0))
    assert (lane.offset, lane.heading, lane.stop_line) == pytest.approx((0.1, 0.05, 2.0), abs=0.01)
    assert (lane.obstacle, lane.score, lane.acquired) == (None, 1.0, at(3.0))
    with pytest.raises(WorldFailed, match=r"needs a world with a lane, such as sims\.road:Road, not Airfield"):
        TrueLane().open(Airfield())


def test_what_is_not_there_is_refused_by_name(road: Road) -> None:
    with pytest.raises(WorldFailed, match="no car 'cart' on the road"):
        car(road, "cart")
    with pytest.raises(WorldFailed, match="no camera 'rear' on the road"):
        road.camera("rear")
    with pytest.raises(WorldFailed, match="Road has no arms"):
        arm(road, "arm")
    with pytest.raises(WorldFailed, match="reset"):
        Road().car()


@pytest.mark.parametrize("wrong", [{"charge": 0.0}, {"rate": 100.0}, {"time_limit": 0.0}, {"spread": 4.0}])
def test_settings_that_make_no_road_are_refused(wrong: dict[str, float]) -> None:
    (problem,) = Road(**wrong).check()
    assert problem.startswith(next(iter(wrong)))
    assert not list(Road().check())
