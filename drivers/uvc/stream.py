"""A device or a server, read by a thread of its own: whoever asks gets the newest picture, and never an older one.

OpenCV waits inside its own code, so that by a thread a hang is found too. When the link breaks it is made anew.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2

from drivers.uvc.codec import BadPicture, Jpeg, rgb
from drivers.uvc.feed import Picture
from drivers.uvc.source import Source
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost

MUTE = {
    "address": "it does not answer",
    "device": "it is not there, or somebody else has it ('embodied driver scan uvc' says which there are)",
}
"""What is wrong with a source that cannot be opened."""

AGAIN = 0.2
"""Between two links so much time passes [s]."""

_MJPG = cv2.VideoWriter.fourcc(*"MJPG")


class Stream:
    """Pictures that come when they come; see `Feed`.

    A picture that stands alone, as JPEG, is judged by its own bytes and decoded only if it is taken. From any other
    stream OpenCV's decoder makes pictures of whatever it gets.

    Args:
        source: a device or an address.
        width, height: what a device is asked for [px].
        patience: how long it may take until the first picture [s].
        silence: a read that takes longer than this has failed [s].

    Raises:
        DeviceLost: there was none within the patience.
    """

    def __init__(self, source: Source, width: int, height: int, patience: float, silence: float) -> None:
        self.size: tuple[int, int] = (0, 0)
        self.rejected = 0
        self._source = source
        self._wanted = {
            cv2.CAP_PROP_FOURCC: _MJPG,
            cv2.CAP_PROP_FRAME_WIDTH: width,
            cv2.CAP_PROP_FRAME_HEIGHT: height,
        }
        self._limits = [
            cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
            max(1, round(1e3 * patience)),
            cv2.CAP_PROP_READ_TIMEOUT_MSEC,
            max(1, round(1e3 * silence)),
            # On several threads a decoder keeps as many pictures back.
            cv2.CAP_PROP_N_THREADS,
            1,
        ]
        self._silence = round(silence * SECOND)
        self._alone: bool | None = None
        self._lock = threading.Lock()
        self._newest: tuple[Any, int] | None = None
        self._before: bytes = b""
        self._acquired = -1
        self._trouble = MUTE[source.kind]
        self._over = threading.Event()
        self._first = threading.Event()
        # It ends within `silence` of being told, but a driver of the system may hold it for longer, and nobody else.
        self._thread = threading.Thread(target=self._read, name=str(source), daemon=True)
        self._thread.start()
        if not self._first.wait(patience):
            self.close()
            raise DeviceLost(f"no picture from {source} within {patience:g} s: {self._trouble}")

    def take(self, now: Time) -> Picture | None:
        """The newest picture, if it was not taken before; acquired when it arrived."""
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is None:
            return None
        picture, arrived = newest
        acquired = now - (time.monotonic_ns() - arrived)
        if acquired < 0:  # from before the graph's clock began
            return None
        # A step that comes late finds its pictures too old by as much, and time never runs backwards.
        acquired = self._acquired = max(acquired, self._acquired + 1)
        if not isinstance(picture, Jpeg):
            return Picture(rgb(picture), Time(acquired))
        try:
            return Picture(picture.pixels(), Time(acquired))
        except BadPicture as error:
            self._reject(str(error))
            return None

    def trouble(self) -> str:
        """What was wrong last."""
        return self._trouble

    def close(self) -> None:
        """Let the thread end, which gives the device back."""
        self._over.set()
        self._thread.join(timeout=1.0)

    def _read(self) -> None:
        while not self._over.is_set():
            capture = self._connect()
            if not capture.isOpened():
                self._trouble = MUTE[self._source.kind]
            elif not self._first.is_set():
                self._trouble = "it answers, and sends no picture"
            try:
                self._pump(capture)
            except cv2.error as error:  # its decoders raise on some of what they get
                self._reject(f"OpenCV cannot read it: {' '.join(str(error).split())}")
            capture.release()
            self._over.wait(AGAIN)

    def _pump(self, capture: cv2.VideoCapture) -> None:
        """Take every picture, until the link breaks."""
        while capture.isOpened() and not self._over.is_set() and self._grab(capture):
            arrived = time.monotonic_ns()
            there, picture = capture.retrieve()
            if there:
                self._accept(picture, bool(self._alone), arrived)

    def _grab(self, capture: cv2.VideoCapture) -> bool:
        # When a read has failed, a decoder may still give what it had kept back, as if it had just come.
        began = time.monotonic_ns()
        return capture.grab() and time.monotonic_ns() - began < self._silence

    def _connect(self) -> cv2.VideoCapture:
        """A capture; the first that opens decides whether pictures come as JPEG, each alone."""
        place = self._source.place
        if self._source.kind == "device":
            capture = cv2.VideoCapture(place, cv2.CAP_V4L2)
            for setting, value in self._wanted.items():
                capture.set(setting, value)
            self._alone = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            return capture
        if self._alone is not False:
            capture = cv2.VideoCapture(place, cv2.CAP_FFMPEG, [*self._limits, cv2.CAP_PROP_FORMAT, -1])
            if not capture.isOpened():
                return capture
            self._alone = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG
            if self._alone:
                return capture
            capture.release()
        return cv2.VideoCapture(place, cv2.CAP_FFMPEG, self._limits)

    def _accept(self, picture: Any, alone: bool, arrived: int) -> None:
        made: Any = picture
        if alone:
            data = picture.tobytes()
            try:
                made = Jpeg(data)
            except BadPicture as error:
                return self._reject(str(error))
            # No sensor is without noise: the same bytes are the same picture, sent again.
            if made.data == self._before:
                return self._reject("it sends the same picture again and again")
            self._before = made.data
        size = made.size if alone else (picture.shape[1], picture.shape[0])
        if not self._first.is_set():
            self.size = size
        elif size != self.size:
            return self._reject(f"its pictures are suddenly {size[0]}×{size[1]}")
        self._trouble = "it sends nothing new"
        with self._lock:
            self._newest = made, arrived
        self._first.set()
        return None

    def _reject(self, why: str) -> None:
        self._trouble = why
        with self._lock:
            self.rejected += 1
