"""Printable sheet of a board: a PNG that states its physical size, so that it is printed to scale."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np

from embodied.calibration.board import Board, Grey

INCH = 0.0254
"""One inch [m]."""

SQUARE_LEAST = 16
"""Smallest side of a square: below, a marker's bits would be drawn unevenly [px]."""

SHEET_MOST = 20_000
"""Largest side of a sheet [px]."""

_HEADER = 33
"""Length of a PNG's signature and IHDR [B] (W3C, PNG Specification, third edition, 5.3 and 11.2)."""


def sheet(board: Board, dpi: float) -> tuple[Grey, int]:
    """Draw a board as a sheet with a white margin of half a square, which states its sizes and the axes of its frame.

    Args:
        board: to be printed.
        dpi: approximate resolution, since a square has a whole number of pixels [px/inch].

    Returns:
        the image, shape (h, w), and its resolution [px/m].

    Raises:
        ValueError: the sheet would be too coarse or too large.
    """
    pixels = round(board.square / INCH * dpi)
    if pixels < SQUARE_LEAST:
        raise ValueError(f"a square must have at least {SQUARE_LEAST} px, got {pixels} at {dpi:g} dpi")
    if (max(board.columns, board.rows) + 1) * pixels > SHEET_MOST:
        raise ValueError(f"the sheet must have at most {SHEET_MOST} px, got more at {dpi:g} dpi")
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
    """Encode a printable sheet as PNG that states its physical size.

    Args:
        image: greyscale, shape (h, w).
        per_metre: resolution [px/m].
    """
    done, data = cv2.imencode(".png", image)
    if not done:
        raise ValueError("the image cannot be encoded")
    # pHYs: pixels per unit along x and y, then 1 for the metre as the unit.
    chunk = b"pHYs" + struct.pack(">IIB", per_metre, per_metre, 1)
    framed = struct.pack(">I", len(chunk) - 4) + chunk + struct.pack(">I", zlib.crc32(chunk))
    encoded = data.tobytes()
    return encoded[:_HEADER] + framed + encoded[_HEADER:]
