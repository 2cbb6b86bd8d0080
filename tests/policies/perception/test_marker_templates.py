from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from policies.perception.marker_templates import MARKER_SHARE, MARKERS, Templates

SIDE = 60  # of a drawn board [px]


def board(number: int, turns: int = 0) -> NDArray[np.uint8]:
    """A drawn board with a marker, turned against the clock."""
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    drawn = np.full((SIDE, SIDE), 235, np.uint8)
    edge = round(SIDE * MARKER_SHARE)
    margin = (SIDE - edge) // 2
    drawn[margin : margin + edge, margin : margin + edge] = cv2.aruco.generateImageMarker(dictionary, number, edge)
    return np.rot90(drawn, turns).copy()


def looked(prints: Templates, drawn: NDArray[np.uint8]) -> NDArray[np.float32]:
    """The brightness where the prints want it."""
    column = (prints.places[:, 0] + 1) / 2 * len(drawn) - 0.5
    row = (1 - prints.places[:, 1]) / 2 * len(drawn) - 0.5
    seen: NDArray[np.float32] = drawn[np.rint(row).astype(int), np.rint(column).astype(int)].astype(np.float32)
    return seen


def test_every_marker_is_read_in_each_of_its_four_turns() -> None:
    prints = Templates.markers()
    for number in range(MARKERS):
        for turns in range(4):
            reading = prints.match(looked(prints, board(number, turns)))
            assert (reading.name, reading.turns) == (f"marker{number}", turns)
            assert reading.score > 0.99
            assert reading.second < 0.9


@pytest.mark.parametrize(("contrast", "brightness"), [(0.2, 20.0), (0.9, 0.0), (0.5, 100.0)])
def test_light_does_not_matter(contrast: float, brightness: float) -> None:
    prints = Templates.markers()
    reading = prints.match(contrast * looked(prints, board(7)) + np.float32(brightness))
    assert reading.name == "marker7"
    assert reading.score > 0.99


def test_a_blank_board_is_like_none() -> None:
    prints = Templates.markers()
    assert prints.match(np.full(len(prints.places), 200.0, np.float32)).score < 0.1


def test_noise_is_like_none() -> None:
    rng = np.random.default_rng(0)
    for prints in (Templates.markers(), Templates.pad()):
        alike = [prints.match(rng.uniform(0, 255, len(prints.places)).astype(np.float32)).score for _ in range(200)]
        # A correlation of few cells strays far; `Markers` asks for more than this.
        assert max(alike) < 0.75


def test_the_h_of_a_pad_tells_a_quarter_turn_and_half_a_turn_is_the_same() -> None:
    prints = Templates.pad()
    upright = prints.match(looked(prints, PAD))
    turned = prints.match(looked(prints, np.rot90(PAD).copy()))
    assert upright.score > 0.9
    assert (upright.turns % 2, turned.turns % 2) == (0, 1)


PAD = np.full((192, 192), 70, np.uint8)
cv2.circle(PAD, (96, 96), 80, 240, 10)
for left, top, right, bottom in ((66, 52, 78, 140), (114, 52, 126, 140), (66, 90, 126, 102)):
    PAD[top:bottom, left:right] = 240
