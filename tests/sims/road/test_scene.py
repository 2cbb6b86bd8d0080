from __future__ import annotations

import math

import numpy as np
import pytest

from sims.road.scene import ASIDE, LANE, TIGHTEST, Course, draw
from sims.road.surface import TEXEL, surface

SEED = 10**9


@pytest.fixture(scope="module")
def courses() -> list[Course]:
    return [draw(seed) for seed in range(SEED, SEED + 200)]


def test_no_curve_is_too_tight_and_every_lane_winds_begins_and_ends_straight(courses: list[Course]) -> None:
    for course in courses:
        assert np.abs(course.bend).max() <= 1.0 / TIGHTEST + 1e-9
        assert 25.0 <= course.stop <= 38.0
        assert np.ptp(course.points[:, 2]) > math.radians(45)
        assert course.pose(0.0) == pytest.approx((0.0, 0.0, 0.0), abs=1e-9)
        assert course.curvature(course.stop - 3.0, 3.0) == pytest.approx(0.0, abs=1e-9)


def test_its_direction_is_that_of_its_points(courses: list[Course]) -> None:
    for course in courses[:20]:
        steps = np.diff(course.points[:, :2], axis=0)
        np.testing.assert_allclose(np.hypot(*steps.T), 0.05, atol=1e-4)
        turned = np.unwrap(np.arctan2(steps[:, 1], steps[:, 0]))
        np.testing.assert_allclose(turned, (course.points[1:, 2] + course.points[:-1, 2]) / 2, atol=0.02)


def test_a_place_that_was_posed_is_located_there(courses: list[Course]) -> None:
    rng = np.random.default_rng(1)
    for course in courses[:50]:
        along, offset = float(rng.uniform(0.0, course.stop)), float(rng.uniform(-0.6, 0.6))
        x, y, yaw = course.pose(along, offset)
        found = course.locate(x, y)
        assert found == pytest.approx((along, offset, yaw), abs=0.002)


def test_something_stands_in_most_lanes_far_from_both_ends_and_what_is_beside_leaves_room(
    courses: list[Course],
) -> None:
    stands = [course for course in courses if course.obstacle is not None]
    assert 0.6 < len(stands) / len(courses) < 0.8
    for course in courses:
        for thing in course.beside:
            where = np.array(course.pose(thing.along, thing.offset)[:2])
            away = np.hypot(*(course.points[:, :2] - where).T).min()
            assert away - max(thing.reach()) >= LANE / 2 + 0.1 - 1e-9
        if course.obstacle is None:
            continue
        middle, (along, across) = course.obstacle, course.obstacle.reach()
        assert middle.along - along > 7.0
        assert middle.along + along < course.stop - 7.0
        assert abs(middle.offset) - across < 0.0
        assert abs(middle.offset + middle.side * ASIDE) - across > LANE / 2


def test_the_seed_decides_all_of_it_and_spread_only_how_it_looks() -> None:
    one, same, wide, other = draw(SEED), draw(SEED), draw(SEED, spread=2.0), draw(SEED + 1)
    np.testing.assert_array_equal(one.points, same.points)
    assert one.look == same.look
    assert one.look != wide.look
    assert (one.obstacle, one.beside, one.start) == (wide.obstacle, wide.beside, wide.start)
    assert one.points.shape != other.points.shape or not np.allclose(one.points, other.points)


def test_paint_lies_on_both_sides_of_the_lane_and_across_it_at_the_stop_line() -> None:
    course = draw(SEED + 4)
    mesh = surface(course)
    assert mesh.texture is not None
    picture = mesh.texture.astype(float).mean(axis=2)
    low = mesh.corners[:, :2].min(axis=0)

    def bright(along: float, offset: float) -> float:
        x, y, _ = course.pose(along, offset)
        column, row = int((x - low[0]) / TEXEL), int((y - low[1]) / TEXEL)
        return float(picture[len(picture) - 1 - row, column])

    way = np.arange(1.0, course.stop - 1.0, 0.1)
    ground = np.median([bright(along, 0.0) for along in way])
    for side in (-LANE / 2, LANE / 2):
        lined = np.array([bright(along, side) for along in way])
        assert np.mean(lined > ground + 40) > 0.6
    across = [bright(course.stop + course.line / 2, offset) for offset in np.arange(-0.4, 0.41, 0.05)]
    assert np.mean(np.array(across) > ground + 40) > 0.6
    assert bright(course.stop - 0.1, 0.0) < ground + 40
