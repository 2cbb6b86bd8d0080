"""A recording, played at its own pace by the graph's clock: in lockstep too, where it is the same every time."""

from __future__ import annotations

import cv2

from drivers.uvc.codec import rgb
from drivers.uvc.feed import Picture
from drivers.uvc.source import Source
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost

USUAL = 30.0
"""Pictures a second of a recording that does not say [Hz]."""


class Recording:
    """Pictures of a file, each acquired when its time stamp says; see `Feed`.

    Args:
        source: the file.
        loop: whether it begins again where it ended.

    Raises:
        DeviceLost: it cannot be read.
    """

    def __init__(self, source: Source, *, loop: bool) -> None:
        self.rejected = 0
        self._source = source
        self._loop = loop
        self._capture = cv2.VideoCapture(source.place, cv2.CAP_FFMPEG)
        self._period = round(SECOND / (self._capture.get(cv2.CAP_PROP_FPS) or USUAL))
        self._begin: Time | None = None
        self._shift = 0  # of this round after the first
        self._count = 0
        self._read: cv2.typing.MatLike | None = None
        self._stamp = 0
        self.size: tuple[int, int] = (0, 0)
        self._advance()
        if not self._count:
            self.close()
            raise DeviceLost(f"{source} holds no picture that OpenCV can read")

    def take(self, now: Time) -> Picture | None:
        """The last picture whose time has come, if it was not taken before."""
        if self._begin is None:
            self._begin = now
        due: tuple[cv2.typing.MatLike, int] | None = None
        while self._read is not None and self._begin + self._stamp <= now:
            due = self._read, self._begin + self._stamp
            self._advance()
        if due is None and self._read is None and self._begin + self._stamp + self._period <= now:
            raise DeviceLost(f"{self._source} has ended after {self._count} pictures; 'loop: true' begins again")
        if due is None:
            return None
        return Picture(rgb(due[0]), Time(due[1]))

    def trouble(self) -> str:
        """A recording has gaps of its own."""
        return "there is a gap in the recording"

    def close(self) -> None:
        """Give the file back."""
        self._capture.release()

    def _advance(self) -> None:
        """Read the next picture; None once there is none."""
        there, self._read = self._next()
        if not there and self._loop and self._count:
            self._shift = self._stamp + self._period
            self._capture.set(cv2.CAP_PROP_POS_FRAMES, 0)
            there, self._read = self._next()
        if not there:
            self._read = None
            return
        stamp = self._shift + round(1e6 * self._capture.get(cv2.CAP_PROP_POS_MSEC))
        # Files exist whose time stamps stand still.
        self._stamp = max(stamp, self._stamp + 1) if self._count else stamp
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
