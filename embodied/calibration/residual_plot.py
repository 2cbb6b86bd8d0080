"""Plot of a calibration: detected corners with their residuals, magnified, and the error of each image."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.calibration.coverage import Coverage
from embodied.calibration.solve import CameraFit, ImageFit, rms

WIDTH = 960
"""Width of the plot [px]."""

RESIDUAL_LENGTH = 24
"""Length at which a residual of the average size is drawn [px]."""

EDGE = 40
"""Margin around the plot [px]."""

ROW = 18
"""Height of the bar of one image [px]."""

BARS_MOST = 60
"""Largest number of bars; of more images, those with the largest errors are drawn."""

INK = (40, 40, 40)
"""Colour of text and frames, RGB."""

COVERED = (226, 236, 246)
"""Colour of the covered area, RGB."""

CORNER = (130, 150, 170)
"""Colour of corners, RGB."""

USED = (30, 110, 190)
"""Colour of images that were used, RGB."""

REFUSED = (200, 50, 40)
"""Colour of images that were refused, RGB."""

Picture = NDArray[np.uint8]
"""RGB image, shape (h, w, 3)."""


def drawing(measured: CameraFit, coverage: Coverage) -> Picture:
    """Plot corners of a board with magnified residuals in the image area, above a bar for the error of each image.

    Args:
        measured: the calibration with its residuals.
        coverage: of the image by the board.

    Returns:
        an RGB image, shape (h, w, 3).
    """
    camera = measured.calibration
    scale = (WIDTH - 2 * EDGE) / camera.width
    tall = round(camera.height * scale)
    seen = sorted((*measured.used, *measured.refused), key=lambda image: image.error, reverse=True)
    sheet = np.full((tall + 3 * EDGE + ROW * (min(len(seen), BARS_MOST) + 1), WIDTH, 3), 255, np.uint8)
    area = sheet[EDGE : EDGE + tall, EDGE : WIDTH - EDGE]
    covered = cv2.resize(coverage.mask.astype(np.uint8), (area.shape[1], tall), interpolation=cv2.INTER_NEAREST)
    area[covered > 0] = COVERED
    cv2.rectangle(sheet, (EDGE, EDGE), (WIDTH - EDGE, EDGE + tall), INK, 1)
    magnified = RESIDUAL_LENGTH / max(rms(measured.used), 1e-6)
    for image in seen:
        _corners(sheet, image, scale, magnified, REFUSED if image in measured.refused else USED)
    _text(sheet, f"lines are residuals, {magnified / scale:.0f} times as long; shaded is what the board covered", 24)
    _bars(sheet[tall + 2 * EDGE :], seen[:BARS_MOST], measured)
    return sheet


def _corners(sheet: Picture, image: ImageFit, scale: float, magnified: float, colour: tuple[int, int, int]) -> None:
    # OpenCV draws in sixteenths of a pixel.
    starts = (image.detection.pixels - image.residuals + 0.5) * scale + EDGE
    # Residuals of refused images would cross the whole sheet.
    lengths = np.linalg.norm(image.residuals, axis=1, keepdims=True) * magnified
    ends = starts + image.residuals * magnified * np.minimum(1.0, 4 * RESIDUAL_LENGTH / np.maximum(lengths, 1e-9))
    for start, end in zip(np.rint(16 * starts).astype(int), np.rint(16 * ends).astype(int), strict=True):
        cv2.circle(sheet, start.tolist(), 32, CORNER, -1, cv2.LINE_AA, 4)
        cv2.line(sheet, start.tolist(), end.tolist(), colour, 1, cv2.LINE_AA, 4)


def _bars(sheet: Picture, seen: list[ImageFit], measured: CameraFit) -> None:
    _text(sheet, f"reprojection error of each image; {rms(measured.used):.3f} px over all that are used", 12)
    # A refused image may have a hundred times the error; the bars of the others must stay distinguishable.
    left, longest = 340, max(image.error for image in measured.used) * (2 if measured.refused else 1)
    for number, image in enumerate(seen):
        y = (number + 1) * ROW
        refused = image in measured.refused
        long = max(1, round((WIDTH - EDGE - 150 - left) * min(1.0, image.error / longest)))
        cv2.rectangle(sheet, (left, y + 3), (left + long, y + ROW - 3), REFUSED if refused else USED, -1)
        _text(sheet, image.detection.name[-38:], y + 13)
        _text(sheet, f"{image.error:.3f} px" + (" refused" if refused else ""), y + 13, left + long + 8)


def _text(sheet: Picture, text: str, y: int, x: int = EDGE) -> None:
    # OpenCV's fonts have ASCII alone.
    shown = text.encode("ascii", "replace").decode()
    cv2.putText(sheet, shown, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
