"""Feed of a recorded video, played at its own rate by the graph's clock; in lockstep it is deterministic."""

from __future__ import annotations

import cv2

from drivers.uvc.codec import rgb
from drivers.uvc.feed import Picture
from drivers.uvc.source import Source
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost
from embodied.node.identity import Identity
from embodied.ranges import Range

DEFAULT_RATE = 30.0
"""Rate of a recording that does not state its own, or states one outside `RATES` [Hz]."""

RATES = Range(0.01, 1000.0, "Hz")
"""Rates that a recording may state."""

STAMP_MOST = 1e9
"""Largest time stamp that is believed, 11 days [ms]."""

GAP_LEAST = round(SECOND / RATES.high)
"""Least time between two pictures [ns]."""

CODECS = {"av01": "AV1, the default of LeRobot's recordings", "hev1": "HEVC", "hvc1": "HEVC", "vp09": "VP9"}
"""Codecs by the four letters with which a file names them."""


class Recording:
    """Feed of the pictures of a recorded video, each acquired at its time stamp; see `Feed`.

    Args:
        source: path of the file.
        loop: whether the recording starts again at its end.

    Raises:
        DeviceLost: the file holds no picture that can be read.
    """

    def __init__(self, source: Source, *, loop: bool) -> None:
        self.rejected = 0
        self.identity: Identity | None = None
        self._source = source
        self._loop = loop
        self._capture = cv2.VideoCapture(source.place, cv2.CAP_FFMPEG)
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        self._period = round(SECOND / (rate if rate in RATES else DEFAULT_RATE))
        self._begin: Time | None = None
        self._shift = 0  # start of this round, after that of the first [ns]
        self._count = 0
        self._read: cv2.typing.MatLike | None = None
        self._stamp = 0
        self.size: tuple[int, int] = (0, 0)
        self._advance()
        if not self._count:
            codec = _codec(self._capture)
            self.close()
            raise DeviceLost(f"{source} holds no picture that OpenCV can read: {codec}")

    def take(self, now: Time) -> Picture | None:
        """Return the last picture that is due, if it was not taken before."""
        if self._begin is None:
            self._begin = now
        due: tuple[cv2.typing.MatLike, int] | None = None
        while self._read is not None and self._begin + self._stamp <= now:
            due = self._read, self._begin + self._stamp
            self._advance()
        if due is None and self._read is None and self._begin + self._stamp + self._period <= now:
            raise DeviceLost(f"{self._source} has ended after {self._count} pictures; 'loop: true' starts it again")
        if due is None:
            return None
        return Picture(rgb(due[0]), Time(due[1]))

    def trouble(self) -> str:
        """Return why there is no new picture: recordings may have gaps."""
        return "there is a gap in the recording"

    def close(self) -> None:
        """Close the file of the recording."""
        self._capture.release()

    def _advance(self) -> None:
        """Read the next picture, from the start again if the recording loops; None at its end."""
        there, self._read = self._next()
        if not there and self._loop and self._count:
            self._shift = self._stamp + self._period
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            there, self._read = self._next()
        if not there:
            self._read = None
            return
        read = self._capture.get(cv2.CAP_PROP_POS_MSEC)
        stamp = self._shift + round(1e6 * (read if 0 <= read <= STAMP_MOST else 0.0))
        # Some files repeat a time stamp; pictures that are nearer to each other than any camera takes them are apart.
        self._stamp = max(stamp, self._stamp + GAP_LEAST) if self._count else stamp
        self._count += 1

    def _next(self) -> tuple[bool, cv2.typing.MatLike | None]:
        while self._capture.grab():
            there, picture = self._capture.retrieve()
            size = (picture.shape[1], picture.shape[0]) if there else self.size
            self.size = self.size if self._count else size
            if there and size == self.size:
                return True, picture
            self.rejected += 1
        return False, None


def _codec(capture: cv2.VideoCapture) -> str:
    """Return what the pictures of a file are encoded in, and what to do about it, in a sentence."""
    remedy = "convert it, with `ffmpeg -i FILE -c:v libx264 -crf 18 NEW.mp4`"
    if not capture.isOpened():
        return f"it is no video that FFmpeg knows; {remedy}"
    letters = int(capture.get(cv2.CAP_PROP_FOURCC)).to_bytes(4, "little")
    name = letters.decode("ascii", errors="replace").strip("\0 ").lower()
    known = CODECS.get(name, "")
    return f"it is encoded as '{name}'{f' ({known})' if known else ''}, which OpenCV cannot decode here; {remedy}"
