"""Pictures from bytes: whole ones alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from drivers.uvc.codec import BadPicture, Jpeg, encode

Pixels = NDArray[np.uint8]


def scene(width: int = 64, height: int = 48) -> Pixels:
    """Something with colours and edges."""
    v, u = np.mgrid[:height, :width]
    picture = np.stack([4 * u, 5 * v, 255 - 3 * u], axis=-1).astype(np.uint8)
    picture[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 30)
    return picture


JPEG = encode(scene(), 90, "7 233 ns")


def test_a_picture_is_found_again_red_as_red_and_to_a_few_levels() -> None:
    jpeg = Jpeg(encode(scene(), 95))
    assert jpeg.size == (64, 48)
    found = jpeg.pixels()
    assert found.dtype == np.uint8
    assert np.abs(found.astype(int) - scene()).mean() < 4
    np.testing.assert_allclose(found[18, 24], (250, 20, 30), atol=25)


def test_a_comment_changes_the_bytes_and_no_pixel() -> None:
    other = encode(scene(), 90, "8 266 ns")
    assert other != JPEG
    np.testing.assert_array_equal(Jpeg(other).pixels(), Jpeg(JPEG).pixels())


def test_what_follows_a_picture_in_a_buffer_that_is_longer_is_cut_off() -> None:
    for rest in (bytes(1000), JPEG[-300:], b"\xff\xd9"):
        assert Jpeg(JPEG + rest).data == JPEG


@given(st.lists(st.integers(0, 3), min_size=20, max_size=20))
def test_bytes_may_be_filled_in_before_any_marker(fills: list[int]) -> None:
    markers = [at for at in Jpeg(JPEG).structure[2:] if JPEG[at] == 0xFF and JPEG[at + 1] not in (0, 0xFF)]
    filled, before = b"", 0
    for at, count in zip(markers, fills, strict=False):
        filled += JPEG[before:at] + bytes((0xFF,)) * count
        before = at
    filled += JPEG[before:]
    assert Jpeg(filled).size == (64, 48)
    np.testing.assert_array_equal(Jpeg(filled).pixels(), Jpeg(JPEG).pixels())
    with pytest.raises(BadPicture):
        Jpeg(filled[:-1])


@given(st.integers(0, len(JPEG) - 1))
def test_a_picture_that_is_cut_off_anywhere_is_none(length: int) -> None:
    with pytest.raises(BadPicture):
        Jpeg(JPEG[:length])


def test_a_bit_that_turns_in_what_holds_a_picture_together_is_noticed_or_changes_nothing() -> None:
    whole = Jpeg(JPEG)
    pixels = whole.pixels()
    refused = 0
    for place in whole.structure:
        for bit in range(8):
            turned = bytearray(JPEG)
            turned[place] ^= 1 << bit
            try:
                found = Jpeg(bytes(turned))
                if found.size != whole.size:
                    refused += 1
                    continue
                np.testing.assert_array_equal(found.pixels(), pixels)
            except BadPicture:
                refused += 1
    assert refused > 0.9 * 8 * len(whole.structure)


@given(st.binary(max_size=300))
def test_whatever_bytes_come_they_are_a_picture_or_refused_in_a_sentence(data: bytes) -> None:
    for tried in (data, b"\xff\xd8" + data, JPEG[:200] + data, JPEG[:-40] + data + b"\xff\xd9"):
        try:
            Jpeg(tried).pixels()
        except BadPicture as error:
            assert str(error)


@pytest.mark.parametrize(
    "settings",
    [
        [cv2.IMWRITE_JPEG_RST_INTERVAL, 2],
        [cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
        [cv2.IMWRITE_JPEG_OPTIMIZE, 1],
        [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_422],
    ],
)
def test_every_way_to_write_a_jpeg_is_read(settings: list[int]) -> None:
    made = cv2.imencode(".jpg", scene(), settings)[1].tobytes()
    assert Jpeg(made).size == (64, 48)
    assert Jpeg(made).pixels().shape == (48, 64, 3)


def test_restarts_out_of_order_say_that_pixels_are_missing() -> None:
    made = cv2.imencode(".jpg", scene(), [cv2.IMWRITE_JPEG_RST_INTERVAL, 2])[1].tobytes()
    one, two = made.index(b"\xff\xd1"), made.index(b"\xff\xd2")
    with pytest.raises(BadPicture, match="restarts"):
        Jpeg(made[:one] + made[two:])


def test_pictures_of_cameras_that_leave_out_the_usual_tables_are_read() -> None:
    # Motion JPEG on USB often comes without Huffman tables; the usual ones are meant (T.81, annex K).
    made = encode(scene(), 90)
    while (at := made.find(b"\xff\xc4")) >= 0:
        made = made[:at] + made[at + 2 + int.from_bytes(made[at + 2 : at + 4], "big") :]
    np.testing.assert_array_equal(Jpeg(made).pixels(), Jpeg(encode(scene(), 90)).pixels())
