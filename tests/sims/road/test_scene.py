from __future__ import annotations

import math

import numpy as np
import pytest

from sims.lane import WIDTH
from sims.road.scene import ASIDE, RADIUS_LEAST, RoadScene, draw
from sims.road_surface import TEXEL, surface

SEED = 10**9


@pytest.fixture(scope="module")
def scenes() -> list[RoadScene]:
    return [draw(seed) for seed in range(SEED, SEED + 200)]


def test_no_curve_is_too_tight_and_every_lane_winds_begins_and_ends_straight(scenes: list[RoadScene]) -> None:
    for scene in scenes:
        assert np.abs(scene.lane.curvature).max() <= 1.0 / RADIUS_LEAST + 1e-9
        assert 25.0 <= scene.lane.stop <= 38.0
        assert np.ptp(scene.lane.points[:, 2]) > math.radians(45)
        assert scene.lane.pose(0.0) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
        assert scene.lane.mean_curvature(scene.lane.stop - 3.0, 3.0) == pytest.approx(0.0, abs=1e-9)


def test_its_direction_is_that_of_its_points(scenes: list[RoadScene]) -> None:
    for scene in scenes[:20]:
        steps = np.diff(scene.lane.points[:, :2], axis=0)
        np.testing.assert_allclose(np.hypot(*steps.T), 0.05, atol=1e-4)
        turned = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        np.testing.assert_allclose(turned, (scene.lane.points[1:, 2] + scene.lane.points[:-1, 2]) / 2, atol=0.02)


def test_a_place_that_was_posed_is_located_there(scenes: list[RoadScene]) -> None:
    rng = np.random.default_rng(1)
    for scene in scenes[:50]:
        along, offset = float(rng.uniform(0.0, scene.lane.stop)), float(rng.uniform(-0.6, 0.6))
        x, y, yaw = scene.lane.pose(along, offset)
        found = scene.lane.locate(x, y)
        assert found == pytest.approx((along, offset, yaw), abs=0.002)


def test_something_stands_in_most_lanes_far_from_both_ends_and_what_is_beside_leaves_room(
    scenes: list[RoadScene],
) -> None:
    stands = [scene for scene in scenes if scene.obstacle is not None]
    assert 0.6 < len(stands) / len(scenes) < 0.8
    for scene in scenes:
        for thing in scene.beside:
            where = np.array(scene.lane.pose(thing.along, thing.offset)[:2])
            away = np.hypot(*(scene.lane.points[:, :2] - where).T).min()
            assert away - max(thing.half_extents()) >= WIDTH / 2 + 0.1 - 1e-9
        if scene.obstacle is None:
            continue
        middle, (along, across) = scene.obstacle, scene.obstacle.half_extents()
        assert middle.along - along > 7.0
        assert middle.along + along < scene.lane.stop - 7.0
        assert abs(middle.offset) - across < 0.0
        assert abs(middle.offset + middle.side * ASIDE) - across > WIDTH / 2


def test_the_seed_decides_all_of_it_and_spread_only_how_it_looks() -> None:
    one, same, wide, other = draw(SEED), draw(SEED), draw(SEED, spread=2.0), draw(SEED + 1)
    np.testing.assert_array_equal(one.lane.points, same.lane.points)
    assert one.look == same.look
    assert one.look != wide.look
    assert (one.obstacle, one.beside, one.start) == (wide.obstacle, wide.beside, wide.start)
    assert one.lane.points.shape != other.lane.points.shape or not np.allclose(one.lane.points, other.lane.points)


def test_paint_lies_on_both_sides_of_the_lane_and_across_it_at_the_stop_line() -> None:
    scene = draw(SEED + 4)
    mesh = surface(scene.lane, scene.look)
    assert mesh.texture is not None
    picture = mesh.texture.astype(float).mean(axis=2)
    low = mesh.corners[:, :2].min(axis=0)

    def bright(along: float, offset: float) -> float:
        x, y, _ = scene.lane.pose(along, offset)
        column, row = int((x - low[0]) / TEXEL), int((y - low[1]) / TEXEL)
        return float(picture[len(picture) - 1 - row, column])

    way = np.arange(1.0, scene.lane.stop - 1.0, 0.1)
    ground = np.median([bright(along, 0.0) for along in way])
    for side in (-WIDTH / 2, WIDTH / 2):
        lined = np.array([bright(along, side) for along in way])
        assert np.mean(lined > ground + 40) > 0.6
    across = [bright(scene.lane.stop + scene.lane.line / 2, offset) for offset in np.arange(-0.4, 0.41, 0.05)]
    assert np.mean(np.array(across) > ground + 40) > 0.6
    assert bright(scene.lane.stop - 0.1, 0.0) < ground + 40
