"""The board on paper: a picture that knows its size, so that it is printed as large as it is stated."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from embodied.calibration.board import Board, Grey

INCH = 0.0254  # [m]
SMALLEST = 16  # side of a square [px]: a marker's bits would be drawn unevenly
LARGEST = 20_000  # width of a sheet [px]

_HEADER = 33
"""A PNG begins with its signature and IHDR [B] (W3C, PNG Specification, third edition, 5.3 and 11.2)."""


def sheet(board: Board, dpi: float) -> tuple[Grey, int]:
    """The board with a white margin of half a square, in which stands what it is and where its frame lies.

    Args:
        board: to be printed.
        dpi: about how fine [px/inch]: a square has a whole number of pixels.

    Returns:
        the image, shape (h, w), and how many of its pixels are a metre.

    Raises:
        ValueError: it would be too coarse or too large.
    """
    pixels = round(board.square / INCH * dpi)
    if pixels < SMALLEST:
        raise ValueError(f"a square would have {pixels} px at {dpi:g} dpi, and {SMALLEST} are needed")
    if (max(board.columns, board.rows) + 1) * pixels > LARGEST:
        raise ValueError(f"at {dpi:g} dpi it would have more than {LARGEST} px; fewer are as good")
    margin = pixels // 2
    drawn = np.pad(board.picture(pixels), margin, constant_values=255)
    right, bottom = margin + board.columns * pixels, margin + board.rows * pixels
    scale = margin / 60
    millimetres = f"{1000 * board.square:g} mm, markers of {1000 * board.marker:g} mm"
    about = f"{board.columns}x{board.rows} squares of {millimetres}, {board.dictionary}"
    for text, x, y in (
        ("0", margin // 4, bottom + margin // 2),
        ("x", right - margin // 2, bottom + margin * 2 // 3),
        ("y", margin // 4, margin * 3 // 2),
        (about, 2 * margin, bottom + margin * 2 // 3),
    ):
        cv2.putText(drawn, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, scale, 0, max(1, round(2 * scale)), cv2.LINE_AA)
    return drawn, round(pixels / board.square)


def png(image: Grey, per_metre: int) -> bytes:
    """An image as PNG that states its size.

    Args:
        image: grey, shape (h, w).
        per_metre: how many of its pixels are a metre.
    """
    done, data = cv2.imencode(".png", image)
    if not done:
        raise ValueError("the image cannot be encoded")
    # pHYs: pixels per unit along x and y, and 1, which says that the unit is the metre.
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    encoded = data.tobytes()
    return encoded[:_HEADER] + framed + encoded[_HEADER:]
