"""JPEG pictures as cameras send them, one by one: bytes to pixels and back (ITU-T T.81, annex B).

JPEG has no checksum. What its bytes tell is whether a picture is whole: whether its segments follow one another to its
end. A bit that turns inside the compressed pixels changes some of these, and nobody can tell.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import empty

SOI, EOI, SOS, DRI, COM = 0xD8, 0xD9, 0xDA, 0xDD, 0xFE
_RESTARTS = range(0xD0, 0xD8)
_FRAMES = range(0xC0, 0xC3)  # the frame headers that decoders know: baseline, extended, progressive
_OTHERS = {0xC4, 0xDB, DRI, COM, *range(0xE0, 0xF0)}  # tables, comments, what applications add

_MARKER = re.compile(rb"\xff[^\x00]", re.DOTALL)
_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


class BadPicture(ValueError):
    """Bytes that are no whole picture; the sentence says why."""


class Jpeg:
    """A whole JPEG picture, not decoded.

    Args:
        data: its bytes; what follows its end is cut off, as a device's buffer is longer than its picture.

    Attributes:
        data: without what followed.
        size: width and height [px].
        structure: where the bytes are that hold it together: markers, lengths of segments, size.

    Raises:
        BadPicture: it is not whole.
    """

    def __init__(self, data: bytes) -> None:
        self.structure: list[int] = [0, 1]
        self.size = (0, 0)
        self._interval = False
        if data[:2] != bytes((0xFF, SOI)):
            raise BadPicture("it does not begin as a JPEG does")
        position, scans = 2, 0
        while (marker := self._marker(data, position)) != EOI:
            length = self._length(data, position)
            body = data[position + 4 : position + 2 + length]
            if marker in _FRAMES:
                self._frame(body, position)
            elif marker == DRI:
                self._interval = any(body)
            elif marker == SOS:
                scans += 1
                if self.size == (0, 0) or not body or length != 6 + 2 * body[0]:
                    raise BadPicture("its scan has no right header")
            elif marker not in _OTHERS:
                raise BadPicture(f"it has a segment of the unknown kind {marker:#04x}")
            position += 2 + length
            if marker == SOS:
                position = self._scan(data, position)
        if not scans:
            raise BadPicture("it ends before its pixels")
        self.data = data[: position + 2]

    def _marker(self, data: bytes, position: int) -> int:
        if position + 2 > len(data):
            raise BadPicture(f"it ends after {len(data)} bytes, without its end marker")
        if data[position] != 0xFF:
            raise BadPicture(f"there is no marker at byte {position}, where a segment ended")
        self.structure += [position, position + 1]
        return data[position + 1]

    def _length(self, data: bytes, position: int) -> int:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2 or position + 2 + length > len(data):
            raise BadPicture(f"it has {len(data)} bytes, and a segment goes beyond them")
        self.structure += [position + 2, position + 3]
        return length

    def _frame(self, body: bytes, position: int) -> None:
        if self.size != (0, 0) or len(body) < 6 or len(body) != 6 + 3 * body[5]:
            raise BadPicture("it has no right frame header")
        self.size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        self.structure += range(position + 5, position + 9)

    def _scan(self, data: bytes, position: int) -> int:
        """Where the marker after the compressed pixels is; restarts within them are counted."""
        count = 0
        while (found := _MARKER.search(data, position)) is not None:
            marker = data[found.start() + 1]
            if marker not in _RESTARTS:
                return found.start()
            if not self._interval or marker != _RESTARTS[count % len(_RESTARTS)]:
                raise BadPicture("its restarts are out of order")
            count += 1
            position = found.end()
        raise BadPicture(f"it ends after {len(data)} bytes, in the middle of its pixels")

    def pixels(self) -> NDArray[np.uint8]:
        """RGB, shape (h, w, 3).

        Raises:
            BadPicture: it cannot be decoded.
        """
        decoded = cv2.imdecode(np.frombuffer(self.data, np.uint8), _FLAGS)
        if decoded is None or decoded.shape[:2] != self.size[::-1]:
            raise BadPicture("it cannot be decoded")
        return np.asarray(decoded, np.uint8)


def rgb(bgr: cv2.typing.MatLike) -> NDArray[np.uint8]:
    """A picture as OpenCV's decoders give it, shape (h, w, 3), in our order; made where its takers read it."""
    made: NDArray[np.uint8] = empty(bgr.shape, np.uint8)
    cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, made)
    return made


def encode(picture: NDArray[np.uint8], quality: int, comment: str = "") -> bytes:
    """A picture as JPEG.

    Args:
        picture: RGB, shape (h, w, 3).
        quality: 1 to 100, as libjpeg has it.
        comment: kept in it, as network cameras keep the time.
    """
    _, made = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    data = made.tobytes()
    if not comment:
        return data
    # After the first segment, which JFIF wants at once after the start.
    place = 4 + int.from_bytes(data[4:6], "big")
    text = comment.encode()
    return data[:place] + bytes((0xFF, COM)) + (2 + len(text)).to_bytes(2, "big") + text + data[place:]
