"""The detector: its geometry is exact, its answers do not depend on chance, and it sees what is on the table."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.clock import Time
from embodied.geometry import quaternion
from embodied.messages import CameraInfo, Depth, Image
from policies.perception.detector import COLUMNS, HEIGHT, LABELS, ROWS, WIDTH, Detector, quarter_turn, read_heads
from policies.perception.pinhole import Pinhole

ROOT = Path(__file__).parents[3]
DOWN = np.array([[0.0, -1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])  # forward is up in the image


def overhead() -> CameraInfo:
    matrix = np.array([[380.0, 0.0, 160.0], [0.0, 380.0, 119.0], [0.0, 0.0, 1.0]])
    position = np.array([0.44, 0.0, 0.8])
    return CameraInfo(
        width=WIDTH, height=HEIGHT, matrix=matrix, position=position, orientation=quaternion(DOWN), frame="base"
    )


@pytest.fixture(scope="module")
def detector() -> Detector:
    node = Detector()
    assert list(node.check()) == []
    node.open()
    return node


@given(st.floats(0.2, 0.7), st.floats(-0.3, 0.3), st.floats(0.0, 0.3))
def test_a_point_is_found_again_from_its_pixel_by_depth_and_by_height(x: float, y: float, z: float) -> None:
    camera = Pinhole(overhead())
    point = np.array([[x, y, z]])
    pixel = camera.project(point)
    np.testing.assert_allclose(camera.at_depth(pixel, np.array([0.8 - z])), point, atol=1e-9)
    np.testing.assert_allclose(camera.at_height(pixel, np.array([z])), point, atol=1e-9)


@given(st.floats(-20, 20))
def test_a_quarter_turn_more_is_the_same_yaw_and_the_nearest_to_0_is_given(angle: float) -> None:
    (one,), (more,) = quarter_turn(np.array([angle])), quarter_turn(np.array([angle + np.pi / 2]))
    assert abs(one) <= np.pi / 4 + 1e-9
    assert abs(np.sin(2 * (one - more))) < 1e-6


def test_peaks_are_read_with_the_surest_first_and_below_a_pixel() -> None:
    peaks = np.zeros((len(LABELS), ROWS, COLUMNS), np.float32)
    geometry = np.zeros((4, ROWS, COLUMNS), np.float32)
    peaks[2, 10, 20], peaks[0, 30, 40], peaks[1, 5, 5] = 0.6, 0.9, 0.1
    geometry[:, 30, 40] = 0.25, -0.5, np.sin(4 * 0.3), np.cos(4 * 0.3)
    kinds, scores, pixels, angles = read_heads(peaks, geometry, 0.4)
    assert kinds.tolist() == [0, 2]
    np.testing.assert_allclose(scores, [0.9, 0.6], rtol=1e-6)
    np.testing.assert_allclose(pixels, [[40.25 * 4 + 1.5, 29.5 * 4 + 1.5], [20 * 4 + 1.5, 10 * 4 + 1.5]])
    np.testing.assert_allclose(angles, [0.3, 0.0], atol=1e-6)


def test_an_empty_table_gives_an_empty_list(detector: Detector) -> None:
    image = Image(data=np.full((HEIGHT, WIDTH, 3), 120, np.uint8), acquired=Time(7))
    depth = Depth(data=np.full((HEIGHT, WIDTH), 0.8, np.float32), acquired=Time(7))
    seen = detector.step(image, depth, overhead())
    assert seen.labels == ()
    assert seen.position.shape == (0, 3)
    assert seen.acquired == 7


def test_an_image_of_another_size_is_refused_with_both_sizes(detector: Detector) -> None:
    image = Image(data=np.zeros((480, 640, 3), np.uint8), acquired=Time(0))
    depth = Depth(data=np.zeros((480, 640), np.float32), acquired=Time(0))
    with pytest.raises(
        ValueError, match=r"images must have 240 rows of 320 pixels, got image \(480, 640\) and depth \(480, 640\)"
    ):
        detector.step(image, depth, overhead())
    with pytest.raises(ValueError, match=r"images must have 240 rows of 320 pixels, got image \(480, 640\)$"):
        detector.step(image, None, overhead())


def test_its_ports_fix_the_size_of_the_image_so_that_check_finds_another() -> None:
    inputs = Detector().ports().inputs
    assert inputs["image"].refined.sizes == inputs["depth"].refined.sizes == {"h": HEIGHT, "w": WIDTH}


def test_impossible_settings_are_refused() -> None:
    (problem,) = Detector(threshold=1.5).check()
    assert problem == "threshold must be in (0, 1), got 1.5"
    (problem,) = Detector(block=-0.04).check()
    assert problem == "block must be in (0, 1) m, got -0.04"
    (problem,) = Detector(tallest=0.0).check()
    assert problem == "tallest must be above 0 m and finite, got 0.0"


def rendered(robots: tuple[str, ...], seeds: tuple[int, int], images: int) -> Any:
    if importlib.util.find_spec("pybullet") is None:
        pytest.skip("pybullet, which renders the scenes, is not installed")
    from policies.training.blocks.render import open_stages, render

    fragments = [ROOT / "launch" / "robots" / f"{name}.yaml" for name in robots]
    return render(open_stages("sims.tabletop:Tabletop", fragments), seeds, images)


@pytest.fixture(scope="module")
def renders() -> Any:
    return rendered(("panda", "xarm6"), (2000, 2006), 3)


def test_blocks_on_unseen_tables_are_found_within_5_mm(detector: Detector, renders: Any) -> None:
    from policies.training.blocks.score import score

    scores = score(detector, renders)
    assert scores["blocks"] >= 50
    assert scores["block_recall_percent"] >= 97
    assert scores["position_error_p95_mm"] <= 5
    assert scores["yaw_error_p95_deg"] <= 5
    assert scores["false_detections_per_100_images"] <= 10


def test_on_a_smaller_table_under_a_lower_camera_smaller_blocks_are_found_as_well() -> None:
    from policies.training.blocks.score import score

    node = Detector(block=0.025, tallest=0.05)
    node.open()
    scores = score(node, rendered(("so101",), (2000, 2012), 1))
    assert scores["blocks"] >= 44
    assert scores["block_recall_percent"] >= 97
    assert scores["position_error_p95_mm"] <= 3
    assert scores["yaw_error_p95_deg"] <= 5
    assert scores["false_detections_per_100_images"] <= 10


def test_without_depth_blocks_that_stand_on_the_table_are_found_within_5_mm(detector: Detector, renders: Any) -> None:
    from policies.training.blocks.score import score

    scores = score(detector, renders, flat=True)
    assert scores["blocks"] >= 40
    assert scores["block_recall_percent"] >= 97
    assert scores["position_error_p95_mm"] <= 5
    assert scores["yaw_error_p95_deg"] <= 5


def test_without_depth_everything_is_taken_to_stand_on_the_table_as_tall_as_a_block(
    detector: Detector, renders: Any
) -> None:
    seen = detector.step(Image(data=renders.rgb[0], acquired=Time(0)), None, overhead())
    assert len(seen.labels) > 0
    np.testing.assert_allclose(seen.position[:, 2], detector.block / 2, atol=1e-9)


def test_the_same_image_gives_the_same_bytes(detector: Detector, renders: Any) -> None:
    image = Image(data=renders.rgb[0], acquired=Time(0))
    depth = Depth(data=renders.depth[0], acquired=Time(0))
    one, other = detector.step(image, depth, overhead()), detector.step(image, depth, overhead())
    assert one.labels == other.labels
    assert one.position.tobytes() == other.position.tobytes()
