"""A lens that bends lines: rectified, what is seen where is what `info` says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from drivers.uvc import Camera
from drivers.uvc.rectify import Rectify
from embodied.calibration import OPTICAL, Calibration
from embodied.clock import Time
from embodied.errors import LaunchError
from embodied.geometry import BASE
from embodied.graph.graph import Graph
from policies.perception.detector import Detector

CALIBRATION = Calibration(
    width=320,
    height=240,
    fx=300.0,
    fy=300.0,
    cx=161.0,
    cy=118.0,
    distortion=(-0.25, 0.06, 0.001, -0.002, 0.0),
    position=(0.4, 0.0, 0.8),
    orientation=(1.0, 0.0, 0.0, 0.0),
    frame=BASE,
)


def test_a_point_is_seen_where_a_pinhole_sees_it() -> None:
    points = np.array([(x, y, 1.0) for x in (-0.4, -0.1, 0.3) for y in (-0.3, 0.0, 0.25)])
    bent, _ = cv2.projectPoints(points, np.zeros(3), np.zeros(3), CALIBRATION.matrix, np.array(CALIBRATION.distortion))
    v, u = np.mgrid[:240, :320]
    picture = np.zeros((240, 320, 3), np.uint8)
    for x, y in bent.reshape(-1, 2):
        spot = 250 * np.exp(-((u - x) ** 2 + (v - y) ** 2) / 8)
        picture = np.maximum(picture, spot[:, :, None]).astype(np.uint8)
    straight = Rectify(CALIBRATION)(picture)[:, :, 0].astype(np.float64)
    for point in points @ CALIBRATION.matrix.T:
        near = straight * ((u - point[0]) ** 2 + (v - point[1]) ** 2 < 64)
        middle = np.array([(near * u).sum(), (near * v).sum()]) / near.sum()
        np.testing.assert_allclose(middle, point[:2], atol=0.15)


def test_a_calibration_of_other_images_is_refused() -> None:
    (problem,) = Camera(source=0, width=640, height=480, calibration=CALIBRATION).check()
    assert problem == "calibration must be for images of 640×480, got 320×240"


def test_a_calibration_of_a_camera_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="fx must be above 0 px"):
        replace(CALIBRATION, fx=0)
    with pytest.raises(ValueError, match="quaternion of length 1"):
        replace(CALIBRATION, orientation=(1.0, 1.0, 0.0, 0.0))


def test_a_straightened_picture_comes_with_the_pinhole_that_it_would_be_taken_by(tmp_path: Path) -> None:
    path = tmp_path / "film.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20, (320, 240))
    writer.write(np.full((240, 320, 3), 200, np.uint8))
    writer.release()
    pincushion = replace(CALIBRATION, distortion=(0.25, 0.0, 0.0, 0.0, 0.0))
    camera = Camera(source=str(path), width=320, height=240, calibration=pincushion)
    camera.open()
    try:
        output = camera.step(Time(0))
    finally:
        camera.close()
    assert output.rgb is not None
    assert output.info is not None
    assert output.rgb.data[0, 0].max() < 10, "what lies outside the given picture is black"
    assert output.rgb.data[118, 161].min() > 190
    np.testing.assert_array_equal(output.info.matrix, CALIBRATION.matrix)
    assert output.info.frame == camera.ports().outputs["info"].refined.frame == "base"


def test_a_graph_that_takes_info_is_not_run_without_a_calibration() -> None:
    camera = Camera(source=0)
    camera.listened = frozenset({"info"})
    with pytest.raises(LaunchError, match=r"needs the setting 'calibration'.*\n.*embodied calibrate camera"):
        camera.open()


def test_a_camera_of_unknown_place_is_not_wired_to_what_needs_the_robots_base() -> None:
    def wired(frame: str) -> Graph:
        camera = Camera(source=0, width=320, height=240, calibration=replace(CALIBRATION, frame=frame))
        graph = Graph().add("camera", camera)
        return graph.add("detector", Detector(), image="camera.rgb", info="camera.info")

    wired(BASE).check()
    with pytest.raises(LaunchError) as caught:
        wired(OPTICAL).check()
    (problem,) = caught.value.problems
    assert "'camera_optical'" in problem.message
    assert "'base'" in problem.message
