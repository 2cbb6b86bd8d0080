"""A calibration as a picture for people: where corners were found, by how much they miss, and in which images."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied.calibration.coverage import Coverage
from embodied.calibration.solve import Measured, Seen, rms

WIDTH = 960  # of the picture [px]
REACH = 24  # an error of one median image is drawn so long [px]
EDGE = 40  # [px]
ROW = 18  # height of the bar of one image [px]
MOST = 60
"""Bars of more images are not drawn: the worst are."""

INK, COVERED, CORNER, GOOD, BAD = (40, 40, 40), (226, 236, 246), (130, 150, 170), (30, 110, 190), (200, 50, 40)

Picture = NDArray[np.uint8]


def drawing(measured: Measured, coverage: Coverage) -> Picture:
    """The image's area with corners and their errors, magnified, above a bar for each image; RGB, shape (h, w, 3)."""
    camera = measured.calibration
    scale = (WIDTH - 2 * EDGE) / camera.width
    tall = round(camera.height * scale)
    seen = sorted((*measured.used, *measured.refused), key=lambda image: image.error, reverse=True)
    sheet = np.full((tall + 3 * EDGE + ROW * (min(len(seen), MOST) + 1), WIDTH, 3), 255, np.uint8)
    area = sheet[EDGE : EDGE + tall, EDGE : WIDTH - EDGE]
    covered = cv2.resize(coverage.mask.astype(np.uint8), (area.shape[1], tall), interpolation=cv2.INTER_NEAREST)
    area[covered > 0] = COVERED
    cv2.rectangle(sheet, (EDGE, EDGE), (WIDTH - EDGE, EDGE + tall), INK, 1)
    magnified = REACH / max(rms(measured.used), 1e-6)
    for image in seen:
        _corners(sheet, image, scale, magnified, BAD if image in measured.refused else GOOD)
    _text(sheet, f"lines are residuals, {magnified / scale:.0f} times as long; shaded is what the board covered", 24)
    _bars(sheet[tall + 2 * EDGE :], seen[:MOST], measured)
    return sheet


def _corners(sheet: Picture, image: Seen, scale: float, magnified: float, colour: tuple[int, int, int]) -> None:
    # Drawn in sixteenths of a pixel.
    starts = (image.sighting.pixels - image.residuals + 0.5) * scale + EDGE
    # What is refused would cross the whole sheet.
    lengths = np.linalg.norm(image.residuals, axis=1, keepdims=True) * magnified
    ends = starts + image.residuals * magnified * np.minimum(1.0, 4 * REACH / np.maximum(lengths, 1e-9))
    for start, end in zip(np.rint(16 * starts).astype(int), np.rint(16 * ends).astype(int), strict=True):
        cv2.circle(sheet, start.tolist(), 32, CORNER, -1, cv2.LINE_AA, 4)
        cv2.line(sheet, start.tolist(), end.tolist(), colour, 1, cv2.LINE_AA, 4)


def _bars(sheet: Picture, seen: list[Seen], measured: Measured) -> None:
    _text(sheet, f"reprojection error of each image; {rms(measured.used):.3f} px over all that are used", 12)
    # What is refused may be a hundred times as far off, and the others are to be told from each other.
    left, longest = 340, max(image.error for image in measured.used) * (2 if measured.refused else 1)
    for number, image in enumerate(seen):
        y = (number + 1) * ROW
        refused = image in measured.refused
        long = max(1, round((WIDTH - EDGE - 150 - left) * min(1.0, image.error / longest)))
        cv2.rectangle(sheet, (left, y + 3), (left + long, y + ROW - 3), BAD if refused else GOOD, -1)
        _text(sheet, image.sighting.name[-38:], y + 13)
        _text(sheet, f"{image.error:.3f} px" + (" refused" if refused else ""), y + 13, left + long + 8)


def _text(sheet: Picture, text: str, y: int, x: int = EDGE) -> None:
    # The letters of OpenCV's fonts end at ASCII.
    shown = text.encode("ascii", "replace").decode()
    cv2.putText(sheet, shown, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.42, INK, 1, cv2.LINE_AA)
