"""Source of pictures as a launch file names it: a device, an address, or a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from embodied.errors import nearest

SCHEMES = ("http", "https", "rtsp", "rtsps")
"""Schemes of the addresses that can be read."""


@dataclass(frozen=True, slots=True)
class Source:
    """Source of pictures as a launch file names it, and how it is read.

    Attributes:
        kind: `device` is read through V4L2, `address` and `recording` through FFmpeg.
        place: path or address that OpenCV opens.
    """

    kind: Literal["device", "address", "recording"]
    place: str

    @classmethod
    def read(cls, written: int | str | Path) -> Source:
        """Parse the source that a launch file names.

        Args:
            written: number or path of a device, an address, or the path of a recording.

        Raises:
            ValueError: it cannot be a source of pictures; the message says why in one sentence.
        """
        text = str(written).strip()
        if isinstance(written, Path) and written.name.isdecimal() and not written.exists():
            # The number of a device in quotes, which a launch file takes for the name of a file beside it.
            text = written.name
        if text.isdecimal():
            return cls("device", f"/dev/video{text}")
        if "://" in text:
            parts = urlsplit(text)
            if parts.scheme not in SCHEMES:
                hint = "; ".join(nearest(parts.scheme, SCHEMES))
                raise ValueError(f"source: the scheme '{parts.scheme}://' is not supported; {hint}")
            if not parts.hostname:
                raise ValueError(f"source: {text!r} names no host")
            return cls("address", text)
        if text.startswith("/dev/"):
            return cls("device", text)
        if not Path(text).is_file():
            raise ValueError(
                f"source: there is no file {text!r}; a source is the number or the path of a device, such as "
                "/dev/v4l/by-id/…, an address such as rtsp://host/stream, or a recording"
            )
        return cls("recording", text)

    def __str__(self) -> str:
        if self.kind != "address":
            return self.place
        # An address may hold a password, and errors go to logs that others read.
        parts = urlsplit(self.place)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
