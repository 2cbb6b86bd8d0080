"""Cameras of this machine by V4L2: their names, serial numbers and image sizes, without reading a picture.

Names are in sysfs, sizes are queried from the device itself: Linux media documentation, "Video for Linux API", ioctls
VIDIOC_ENUM_FMT and VIDIOC_ENUM_FRAMESIZES.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from embodied.devices.registry import Found

SYSTEM = Path("/sys/class/video4linux")
"""Folder with an entry for each video device."""

DEVICES = Path("/dev")
"""Folder of device files."""

CAPTURE = 1
"""V4L2_BUF_TYPE_VIDEO_CAPTURE: type of the formats that are listed."""

DISCRETE = 1
"""V4L2_FRMSIZE_TYPE_DISCRETE: type of a single size, where others are ranges."""

FORMAT = struct.Struct("=III32sII3I")
"""Layout of struct v4l2_fmtdesc."""

SIZE = struct.Struct("=III6I2I")
"""Layout of struct v4l2_frmsizeenum."""

Ioctl = Callable[[int, bytearray], object]
"""Function that carries out an ioctl, its number and its structure, on a device."""


def request(number: int, layout: struct.Struct) -> int:
    """Return the number of an ioctl of V4L2 that reads and writes a structure."""
    return 3 << 30 | layout.size << 16 | ord("V") << 8 | number


ENUM_FORMATS = request(2, FORMAT)
"""VIDIOC_ENUM_FMT."""

ENUM_SIZES = request(74, SIZE)
"""VIDIOC_ENUM_FRAMESIZES."""


@dataclass(frozen=True, slots=True)
class Card:
    """Camera as V4L2 on Linux lists it.

    Attributes:
        path: path below `/dev/v4l/by-id`, which stays the same when it is plugged in again; of its device if none.
        name: name that the device reports.
        serial: serial number of its USB device; empty for none.
    """

    path: str
    name: str
    serial: str

    @classmethod
    def of(cls, path: str, system: Path = SYSTEM, devices: Path = DEVICES) -> Card:
        """Return the camera at a path; what is unknown is empty."""
        node = os.path.realpath(path)
        entry = system / Path(node).name
        named = next((p for p in sorted((devices / "v4l" / "by-id").glob("*")) if os.path.realpath(p) == node), path)
        # The camera is an interface of a USB device; the serial number is one or two levels above.
        above = [(entry / "device").resolve(), *(entry / "device").resolve().parents][:3]
        serial = next(filter(None, (_word(folder / "serial") for folder in above)), "")
        return cls(str(named), _word(entry / "name"), serial)


def _word(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""


def sizes(path: str) -> tuple[tuple[int, int], ...]:
    """Return the widths and heights of a V4L2 camera's images [px], in ascending order; none if it lists none."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    except OSError:
        return ()
    try:
        return tuple(sorted(set(list_sizes(lambda number, structure: fcntl.ioctl(handle, number, structure)))))
    finally:
        os.close(handle)


def list_sizes(ioctl: Ioctl) -> Iterator[tuple[int, int]]:
    """List every image size of every format by V4L2; of a range, both ends.

    Args:
        ioctl: function that carries out an ioctl on the device, and raises OSError at the end of a list.
    """
    for index in count():
        format_ = bytearray(FORMAT.pack(index, CAPTURE, 0, b"", 0, 0, 0, 0, 0))
        if not _fill(ioctl, ENUM_FORMATS, format_):
            return
        pixels = FORMAT.unpack(format_)[4]
        for number in count():
            size = bytearray(SIZE.pack(number, pixels, *([0] * 9)))
            if not _fill(ioctl, ENUM_SIZES, size):
                break
            _, _, kind, *numbers = SIZE.unpack(size)
            if kind == DISCRETE:
                yield numbers[0], numbers[1]
                continue
            low_wide, high_wide, _, low_high, high_high, _ = numbers[:6]
            yield low_wide, low_high
            yield high_wide, high_high
            break


def _fill(ioctl: Ioctl, number: int, structure: bytearray) -> bool:
    try:
        ioctl(number, structure)
    except OSError:
        return False
    return True


def local_cameras(system: Path = SYSTEM, devices: Path = DEVICES) -> Iterator[Found]:
    """Scan for the cameras of this machine by V4L2; further nodes of a camera, for its metadata, are left out."""
    for entry in sorted(system.glob("video*"), key=lambda folder: (len(folder.name), folder.name)):
        if _word(entry / "index") not in ("", "0"):
            continue
        card = Card.of(str(devices / entry.name), system, devices)
        supported = ", ".join(f"{width}×{height}" for width, height in sizes(card.path))
        parts = (card.name or "camera", f"serial {card.serial}" if card.serial else "", supported)
        yield Found(address=card.path, what=", ".join(filter(None, parts)), settings={"source": card.path})
