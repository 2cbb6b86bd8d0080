"""Solution for intrinsics, distortion and pose of a camera, from images of a board.

Z. Zhang, A flexible new technique for camera calibration, IEEE PAMI 22, 2000; the least squares are OpenCV's.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import median
from typing import Any

import cv2
import numpy as np

from embodied.calibration.board import BoardDetection
from embodied.calibration.camera import Calibration
from embodied.errors import LaunchError, Problem
from embodied.messages import Vector

IMAGES_LEAST = 6
"""Smallest number of images with the board; three would determine the camera, but expose no outlier."""

TILT_LEAST = 25.0
"""Smallest difference in tilt of the board between two of the images [°]."""

OUTLIER_RATIO = 3.0
"""Ratio of an image's error to the median of all above which it is refused."""

OUTLIER_ERROR = 0.3
"""Error of an image below which it is never refused [px]."""

DEVIATION_MOST = 0.01
"""Largest standard deviation of a focal length, as a share of its length."""

ERROR_MOST = 1.0
"""Largest reprojection error of small images; a larger one means a board of other sizes than stated [px]."""

ERROR_SHARE_MOST = 0.001
"""Largest reprojection error of large images, as a share of the width."""


@dataclass(frozen=True, eq=False, slots=True)
class ImageFit:
    """Fit of one image in the solution for a camera.

    Attributes:
        detection: of the board in the image.
        pose: of the board in the camera's optical frame, shape (4, 4) [m].
        residuals: detected less expected position of each corner, shape (k, 2) [px].
    """

    detection: BoardDetection
    pose: Vector
    residuals: Vector

    @property
    def error(self) -> float:
        """Root mean square of the residuals [px]."""
        return rms([self])


@dataclass(frozen=True, eq=False, slots=True)
class CameraFit:
    """Solution for a camera, with the evidence for it.

    Attributes:
        calibration: in the camera's own frame, without a pose.
        deviations: standard deviations of fx, fy, cx and cy, by name [px].
        used: images that the calibration rests on.
        refused: images that do not agree with the others, and were left out.
    """

    calibration: Calibration
    deviations: dict[str, float]
    used: tuple[ImageFit, ...]
    refused: tuple[ImageFit, ...]

    @property
    def error(self) -> float:
        """Reprojection error over all corners of the used images, root mean square [px]."""
        return rms(self.used)


def rms(images: Iterable[ImageFit]) -> float:
    """Compute the reprojection error of a solution over all corners of some images, root mean square [px]."""
    residuals = np.concatenate([image.residuals for image in images])
    return float(np.sqrt((residuals**2).sum(axis=1).mean()))


def measure(detections: Sequence[BoardDetection], width: int, height: int) -> CameraFit:
    """Solve for the camera that took some images of a board.

    Args:
        detections: of the board, differently tilted, in every part of the image.
        width: of the images [px].
        height: of the images [px].

    Raises:
        LaunchError: the images are too few, too much alike, or do not agree with each other.
    """
    kept = list(detections)
    refused: list[BoardDetection] = []
    while True:
        _enough(kept, refused)
        calibration, deviations, poses = _least_squares(kept, width, height)
        used = tuple(
            ImageFit(detection, pose, _residuals(detection, pose, calibration))
            for detection, pose in zip(kept, poses, strict=True)
        )
        worst = max(used, key=lambda image: image.error)
        if worst.error <= max(OUTLIER_RATIO * median(image.error for image in used), OUTLIER_ERROR):
            break
        kept.remove(worst.detection)
        refused.append(worst.detection)
    measured = CameraFit(calibration, deviations, used, tuple(locate(detection, calibration) for detection in refused))
    _determined(measured)
    return measured


def locate(detection: BoardDetection, calibration: Calibration) -> ImageFit:
    """Solve for the pose of the board in the optical frame of a calibrated camera."""
    points, pixels = detection.points, detection.pixels
    lens = calibration.matrix, np.array(calibration.distortion)
    _, turn, shift = cv2.solvePnP(points, pixels, *lens, flags=cv2.SOLVEPNP_IPPE)
    turn, shift = cv2.solvePnPRefineLM(points, pixels, *lens, turn, shift)
    pose = _pose(turn, shift)
    return ImageFit(detection, pose, _residuals(detection, pose, calibration))


def place(calibration: Calibration, seen: ImageFit, board: Vector) -> Calibration:
    """Solve for the pose of a camera in the base frame, from a board with a known pose.

    Args:
        calibration: of the camera.
        seen: image of that board.
        board: pose of the board in the base frame, shape (4, 4) [m].
    """
    return calibration.at(board @ np.linalg.inv(seen.pose))


def _enough(kept: Sequence[BoardDetection], refused: Sequence[BoardDetection]) -> None:
    if len(kept) < IMAGES_LEAST:
        without = f" without {', '.join(detection.name for detection in refused)}" if refused else ""
        message = f"{IMAGES_LEAST} images that show the board are needed, and there {_are(len(kept))}{without}"
        raise _wrong("E922", message, "take more: 20, the board tilted differently in each, in every part of the image")
    found = tilt(kept)
    if found < TILT_LEAST:
        message = f"the board is tilted alike in all images, within {found:.0f}°: they determine no focal length"
        raise _wrong(
            "E923", message, "tilt the board by 20° to 45°, to every side; turning it in its own plane is no use"
        )


def tilt(detections: Sequence[BoardDetection]) -> float:
    """Compute the largest difference in tilt of the board between two images of a solution [°].

    The vanishing line of a plane is K^-T n, with K the intrinsics and n the plane's normal: so even a guess of K
    distinguishes parallel boards from others.
    """
    pixels = np.concatenate([detection.pixels for detection in detections])
    middle, focal = pixels.mean(axis=0), float(np.ptp(pixels, axis=0).max()) or 1.0
    normals = []
    for detection in detections:
        homography, _ = cv2.findHomography(detection.points[:, :2], (detection.pixels - middle) / focal)
        if homography is not None:
            normal = np.cross(homography[:, 0], homography[:, 1])
            normals.append(normal / np.linalg.norm(normal))
    cosines = [abs(float(one @ other)) for one, other in combinations(normals, 2)]
    return float(np.degrees(np.arccos(min([1.0, *cosines]))))


def _least_squares(
    detections: Sequence[BoardDetection], width: int, height: int
) -> tuple[Calibration, dict[str, float], list[Vector]]:
    points = [detection.points.astype(np.float32) for detection in detections]
    pixels = [detection.pixels.astype(np.float32) for detection in detections]
    try:
        _, matrix, distortion, turns, shifts, deviations, _, _ = cv2.calibrateCameraExtended(
            points, pixels, (width, height), np.eye(3), np.zeros(5)
        )
        k1, k2, p1, p2, k3 = distortion.ravel()[:5].tolist()
        calibration = Calibration(
            width=width,
            height=height,
            fx=float(matrix[0, 0]),
            fy=float(matrix[1, 1]),
            cx=float(matrix[0, 2]),
            cy=float(matrix[1, 2]),
            distortion=(k1, k2, p1, p2, k3),
        )
    except (cv2.error, ValueError) as error:
        reason = error.err if isinstance(error, cv2.error) else str(error)
        raise _wrong("E923", f"no camera explains these images: {reason}", *_ADVICE) from None
    names = ("fx", "fy", "cx", "cy")
    spread = dict(zip(names, deviations.ravel()[:4].tolist(), strict=True))
    return calibration, spread, [_pose(turn, shift) for turn, shift in zip(turns, shifts, strict=True)]


def _determined(measured: CameraFit) -> None:
    camera = measured.calibration
    spread = max(measured.deviations["fx"] / camera.fx, measured.deviations["fy"] / camera.fy)
    if not spread <= DEVIATION_MOST:
        message = f"the images leave the focal length open by {spread:.1%}"
        raise _wrong("E923", message, "take more of them, with the board nearer, and tilted more and differently")
    limit = max(ERROR_MOST, ERROR_SHARE_MOST * camera.width)
    if not measured.error <= limit:
        message = f"the reprojection error is {measured.error:.2f} px, and more than {limit:.2f} px is no calibration"
        raise _wrong("E923", message, *_ADVICE)


_ADVICE = (
    "is the board flat, and is it the one that --squares and --marker state?",
    "hold it still, and have focus and zoom fixed",
)


def _residuals(detection: BoardDetection, pose: Vector, calibration: Calibration) -> Vector:
    turn, _ = cv2.Rodrigues(pose[:3, :3])
    expected, _ = cv2.projectPoints(
        detection.points, turn, pose[:3, 3], calibration.matrix, np.array(calibration.distortion)
    )
    residuals: Vector = detection.pixels - expected.reshape(-1, 2)
    return residuals


def _pose(turn: Any, shift: Any) -> Vector:
    pose: Vector = np.eye(4)
    pose[:3, :3], _ = cv2.Rodrigues(turn)
    pose[:3, 3] = shift.ravel()
    return pose


def _are(count: int) -> str:
    return f"is {count}" if count == 1 else f"are {count}"


def _wrong(code: str, message: str, *help_: str) -> LaunchError:
    return LaunchError([Problem(code, message, help=help_)])
