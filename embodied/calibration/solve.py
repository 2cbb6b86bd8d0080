"""Intrinsics, distortion and place of a camera from images of a board.

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

from embodied.calibration.board import Sighting
from embodied.calibration.camera import Calibration
from embodied.errors import LaunchError, Problem
from embodied.messages import Vector

FEWEST = 6
"""Images in which the board is found. Three would do for the equations, and none of them could then be wrong."""

TILT = 25.0
"""By so much the board must be tilted differently in two of the images [°]."""

OUTLIER, FLOOR = 3.0, 0.3
"""An image is refused whose error is so many times the median of all, and above so many pixels."""

LOOSE = 0.01
"""A focal length with a larger standard deviation, of its own length, has not been measured."""

FIT = 1.0, 0.001
"""A larger reprojection error [px; share of the image's width] says that the board is not the one that was stated."""


@dataclass(frozen=True, eq=False, slots=True)
class Seen:
    """One image as the measured camera explains it.

    Attributes:
        sighting: what was found in it.
        pose: of the board in the camera's optical frame, shape (4, 4) [m].
        residuals: found less expected of each corner, shape (k, 2) [px].
    """

    sighting: Sighting
    pose: Vector
    residuals: Vector

    @property
    def error(self) -> float:
        """Root mean square of the residuals [px]."""
        return rms([self])


@dataclass(frozen=True, eq=False, slots=True)
class Measured:
    """What was measured.

    Attributes:
        calibration: in its own frame: nothing is known yet of where the camera is.
        deviations: standard deviations of fx, fy, cx and cy [px], by name.
        used: the images that it was measured with.
        refused: images that do not agree with the others, and were left out.
    """

    calibration: Calibration
    deviations: dict[str, float]
    used: tuple[Seen, ...]
    refused: tuple[Seen, ...]

    @property
    def error(self) -> float:
        """Reprojection error over all corners of the used images, root mean square [px]."""
        return rms(self.used)


def rms(images: Iterable[Seen]) -> float:
    """Reprojection error over all corners of some images [px]."""
    residuals = np.concatenate([image.residuals for image in images])
    return float(np.sqrt((residuals**2).sum(axis=1).mean()))


def measure(sightings: Sequence[Sighting], width: int, height: int) -> Measured:
    """The camera that took some images.

    Args:
        sightings: the board, differently tilted, in every part of the image.
        width: of the images [px].
        height: of the images [px].

    Raises:
        LaunchError: they are too few, too much alike, or do not agree with each other.
    """
    kept = list(sightings)
    refused: list[Sighting] = []
    while True:
        _enough(kept, refused)
        calibration, deviations, poses = _least_squares(kept, width, height)
        used = tuple(
            Seen(sighting, pose, _residuals(sighting, pose, calibration))
            for sighting, pose in zip(kept, poses, strict=True)
        )
        worst = max(used, key=lambda image: image.error)
        if worst.error <= max(OUTLIER * median(image.error for image in used), FLOOR):
            break
        kept.remove(worst.sighting)
        refused.append(worst.sighting)
    measured = Measured(calibration, deviations, used, tuple(locate(sighting, calibration) for sighting in refused))
    _determined(measured)
    return measured


def locate(sighting: Sighting, calibration: Calibration) -> Seen:
    """Where the board is before a camera that has been measured."""
    points, pixels = sighting.points, sighting.pixels
    lens = calibration.matrix, np.array(calibration.distortion)
    _, turn, shift = cv2.solvePnP(points, pixels, *lens, flags=cv2.SOLVEPNP_IPPE)
    turn, shift = cv2.solvePnPRefineLM(points, pixels, *lens, turn, shift)
    pose = _pose(turn, shift)
    return Seen(sighting, pose, _residuals(sighting, pose, calibration))


def place(calibration: Calibration, seen: Seen, board: Vector) -> Calibration:
    """The camera in the base frame, by a board of which that is known.

    Args:
        calibration: the camera.
        seen: the board before it.
        board: pose of the board in the base frame, shape (4, 4) [m].
    """
    return calibration.at(board @ np.linalg.inv(seen.pose))


def _enough(kept: Sequence[Sighting], refused: Sequence[Sighting]) -> None:
    if len(kept) < FEWEST:
        without = f" without {', '.join(sighting.name for sighting in refused)}" if refused else ""
        message = f"{FEWEST} images that show the board are needed, and there {_are(len(kept))}{without}"
        raise _wrong("E922", message, "take more: 20, the board tilted differently in each, in every part of the image")
    found = tilt(kept)
    if found < TILT:
        message = f"the board is tilted alike in all images, within {found:.0f}°: they determine no focal length"
        raise _wrong(
            "E923", message, "tilt the board by 20° to 45°, to every side; turning it in its own plane is no use"
        )


def tilt(sightings: Sequence[Sighting]) -> float:
    """By how much the board is tilted differently in two of the images, at most [°].

    The line at which a plane vanishes is K^-T n, with K the intrinsics and n the plane's normal: so a K that is only
    guessed tells parallel boards from others.
    """
    pixels = np.concatenate([sighting.pixels for sighting in sightings])
    middle, focal = pixels.mean(axis=0), float(np.ptp(pixels, axis=0).max()) or 1.0
    normals = []
    for sighting in sightings:
        homography, _ = cv2.findHomography(sighting.points[:, :2], (sighting.pixels - middle) / focal)
        if homography is not None:
            normal = np.cross(homography[:, 0], homography[:, 1])
            normals.append(normal / np.linalg.norm(normal))
    cosines = [abs(float(one @ other)) for one, other in combinations(normals, 2)]
    return float(np.degrees(np.arccos(min([1.0, *cosines]))))


def _least_squares(
    sightings: Sequence[Sighting], width: int, height: int
) -> tuple[Calibration, dict[str, float], list[Vector]]:
    points = [sighting.points.astype(np.float32) for sighting in sightings]
    pixels = [sighting.pixels.astype(np.float32) for sighting in sightings]
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


def _determined(measured: Measured) -> None:
    camera = measured.calibration
    spread = max(measured.deviations["fx"] / camera.fx, measured.deviations["fy"] / camera.fy)
    if not spread <= LOOSE:
        message = f"the images leave the focal length open by {spread:.1%}"
        raise _wrong("E923", message, "take more of them, with the board nearer, and tilted more and differently")
    limit = max(FIT[0], FIT[1] * camera.width)
    if not measured.error <= limit:
        message = f"the reprojection error is {measured.error:.2f} px, and more than {limit:.2f} px is no calibration"
        raise _wrong("E923", message, *_ADVICE)


_ADVICE = (
    "is the board flat, and is it the one that --squares and --marker state?",
    "hold it still, and have focus and zoom fixed",
)


def _residuals(sighting: Sighting, pose: Vector, calibration: Calibration) -> Vector:
    turn, _ = cv2.Rodrigues(pose[:3, :3])
    expected, _ = cv2.projectPoints(
        sighting.points, turn, pose[:3, 3], calibration.matrix, np.array(calibration.distortion)
    )
    residuals: Vector = sighting.pixels - expected.reshape(-1, 2)
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
