from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from embodied.geometry import quaternion
from embodied.messages import CameraInfo, Image, Lane
from embodied.node.node import generator
from policies.perception.lane import MATRIX, MOUNT, TURN, LaneDetector, warped
from sims.road.world import Road

SEEDS = range(200, 204)
"""None of them was trained or chosen on."""


@pytest.fixture(scope="module")
def detector() -> Iterator[LaneDetector]:
    node = LaneDetector()
    node.open()
    yield node
    node.close()


@pytest.fixture(scope="module")
def road() -> Iterator[Road]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Road()
    yield world
    world.close()


def looked(road: Road, detector: LaneDetector, count: int = 0, width: int = 320, height: int = 240) -> Lane:
    """What is seen from where the car is, by one of many cameras."""
    camera = road.camera("front", width=width, height=height)
    camera.vary(generator(count, "lens"))
    seen = camera.render().rgb
    assert seen is not None
    return detector.step(Image(data=seen, acquired=road.car().read().acquired), camera.info())


def test_it_sees_where_the_middle_of_its_lane_is(road: Road, detector: LaneDetector) -> None:
    errors = []
    for seed in SEEDS:
        road.reset(seed)
        rng = generator(seed, "places")
        for count in range(8):
            road.place(float(rng.uniform(0.0, road.scene.lane.stop - 1.0)), *rng.uniform(-0.12, 0.12, 2).tolist())
            true, lane = road.lane_truth(), looked(road, detector, count)
            assert lane.score >= 0.5
            offset, heading, curvature = (
                getattr(lane, name) - getattr(true, name) for name in ("offset", "heading", "curvature")
            )
            # A metre and a half ahead, where it is in view; what lies under the nose can only be guessed.
            errors.append((abs(offset + 1.5 * heading - 1.125 * curvature), abs(offset)))
    aim, offset = np.quantile(errors, 0.9, axis=0)
    assert aim < 0.05
    assert offset < 0.09


def test_what_stands_in_the_lane_is_never_missed_when_it_is_near_and_told_where_it_is(
    road: Road, detector: LaneDetector
) -> None:
    met = 0
    for seed in SEEDS:
        road.reset(seed)
        stands = road.scene.obstacle
        if stands is None:
            continue
        for count, away in enumerate((1.2, 1.8, 2.6)):
            road.place(stands.along - stands.half_extents()[0] - away, 0.03, 0.0)
            true, lane = road.lane_truth().obstacle, looked(road, detector, count)
            assert true is not None
            assert lane.obstacle == pytest.approx(true, rel=0.25)
            met += 1
        road.draw_aside(1.5)
        assert looked(road, detector).obstacle is None
    assert met >= 6


def test_the_stop_line_is_told_where_it_is(road: Road, detector: LaneDetector) -> None:
    errors = []
    for seed in SEEDS:
        road.reset(seed)
        for count, away in enumerate((1.1, 1.5, 1.9)):
            road.place(road.scene.lane.stop - away, -0.03, 0.02)
            lane = looked(road, detector, count)
            assert lane.stop_line is not None
            errors.append(abs(lane.stop_line - away))
        road.place(road.scene.lane.stop - 12.0, 0.0, 0.0)
        assert looked(road, detector).stop_line is None
    assert np.quantile(errors, 0.9) < 0.10


def test_off_the_lane_it_is_not_sure(road: Road, detector: LaneDetector) -> None:
    unsure = []
    for seed in SEEDS:
        road.reset(seed)
        for offset, heading in ((1.5, 0.8), (-1.5, -0.8), (0.0, math.pi / 2)):
            road.place(10.0, offset, heading)
            unsure.append(looked(road, detector).score < 0.5)
    assert np.mean(unsure) >= 0.8


def test_the_size_of_the_picture_does_not_matter(road: Road, detector: LaneDetector) -> None:
    road.reset(SEEDS[0])
    road.place(5.0, 0.1, 0.05)
    one, other = looked(road, detector), looked(road, detector, width=480, height=360)
    assert one.offset == pytest.approx(other.offset, abs=0.03)
    assert one.heading == pytest.approx(other.heading, abs=0.03)


def info(pitch: float = 0.0, scale: float = 1.0) -> CameraInfo:
    """A camera that looks further down than the network's, with more pixels."""
    c, s = math.cos(pitch), math.sin(pitch)
    tilt = np.array([(1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)])
    matrix = MATRIX * np.array([(scale,) * 3, (scale,) * 3, (1.0,) * 3])
    return CameraInfo(
        width=320, height=240, matrix=matrix, position=MOUNT, orientation=quaternion(TURN @ tilt), frame="car"
    )


def test_a_picture_of_the_networks_own_view_is_left_as_it_is() -> None:
    picture = np.random.default_rng(1).integers(0, 256, (112, 160, 3)).astype(np.uint8)
    np.testing.assert_array_equal(warped(picture, info()), picture)


def test_a_camera_that_is_tilted_otherwise_shows_the_same_things_in_the_same_places() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    camera = info(pitch=0.1, scale=1.4)
    # A spot that this camera sees, and where the network's has it.
    ray = np.array([0.3, 0.2, 1.0])
    column, row = (camera.matrix @ (ray / ray[2]))[:2].round().astype(int)
    picture[row - 3 : row + 4, column - 3 : column + 4] = 255
    c, s = math.cos(0.1), math.sin(0.1)
    expected = MATRIX @ (np.array([(1.0, 0.0, 0.0), (0.0, c, -s), (0.0, s, c)]) @ ray)
    rows, columns = np.nonzero(warped(picture, camera)[:, :, 0] > 128)
    np.testing.assert_allclose((columns.mean(), rows.mean()), expected[:2] / expected[2], atol=1.0)


def test_a_camera_that_is_elsewhere_in_the_car_is_refused() -> None:
    picture = np.zeros((240, 320, 3), np.uint8)
    with pytest.raises(
        ValueError, match=r"within 0\.03 m of \[0\.66, 0\.0, 0\.5\] m in the car, got \[0\.66, 0\.0, 0\.6\]"
    ):
        warped(picture, replace(info(), position=MOUNT + np.array([0.0, 0.0, 0.1])))


def test_a_threshold_that_is_no_score_is_refused() -> None:
    (problem,) = LaneDetector(threshold=1.0).check()
    assert problem == "threshold must be in (0, 1), got 1.0"
