"""Feed of a live camera: a thread of its own reads a device or a server, and keeps only the newest picture.

OpenCV blocks inside its own code; with a thread for it, the driver detects a read that hangs. It opens one stream at a
time in a process, so only a server that answers is opened. A broken connection is opened again; then only the camera
that was met is read: whoever comes back is identified again.
"""

from __future__ import annotations

import threading
import time
from typing import Any

import cv2

from drivers.uvc.codec import BadPicture, Jpeg, rgb
from drivers.uvc.feed import Picture
from drivers.uvc.identity import ask, changed, identify, introduced
from drivers.uvc.source import Source
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost
from embodied.node.identity import Identity

CANNOT_OPEN = {
    "address": "it does not answer",
    "device": "it is missing, or in use by another program ('embodied driver scan uvc' lists the cameras)",
}
"""Reason why a source cannot be opened, by its kind."""

CLOSE_TIMEOUT = 1.0
"""Longest wait for the thread to end, beyond the longest duration of a read [s]."""

RETRY = 0.2
"""Pause before a connection is opened again [s]."""

_MJPG = cv2.VideoWriter.fourcc(*"MJPG")


class Stream:
    """Feed of a live camera at a device or an address; see `Feed`.

    In Motion JPEG each picture stands alone: its structure is checked, and it is decoded only if it is taken. Any other
    stream is decoded by OpenCV, which conceals what was lost.

    Args:
        source: device or address.
        width, height: size that a device is set to [px].
        patience: longest wait for the first picture [s].
        silence: longest duration of a read [s].

    Attributes:
        identity: what the camera that was met reported of itself; None if that is not known.

    Raises:
        DeviceLost: no picture arrived in time.
    """

    def __init__(self, source: Source, width: int, height: int, patience: float, silence: float) -> None:
        self.size: tuple[int, int] = (0, 0)
        self.rejected = 0
        self.identity: Identity | None = None
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
            # A decoder delays pictures by the number of its threads.
            cv2.CAP_PROP_N_THREADS,
            1,
        ]
        self._silence = round(silence * SECOND)
        self._separate: bool | None = None
        self._lock = threading.Lock()
        self._newest: tuple[Any, int] | None = None
        self._before: bytes = b""
        self._acquired = -1
        self._trouble = CANNOT_OPEN[source.kind]
        self._closed = threading.Event()
        self._first = threading.Event()
        # It ends within `silence` of `close`, unless a driver of the system blocks it for longer; so it is a daemon.
        self._thread = threading.Thread(target=self._read, name=str(source), daemon=True)
        self._thread.start()
        if not self._first.wait(patience):
            self.close()
            raise DeviceLost(f"no picture from {source} within {patience:g} s: {self._trouble}")

    def take(self, now: Time) -> Picture | None:
        """Return the newest picture, if it was not taken before; acquired when it arrived."""
        with self._lock:
            newest, self._newest = self._newest, None
        if newest is None:
            return None
        picture, arrived = newest
        acquired = now - (time.monotonic_ns() - arrived)
        if acquired < 0:  # from before the graph's clock began
            return None
        # In a late step `now` lags behind the steady clock, so pictures seem older; their times must still increase.
        acquired = self._acquired = max(acquired, self._acquired + 1)
        if not isinstance(picture, Jpeg):
            return Picture(rgb(picture), Time(acquired))
        try:
            return Picture(picture.pixels(), Time(acquired))
        except BadPicture as error:
            self._reject(str(error))
            return None

    def trouble(self) -> str:
        """Return the last reason why a picture was rejected or did not arrive."""
        return self._trouble

    def close(self) -> None:
        """End the thread, which releases the device."""
        self._closed.set()
        # A thread that is left inside OpenCV when the process ends aborts it.
        self._thread.join(self._silence / SECOND + CLOSE_TIMEOUT)

    def _read(self) -> None:
        while not self._closed.is_set():
            if not self._answers():
                self._closed.wait(RETRY)
                continue
            capture = self._connect()
            if not capture.isOpened():
                self._trouble = CANNOT_OPEN[self._source.kind]
            elif not self._first.is_set():
                self._trouble = "it answers, but sends no picture"
            try:
                self._pump(capture)
            except cv2.error as error:  # its decoders raise on some damaged pictures
                self._reject(f"OpenCV cannot read it: {' '.join(str(error).split())}")
            capture.release()
            self._closed.wait(RETRY)

    def _answers(self) -> bool:
        """Return whether the source answers, and is the camera that was met, as far as that is known."""
        if self._source.kind == "device":
            now = None if self.identity is None else identify(self._source, self.size)
        else:
            headers = ask(self._source)
            if headers is None:
                self._trouble = CANNOT_OPEN["address"]
                return False
            now = introduced(self._source, self.size, headers)
        another = changed(now, self.identity) if now is not None and self.identity is not None else ""
        if another:
            self._trouble = another
        return not another

    def _pump(self, capture: cv2.VideoCapture) -> None:
        """Read pictures until the connection breaks."""
        while capture.isOpened() and not self._closed.is_set() and self._grab(capture):
            arrived = time.monotonic_ns()
            decoded, picture = capture.retrieve()
            if decoded:
                self._accept(picture, bool(self._separate), arrived)

    def _grab(self, capture: cv2.VideoCapture) -> bool:
        # After a failed read a decoder may still return a picture that it had delayed, as if it had just arrived.
        began = time.monotonic_ns()
        return capture.grab() and time.monotonic_ns() - began < self._silence

    def _connect(self) -> cv2.VideoCapture:
        """Open a capture; the first that opens decides whether pictures arrive as separate JPEGs."""
        place = self._source.place
        if self._source.kind == "device":
            capture = cv2.VideoCapture(place, cv2.CAP_V4L2)
            for setting, value in self._wanted.items():
                capture.set(setting, value)
            self._separate = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG and capture.set(cv2.CAP_PROP_CONVERT_RGB, 0)
            return capture
        if self._separate is not False:
            capture = cv2.VideoCapture(place, cv2.CAP_FFMPEG, [*self._limits, cv2.CAP_PROP_FORMAT, -1])
            if not capture.isOpened():
                return capture
            self._separate = int(capture.get(cv2.CAP_PROP_FOURCC)) == _MJPG
            if self._separate:
                return capture
            capture.release()
        return cv2.VideoCapture(place, cv2.CAP_FFMPEG, self._limits)

    def _accept(self, picture: Any, separate: bool, arrived: int) -> None:
        decoded: Any = picture
        if separate:
            data = picture.tobytes()
            try:
                decoded = Jpeg(data)
            except BadPicture as error:
                return self._reject(str(error))
            # Every sensor has noise: the same bytes are the same picture, sent again.
            if decoded.data == self._before:
                return self._reject("it sends the same picture again and again")
            self._before = decoded.data
        size = decoded.size if separate else (picture.shape[1], picture.shape[0])
        if not self._first.is_set():
            self.size = size
        elif size != self.size:
            return self._reject(f"the size of its pictures changed to {size[0]}×{size[1]}")
        self._trouble = "it sends nothing new"
        with self._lock:
            self._newest = decoded, arrived
        self._first.set()
        return None

    def _reject(self, why: str) -> None:
        self._trouble = why
        with self._lock:
            self.rejected += 1
