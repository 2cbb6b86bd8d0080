"""Pictures of a run for people: one image, or a strip of moments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from embodied.scenario import Picture

COLUMNS = 4

FRAMES = 12
"""How many pictures a filmstrip has."""


def spread(pictures: Sequence[tuple[float, Picture]]) -> list[tuple[float, Picture]]:
    """At most as many of them as a filmstrip has, evenly spread, with the first and the last."""
    count = min(FRAMES, len(pictures))
    return [pictures[round(i * (len(pictures) - 1) / max(1, count - 1))] for i in range(count)]


def save(picture: Picture, file: Path) -> None:
    """Write an RGB image of shape (h, w, 3) as a PNG.

    Raises:
        OSError: the file cannot be written.
    """
    import cv2

    done, data = cv2.imencode(".png", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    if not done:
        raise OSError(f"cannot encode {file}")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(data.tobytes())


def strip(pictures: Sequence[tuple[float, Picture]], title: str) -> Picture:
    """Moments side by side, each with its time, under a title.

    Args:
        pictures: (time [s], RGB image); all of one size, at least one.
        title: a line above them.

    Returns:
        an RGB image.
    """
    import cv2

    height, width = pictures[0][1].shape[:2]
    half = (width // 2, height // 2)
    columns = min(COLUMNS, len(pictures))
    rows = -(-len(pictures) // columns)
    top = 28
    sheet = np.full((top + rows * half[1], columns * half[0], 3), 255, np.uint8)
    font = cv2.FONT_HERSHEY_SIMPLEX
    # The letters of OpenCV's fonts end at ASCII; a title wider than the sheet is cut, not shrunk.
    text = title.encode("ascii", "replace").decode()
    cv2.putText(sheet, text, (8, 19), font, 0.45, (20, 20, 20), 1, cv2.LINE_AA)
    for index, (at, picture) in enumerate(pictures):
        row, column = divmod(index, columns)
        small = cv2.resize(picture, half, interpolation=cv2.INTER_AREA)
        cv2.rectangle(small, (0, 0), (72, 24), (40, 40, 40), -1)
        cv2.putText(small, f"{at:.2f} s", (6, 17), font, 0.5, (255, 255, 255), 1, cv2.LINE_AA)
        y, x = top + row * half[1], column * half[0]
        sheet[y : y + half[1], x : x + half[0]] = small
    return sheet
