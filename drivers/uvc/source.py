"""Source of pictures as a launch file names it: a device, an address, or a recording."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from embodied.errors import nearest

SCHEMES = ("http", "https", "rtsp", "rtsps")
"""Schemes of the addresses that can be read."""

_SECRET = re.compile(
    r"(?i)(?<=[?&;])([^=&;#]*(?:pass|pwd|psw|user|usr|login|auth|token|key|secret|sig)[^=&;#]*)=[^&;]*"
)


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
            if not parts.hostname or not _has_port(parts):
                raise ValueError(
                    f"source: '{shown(text)}' names no host, or its port is no number; in a user name and a password "
                    "write %23 for #, %2F for /, %3A for :, %3F for ? and %40 for @"
                )
            return cls("address", text)
        if text.startswith("/dev/") and not Path(text).is_file():
            return cls("device", text)
        if not Path(text).is_file():
            raise ValueError(
                f"source: there is no file '{shown(text)}'; a source is the number or the path of a device, such as "
                "/dev/v4l/by-id/…, an address such as rtsp://host/stream, or a recording"
            )
        return cls("recording", text)

    def __str__(self) -> str:
        return shown(self.place) if self.kind == "address" else self.place


def shown(address: str) -> str:
    """Return an address without what may be a secret in it: errors go to logs that others read.

    What stands before the last @ goes, since a password may hold any character, and the values of queries that name a
    user, a password or a key.
    """
    start = address.find("://") + 3 if "://" in address else 0
    rest = address[start:]
    before, at, after = rest.rpartition("@")
    if at and ":" in before:
        rest = after
    return address[:start] + _SECRET.sub(r"\1=***", rest)


def _has_port(parts: SplitResult) -> bool:
    """Return whether an address has a port that is a number, or none."""
    try:
        return parts.port is None or parts.port > 0
    except ValueError:
        return False
