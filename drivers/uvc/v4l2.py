"""Cameras that Linux knows (V4L2): their names, serial numbers and sizes, without reading a picture.

Names are in sysfs, sizes are asked of the device itself: Linux media documentation, "Video for Linux API", ioctls
VIDIOC_ENUM_FMT and VIDIOC_ENUM_FRAMESIZES.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from embodied.devices.registry import Found

SYSTEM, DEVICES = Path("/sys/class/video4linux"), Path("/dev")

CAPTURE, DISCRETE = 1, 1
FORMAT, SIZE = struct.Struct("=III32sII3I"), struct.Struct("=III6I2I")
"""struct v4l2_fmtdesc; struct v4l2_frmsizeenum."""

Ask = Callable[[int, bytearray], object]


def request(number: int, layout: struct.Struct) -> int:
    """The number of an ioctl of V4L2 that reads and writes a structure."""
    return 3 << 30 | layout.size << 16 | ord("V") << 8 | number


ENUM_FORMATS, ENUM_SIZES = request(2, FORMAT), request(74, SIZE)


@dataclass(frozen=True, slots=True)
class Card:
    """A camera as Linux knows it.

    Attributes:
        path: that stays the same where it is plugged in, if there is one: below `/dev/v4l/by-id`.
        name: what it calls itself.
        serial: of its USB device; empty where that has none.
    """

    path: str
    name: str
    serial: str

    @classmethod
    def of(cls, path: str, system: Path = SYSTEM, devices: Path = DEVICES) -> Card:
        """The camera behind a path; what is not told is empty."""
        node = os.path.realpath(path)
        entry = system / Path(node).name
        named = next((p for p in sorted((devices / "v4l" / "by-id").glob("*")) if os.path.realpath(p) == node), path)
        # The serial number is the USB device's, one or two levels above the interface that the camera is.
        above = [(entry / "device").resolve(), *(entry / "device").resolve().parents][:3]
        serial = next(filter(None, (_word(folder / "serial") for folder in above)), "")
        return cls(str(named), _word(entry / "name"), serial)


def _word(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def sizes(path: str) -> tuple[tuple[int, int], ...]:
    """Widths and heights of the images that a camera can give [px], from small to large; none if it does not say."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        return tuple(sorted(set(listed(lambda number, about: fcntl.ioctl(handle, number, about)))))
    finally:
        os.close(handle)


def listed(ask: Ask) -> Iterator[tuple[int, int]]:
    """Every size in every format; of a range, its ends.

    Args:
        ask: an ioctl on the device: OSError where a list ends.
    """
    for index in count():
        about = bytearray(FORMAT.pack(index, CAPTURE, 0, b"", 0, 0, 0, 0, 0))
        if not _told(ask, ENUM_FORMATS, about):
            return
        pixels = FORMAT.unpack(about)[4]
        for number in count():
            size = bytearray(SIZE.pack(number, pixels, *([0] * 9)))
            if not _told(ask, ENUM_SIZES, size):
                break
            _, _, kind, *numbers = SIZE.unpack(size)
            if kind == DISCRETE:
                yield numbers[0], numbers[1]
                continue
            low_wide, high_wide, _, low_high, high_high, _ = numbers[:6]
            yield low_wide, low_high
            yield high_wide, high_high
            break


def _told(ask: Ask, number: int, about: bytearray) -> bool:
    try:
        ask(number, about)
    except OSError:
        return False
    return True


def scan(_: Sequence[str], system: Path = SYSTEM, devices: Path = DEVICES) -> Iterator[Found]:
    """The cameras of this machine; a camera's second node, for what it says beside pictures, is none."""
    for entry in sorted(system.glob("video*"), key=lambda folder: (len(folder.name), folder.name)):
        if _word(entry / "index") not in ("", "0"):
            continue
        card = Card.of(str(devices / entry.name), system, devices)
        able = ", ".join(f"{width}×{height}" for width, height in sizes(card.path))
        parts = (card.name or "camera", f"serial {card.serial}" if card.serial else "", able)
        yield Found(address=card.path, what=", ".join(filter(None, parts)), settings={"source": card.path})
