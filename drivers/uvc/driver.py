"""Driver of a camera: publishes each newest picture once, rectified, with the camera's calibration."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from drivers.uvc.source import Source
from embodied import SECOND, Driver, Ports, Time
from embodied.calibration import Calibration
from embodied.errors import DeviceLost, LaunchError, NoDevice, Problem
from embodied.messages import CameraInfo, DeviceStatus, Image
from embodied.node.identity import Identity
from embodied.ranges import Range

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIZES = Range(1, 16384, "px")
"""Widths and heights that an image may have."""


class CameraOutput(NamedTuple):
    """Output of the driver `Camera`: picture, projection if the camera is calibrated, and status of the camera."""

    rgb: Image | None
    info: CameraInfo | None
    status: DeviceStatus


@dataclass
class Camera(Driver):
    """Driver of a camera that OpenCV can read.

    Pictures are rectified, so that `info`, a pinhole model, describes them completely. Pictures that are truncated, of
    another size, or the same as before are dropped and counted. A broken connection is opened again; until then the
    camera is lost.

    Attributes:
        source: number of a device or its path, best below `/dev/v4l/by-id`; an address, `http://`, `https://`,
            `rtsp://` or `rtsps://`; or a recording, relative to the launch file, which is played at its own rate.
        width, height: size of its images [px]; a device is set to it, and a camera with another size is the wrong one.
        serial: serial number of the USB device that is wanted; empty accepts any.
        calibration: projection and pose of the camera; without one there is no `info`.
        loop: whether a recording starts again at its end, where it is lost otherwise.
        patience: longest time from opening to the first picture [s].
    """

    source: int | Path | str = 0
    width: int = 640
    height: int = 480
    serial: str = ""
    calibration: Calibration | None = None
    loop: bool = False
    patience: float = 10.0

    rate = 30.0  # [Hz]
    lost_within = 1.0

    def ports(self) -> Ports:
        """Declare images of its size, in the frame of its calibration."""
        ports = super().ports().refine("rgb", sizes={"h": self.height, "w": self.width})
        return ports if self.calibration is None else ports.refine("info", frame=self.calibration.frame)

    def claims(self) -> Iterable[str]:
        """Yield the camera's device file, which one program alone can read, and its serial number."""
        yield from super().claims()
        source = Source.read(self.source)
        if source.kind == "device":
            yield f"the camera {Path(source.place).resolve()}"

    def check(self) -> Iterable[str]:
        """Check the source, the size of the images, the calibration and the patience."""
        try:
            source = Source.read(self.source)
        except ValueError as error:
            yield str(error)
        else:
            if source.kind == "recording":
                yield from self._recording_problems(source)
        yield from SIZES.problems(width=self.width, height=self.height)
        made = self.calibration
        if made is not None and (made.width, made.height) != (self.width, self.height):
            yield f"calibration must be for images of {self.width}×{self.height}, got {made.width}×{made.height}"
        yield from Range(0, 1e6, "s", "()").problems(patience=self.patience)

    def open(self) -> None:
        """Open the source, and wait for the first picture.

        Raises:
            DeviceLost: no picture arrives in time.
            NoDevice: this machine has no such camera.
            LaunchError: a node subscribes to `info`, and the camera has no calibration.
        """
        if "info" in self.listened and self.calibration is None:
            message = "the camera needs the setting 'calibration': a node subscribes to its output 'info'"
            help_ = ("'embodied calibrate camera' measures it, and writes it into a file for --site",)
            raise LaunchError([Problem("E204", message, help=help_)])
        from drivers.uvc.recording import Recording
        from drivers.uvc.stream import Stream

        self._since: int | None = None
        self._rectify = self._rectification()
        self._source = Source.read(self.source)
        if self._source.kind == "recording":
            self._feed: Recording | Stream = Recording(self._source, loop=self.loop)
            return
        if self._source.kind == "device" and not Path(self._source.place).exists():
            raise NoDevice(f"camera {self._source.place}", "`embodied driver scan uvc` lists the cameras")
        self._feed = Stream(self._source, self.width, self.height, self.patience, self.lost_within)

    def identify(self) -> Identity:
        """Return what the system or the server reports of the camera, and the size of its first picture."""
        from drivers.uvc.identity import identify, is_known

        identity = identify(self._source, self._feed.size)
        self._feed.identity = identity if is_known(identity, self._source) else None
        return identity

    def step(self, now: Time) -> CameraOutput:
        """Return the newest picture, if it is new.

        Raises:
            DeviceLost: no new picture arrived for `lost_within`; raised again each time that it passes once more.
        """
        picture = self._feed.take(now)
        status = DeviceStatus(state="ready", rejected=self._feed.rejected)
        if picture is None:
            self._since = now if self._since is None else self._since
            if now - self._since <= self.lost_within * SECOND:
                return CameraOutput(None, None, status)
            self._since = now
            why = f"{self._feed.trouble()}; {self._feed.rejected} pictures were rejected since it was opened"
            raise DeviceLost(f"no new picture from {self._source} for {self.lost_within:g} s: {why}")
        self._since = picture.acquired
        image = Image(data=self._rectify(picture.rgb), acquired=picture.acquired)
        return CameraOutput(image, None if self.calibration is None else self.calibration.info(), status)

    def close(self) -> None:
        """Release the camera, if it is open."""
        feed = self.__dict__.pop("_feed", None)
        if feed is not None:
            feed.close()

    def _recording_problems(self, source: Source) -> Iterator[str]:
        """Yield why a recording cannot be played: its first picture cannot be read, or has another size."""
        from drivers.uvc.recording import Recording

        try:
            recording = Recording(source, loop=False)
        except DeviceLost as error:
            yield f"source: {error}"
            return
        recording.close()
        width, height = recording.size
        if (width, height) != (self.width, self.height):
            yield f"width and height must be {width} and {height} as in {source}, got {self.width} and {self.height}"

    def _rectification(self) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
        if self.calibration is None or not any(self.calibration.distortion):
            return lambda rgb: rgb
        from drivers.uvc.rectify import Rectify

        return Rectify(self.calibration)
