"""Codec of JPEG pictures as cameras send them (ITU-T T.81, annex B): check, decoding, encoding; and BGR to RGB.

JPEG has no checksum. Its bytes show only whether a picture is complete: whether its segments follow one another to its
end. A bit that is flipped inside the compressed pixels changes some of them, and cannot be detected.
"""

from __future__ import annotations

import re

import cv2
import numpy as np
from numpy.typing import NDArray

from embodied import empty

FILL = 0xFF
"""First byte of every marker, and the byte that may be filled in before it."""

SOI = 0xD8
"""Marker of the start of an image."""

EOI = 0xD9
"""Marker of the end of an image."""

SOS = 0xDA
"""Marker of the start of a scan, which the compressed pixels follow."""

DRI = 0xDD
"""Marker of the definition of a restart interval."""

COM = 0xFE
"""Marker of a comment."""

_RESTARTS = range(0xD0, 0xD8)
_FRAMES = range(0xC0, 0xC3)  # frame headers that decoders support: baseline, extended, progressive
_OTHERS = {0xC4, 0xDB, DRI, COM, *range(0xE0, 0xF0)}  # tables, comments, data of applications

_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_FLAGS = cv2.IMREAD_COLOR_RGB | cv2.IMREAD_IGNORE_ORIENTATION


class BadPicture(ValueError):
    """Bytes that are no complete JPEG picture; the message says why."""


class Jpeg:
    """Complete JPEG picture, not decoded.

    Args:
        data: bytes of the picture; what follows its end is cut off, since a device's buffer is longer than its picture.

    Attributes:
        data: bytes of the picture alone.
        size: width and height [px].
        structure: indices of the bytes of its structure: markers, lengths of segments, size.

    Raises:
        BadPicture: the picture is not complete.
    """

    def __init__(self, data: bytes) -> None:
        self.structure: list[int] = [0, 1]
        self.size = (0, 0)
        self._interval = False
        if data[:2] != bytes((0xFF, SOI)):
            raise BadPicture("it does not begin with the marker of a JPEG")
        position, scans = 2, 0
        while True:
            position = self._marker_position(data, position)
            if (marker := data[position + 1]) == EOI:
                break
            length = self._length(data, position)
            body = data[position + 4 : position + 2 + length]
            if marker in _FRAMES:
                self._frame(body, position)
            elif marker == DRI:
                self._interval = any(body)
            elif marker == SOS:
                scans += 1
                if self.size == (0, 0) or not body or length != 6 + 2 * body[0]:
                    raise BadPicture("the header of its scan is invalid")
            elif marker not in _OTHERS:
                raise BadPicture(f"it has a segment of the unknown kind {marker:#04x}")
            position += 2 + length
            if marker == SOS:
                position = self._scan(data, position)
        if not scans:
            raise BadPicture("it ends before its pixels")
        self.data = data[: position + 2]

    def _marker_position(self, data: bytes, position: int) -> int:
        """Return the index of the next marker; bytes 0xFF may be filled in before it (B.1.1.2)."""
        if position < len(data) and data[position] != FILL:
            raise BadPicture(f"there is no marker at byte {position}, where a segment ended")
        while data[position + 1 : position + 2] == bytes((FILL,)):
            position += 1
        if position + 2 > len(data):
            raise BadPicture(f"it ends after {len(data)} bytes, without its end marker")
        self.structure += [position, position + 1]
        return position

    def _length(self, data: bytes, position: int) -> int:
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2 or position + 2 + length > len(data):
            raise BadPicture(f"it has {len(data)} bytes, and a segment goes beyond them")
        self.structure += [position + 2, position + 3]
        return length

    def _frame(self, body: bytes, position: int) -> None:
        if self.size != (0, 0) or len(body) < 6 or len(body) != 6 + 3 * body[5]:
            raise BadPicture("its frame header is invalid")
        self.size = int.from_bytes(body[3:5], "big"), int.from_bytes(body[1:3], "big")
        self.structure += range(position + 5, position + 9)

    def _scan(self, data: bytes, position: int) -> int:
        """Return the index of the marker after the compressed pixels, and check the order of the restarts in them."""
        count = 0
        while (match := _MARKER.search(data, position)) is not None:
            marker = data[match.start() + 1]
            if marker not in _RESTARTS:
                return match.start()
            if not self._interval or marker != _RESTARTS[count % len(_RESTARTS)]:
                raise BadPicture("its restarts are out of order")
            count += 1
            position = match.end()
        raise BadPicture(f"it ends after {len(data)} bytes, in the middle of its pixels")

    def pixels(self) -> NDArray[np.uint8]:
        """Decode the picture as RGB, shape (h, w, 3).

        Raises:
            BadPicture: the picture cannot be decoded.
        """
        decoded = cv2.imdecode(np.frombuffer(self.data, np.uint8), _FLAGS)
        if decoded is None or decoded.shape[:2] != self.size[::-1]:
            raise BadPicture("it cannot be decoded")
        return np.asarray(decoded, np.uint8)


def rgb(bgr: cv2.typing.MatLike) -> NDArray[np.uint8]:
    """Convert a decoded picture from BGR, shape (h, w, 3), to RGB, in memory that subscribers read without a copy."""
    picture: NDArray[np.uint8] = empty(bgr.shape, np.uint8)
    cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB, picture)
    return picture


def encode(picture: NDArray[np.uint8], quality: int, comment: str = "") -> bytes:
    """Encode a picture as JPEG.

    Args:
        picture: RGB, shape (h, w, 3).
        quality: quality of libjpeg, 1 to 100.
        comment: text of a comment segment, in which network cameras store the time.
    """
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    data = encoded.tobytes()
    if not comment:
        return data
    # Behind the first segment, which JFIF requires directly after the start.
    at = 4 + int.from_bytes(data[4:6], "big")
    text = comment.encode()
    return data[:at] + bytes((0xFF, COM)) + (2 + len(text)).to_bytes(2, "big") + text + data[at:]
