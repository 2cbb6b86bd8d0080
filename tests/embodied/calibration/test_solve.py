"""The mathematics alone, on corners that a camera of ours is computed to show."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from embodied.calibration import OPTICAL
from embodied.calibration.board import BoardDetection
from embodied.calibration.coverage import Coverage
from embodied.calibration.solve import IMAGES_LEAST, CameraFit, locate, measure, place, tilt
from embodied.errors import LaunchError
from embodied.geometry import BASE, rotation, transform
from embodied.messages import Vector
from tests.embodied.calibration.rendered import BOARD, TRUTH, apart, bent, held, pixels

SIZE = TRUTH.width, TRUTH.height
X, Y = (BOARD.square * np.arange(1, count) for count in (BOARD.columns, BOARD.rows))
CORNERS = np.array([(x, y, 0.0) for y in Y for x in X])


def detection(name: str, pose: Vector, noise: float = 0.0, seed: int = 0) -> BoardDetection:
    shown = pixels(TRUTH, CORNERS @ pose[:3, :3].T + pose[:3, 3])
    shown = shown + np.random.default_rng(seed).normal(0.0, noise, shown.shape)
    inside = ((shown >= 0) & (shown <= (TRUTH.width - 1, TRUTH.height - 1))).all(axis=1)
    return BoardDetection(name, CORNERS[inside], shown[inside])


def poses(seed: int, count: int = 20) -> list[Vector]:
    return [pose for _, pose in zip(range(count), held(BOARD, TRUTH, np.random.default_rng(seed)), strict=False)]


def detections(seed: int, noise: float = 0.0, count: int = 20) -> list[BoardDetection]:
    return [detection(f"{i:02d}", pose, noise, seed + i) for i, pose in enumerate(poses(seed, count))]


def moved(one: BoardDetection, shift: Vector) -> BoardDetection:
    return replace(one, pixels=one.pixels + shift)


def refused(found: list[BoardDetection]) -> tuple[str, str]:
    """Code and text of the error that there is."""
    with pytest.raises(LaunchError) as caught:
        measure(found, *SIZE)
    (problem,) = caught.value.problems
    assert problem.help
    return problem.code, problem.message


def miss(measured: CameraFit) -> float:
    """By how much the measured camera shows things elsewhere than the true one, at most, within the image [px]."""
    grid = np.stack(np.meshgrid(np.linspace(-0.5, 0.5, 11), np.linspace(-0.28, 0.28, 11), [1.0]), axis=-1)
    return float(np.abs(pixels(measured.calibration, grid.reshape(-1, 3)) - pixels(TRUTH, grid.reshape(-1, 3))).max())


@pytest.mark.parametrize("seed", range(10**9, 10**9 + 3))
def test_exact_corners_give_the_exact_camera_and_every_pose(seed: int) -> None:
    measured = measure(detections(seed), *SIZE)
    assert measured.refused == ()
    assert measured.error < 1e-3
    assert miss(measured) < 0.01
    assert measured.calibration.frame == OPTICAL
    for image, pose in zip(measured.used, poses(seed), strict=True):
        metres, degrees = apart(image.pose, pose)
        assert metres < 1e-5
        assert degrees < 1e-3


def test_stated_deviations_are_those_of_many_measurements() -> None:
    found = [measure(detections(10**9 + 100 * trial, noise=0.1), *SIZE) for trial in range(12)]
    misses = [
        (getattr(one.calibration, name) - getattr(TRUTH, name)) / deviation
        for one in found
        for name, deviation in one.deviations.items()
    ]
    assert len(misses) == 4 * 12
    assert 0.7 < np.sqrt(np.mean(np.square(misses))) < 1.4


def test_an_image_that_does_not_agree_is_named_and_left_out() -> None:
    found = detections(10**9, noise=0.05)
    # A rolling shutter before a board that moves: each row is later, and so further on.
    found[3] = moved(found[3], np.outer(found[3].pixels[:, 1], (0.02, 0.0)))
    found[11] = moved(found[11], np.outer(np.sin(np.arange(len(found[11].pixels))), (1.0, 1.0)))
    measured = measure(found, *SIZE)
    assert sorted(image.detection.name for image in measured.refused) == ["03", "11"]
    assert min(image.error for image in measured.refused) > 3 * measured.error
    assert measured.error < 0.1
    assert miss(measured) < 0.5


def test_few_images_are_refused_and_those_that_others_refuse_do_not_count() -> None:
    code, text = refused(detections(10**9, count=IMAGES_LEAST - 1))
    assert (code, text) == (
        "E922",
        f"{IMAGES_LEAST} images that show the board are needed, and there are {IMAGES_LEAST - 1}",
    )
    found = detections(10**9, noise=0.05, count=IMAGES_LEAST)
    found[2] = moved(found[2], np.outer(np.sin(np.arange(len(found[2].pixels))), (4.0, 4.0)))
    code, text = refused(found)
    assert code == "E922"
    assert "and there are 5 without 02" in text


def test_boards_that_are_parallel_to_each_other_are_refused_however_they_are_turned_and_moved() -> None:
    rng = np.random.default_rng(10**9)
    tilted, _ = cv2.Rodrigues(np.radians((25.0, 0.0, 0.0)))
    alike = []
    for number in range(12):
        pose = np.eye(4)
        pose[:3, :3] = tilted @ np.diag([1.0, -1.0, -1.0]) @ rotation_about_z(rng.uniform(-3, 3))
        middle = np.array([*rng.uniform((-0.1, -0.06), (0.1, 0.06)), rng.uniform(0.3, 0.6)])
        pose[:3, 3] = middle - pose[:3, :3] @ (*np.array(BOARD.size) / 2, 0.0)
        alike.append(detection(f"{number:02d}", pose, noise=0.1, seed=number))
    assert tilt(alike) < 20.0
    code, text = refused(alike)
    assert code == "E923"
    assert "is tilted alike in all images" in text
    assert tilt(detections(10**9)) > 45.0


def rotation_about_z(angle: float) -> Vector:
    return rotation(np.array([0.0, 0.0, np.sin(angle / 2), np.cos(angle / 2)]))


def test_images_that_leave_the_focal_length_open_are_refused() -> None:
    # Four times as far away the board is small, and its perspective drowns in noise.
    far = []
    for number, pose in enumerate(poses(10**9)):
        pose[:3, 3] *= 4
        far.append(detection(f"{number:02d}", pose, noise=0.5, seed=number))
    code, text = refused([one for one in far if len(one.points) > 7])
    assert code == "E923"
    assert "leave the focal length open by" in text


def test_a_board_that_is_not_the_stated_one_is_refused() -> None:
    # Its squares are not square: a printer that stretches by a fifth, which no camera explains from every side.
    crumpled = [replace(one, points=one.points * (1.2, 1.0, 1.0)) for one in detections(10**9)]
    code, text = refused(crumpled)
    assert code == "E923"
    assert "px is no calibration" in text or "no camera explains" in text


def test_a_camera_stands_where_a_board_of_known_place_says() -> None:
    measured = measure(detections(10**9, noise=0.05), *SIZE)
    board = transform((0.4, -0.1, 0.02), (0.0, 0.0, 0.7))
    true = board @ np.linalg.inv(poses(10**9)[4])
    camera = place(measured.calibration, measured.used[4], board)
    assert camera.frame == BASE
    found = np.eye(4)
    found[:3, :3], found[:3, 3] = rotation(np.array(camera.orientation)), camera.position
    metres, degrees = apart(found, true)
    assert metres < 0.002
    assert degrees < 0.2
    assert np.allclose(camera.info().matrix, measured.calibration.matrix)


def test_a_board_is_located_before_a_camera_that_is_known() -> None:
    for image, pose in zip(detections(10**9), poses(10**9), strict=True):
        metres, degrees = apart(locate(image, TRUTH).pose, pose)
        assert metres < 1e-5
        assert degrees < 1e-3


def test_the_lens_of_these_tests_is_the_one_that_opencv_and_ros_mean() -> None:
    points = np.random.default_rng(10**9).uniform((-0.3, -0.2, 0.5), (0.3, 0.2, 1.0), (50, 3))
    theirs, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), TRUTH.matrix, np.array(TRUTH.distortion))
    assert np.allclose(pixels(TRUTH, points), theirs.reshape(-1, 2))
    assert np.allclose(bent(np.array([0.1]), np.array([0.2]), (0.0,) * 5), ([0.1], [0.2]))


def test_the_covered_share_is_what_lies_between_corners_and_what_is_missing_has_a_name() -> None:
    square = np.array([(0.0, 0.0), (49.0, 0.0), (49.0, 59.0), (0.0, 59.0)])
    left = Coverage.of([BoardDetection("left", np.zeros((4, 3)), square)], 100, 60)
    assert left.share == pytest.approx(0.5)
    assert left.missing == ("top right", "right", "bottom right")
    both = Coverage.of(
        [BoardDetection(name, np.zeros((4, 3)), np.add(square, (x, 0))) for name, x in (("l", 0), ("r", 50))], 100, 60
    )
    assert both.share == 1.0
    assert both.missing == ()
