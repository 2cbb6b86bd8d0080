"""The board on paper and in images."""

from __future__ import annotations

import struct
from dataclasses import replace

import cv2
import numpy as np
import pytest

from embodied.calibration.board import CORNERS_LEAST, Board, BoardDetection
from embodied.calibration.print_sheet import png, sheet
from tests.embodied.calibration.rendered import BOARD


def found(image: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], board: Board = BOARD) -> BoardDetection:
    detection = board.find("it", image)
    assert detection is not None
    return detection


def test_the_sheet_shows_each_corner_where_the_frame_of_the_board_has_it() -> None:
    image, per_metre = sheet(BOARD, 100.0)
    detection = found(image)
    assert len(detection.points) == (BOARD.columns - 1) * (BOARD.rows - 1)
    # From the outer corner of the lower left square, x to the right and y up; pixel centres lie at whole numbers.
    side = round(per_metre * BOARD.square)
    x = side // 2 + per_metre * detection.points[:, 0] - 0.5
    y = side // 2 + per_metre * (BOARD.size[1] - detection.points[:, 1]) - 0.5
    assert np.abs(detection.pixels - np.stack([x, y], axis=1)).max() < 0.1
    assert not detection.points[:, 2].any()


def test_a_board_that_is_turned_or_half_hidden_is_never_taken_for_another_one() -> None:
    image, _ = sheet(BOARD, 100.0)
    whole = found(image)
    upside_down = found(np.ascontiguousarray(image[::-1, ::-1]))
    order = np.argsort(upside_down.points @ (1.0, 1000.0, 0.0)), np.argsort(whole.points @ (1.0, 1000.0, 0.0))
    turned = np.array(image.shape[::-1]) - 1 - upside_down.pixels[order[0]]
    assert np.abs(turned - whole.pixels[order[1]]).max() < 0.1
    half = image.copy()
    half[:, : image.shape[1] // 2] = 128
    part = found(half)
    assert CORNERS_LEAST <= len(part.points) < len(whole.points)
    expected = {tuple(point): pixel for point, pixel in zip(whole.points.tolist(), whole.pixels, strict=True)}
    for point, pixel in zip(part.points.tolist(), part.pixels, strict=True):
        assert np.abs(expected[tuple(point)] - pixel).max() < 0.1


def test_where_there_is_no_such_board_none_is_found() -> None:
    image, _ = sheet(BOARD, 100.0)
    noise = np.random.default_rng(10**9).integers(0, 256, image.shape, dtype=np.uint8)
    assert BOARD.find("noise", noise) is None
    assert BOARD.find("nothing", np.full_like(image, 255)) is None
    assert replace(BOARD, dictionary="6X6_50").find("other markers", image) is None
    strip = image.copy()
    strip[image.shape[0] * 3 // 8 :] = 255
    assert BOARD.find("one row of corners", strip) is None


@pytest.mark.parametrize("dpi", [72.0, 300.0, 431.0])
@pytest.mark.parametrize("square", [0.025, 0.0298])
def test_a_sheet_is_printed_as_large_as_it_is_stated(dpi: float, square: float) -> None:
    board = Board(9, 6, square, 0.75 * square)
    image, per_metre = sheet(board, dpi)
    data = png(image, per_metre)
    assert data.count(b"pHYs") == 1
    at = data.index(b"pHYs")
    assert at < data.index(b"IDAT")
    assert struct.unpack(">IIB", data[at + 4 : at + 13]) == (per_metre, per_metre, 1)
    side = round(square / 0.0254 * dpi)
    assert side / per_metre == pytest.approx(square, rel=1e-4)
    again = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    assert again is not None
    assert np.array_equal(again, image)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"columns": 2}, "columns must be in [3, 100] squares, got 2"),
        ({"square": 25.0}, "square must be in [0.001, 1] m, got 25.0"),
        ({"square": float("nan")}, "square must be in [0.001, 1] m, got nan"),
        ({"marker": 0.03}, "marker must be in [0.0075, 0.02375] m, got 0.03"),
        ({"dictionary": "4X4_51"}, "no markers are called 4X4_51; known: 4X4_100"),
        ({"columns": 20, "rows": 20}, "20x20 squares take 200 markers; 4X4_50 has 50"),
    ],
)
def test_a_board_that_cannot_be_is_refused(wrong: dict[str, float], says: str) -> None:
    with pytest.raises(ValueError, match=r"square|marker|columns") as caught:
        replace(BOARD, **wrong)  # type: ignore[arg-type]
    assert str(caught.value).startswith(says)


def test_a_sheet_too_coarse_or_too_large_is_refused() -> None:
    for dpi, says in ((10.0, "at least 16 px"), (5000.0, "at most 20000 px")):
        with pytest.raises(ValueError, match=says):
            sheet(BOARD, dpi)
