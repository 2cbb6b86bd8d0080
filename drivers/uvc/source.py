"""Where pictures come from, as a launch file writes it: a device, an address, or a recording."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from embodied.errors import nearest

SCHEMES = ("http", "https", "rtsp", "rtsps")


@dataclass(frozen=True, slots=True)
class Source:
    """Where pictures come from.

    Attributes:
        kind: `device` is read through V4L2, `address` and `recording` through FFmpeg.
        place: a path or an address, as OpenCV takes it.
    """

    kind: Literal["device", "address", "recording"]
    place: str

    @classmethod
    def read(cls, written: int | str) -> Source:
        """What a launch file says.

        Raises:
            ValueError: it can be no source of pictures; in one sentence.
        """
        text = str(written).strip()
        if text.isdecimal():
            return cls("device", f"/dev/video{text}")
        if "://" in text:
            parts = urlsplit(text)
            if parts.scheme not in SCHEMES:
                hint = "; ".join(nearest(parts.scheme, SCHEMES))
                raise ValueError(f"source: '{parts.scheme}://' is no kind of stream that is read here; {hint}")
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
        # Passwords stand in addresses, and an error is written where anyone reads it.
        parts = urlsplit(self.place)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
