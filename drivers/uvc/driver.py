"""A camera as a node: the newest picture, once, with how it projects."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from drivers.uvc.source import Source
from embodied import SECOND, Driver, Ports, Time
from embodied.calibration import Calibration
from embodied.errors import DeviceLost, LaunchError, NoDevice, Problem
from embodied.messages import CameraInfo, DeviceStatus, Image
from embodied.node.identity import Identity

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LARGEST = 16384  # [px]


class CameraOutput(NamedTuple):
    """A picture, how it projects if that is known, and how the camera is."""

    rgb: Image | None
    info: CameraInfo | None
    status: DeviceStatus


@dataclass
class Camera(Driver):
    """A camera that OpenCV reads.

    Pictures are rectified, so that `info`, a pinhole, is all there is to know about them. What is truncated, of another
    size, or the same as before is not given, and counted. A link that breaks is made anew, and meanwhile it is lost.

    Attributes:
        source: number of a device or its path, best that below `/dev/v4l/by-id`; an address, `http://`, `https://`,
            `rtsp://` or `rtsps://`; or a recording, which is played at its own pace.
        width, height: size of its images [px]; a device is asked for it, and what gives another is the wrong camera.
        serial: of its USB device, if it must be that one.
        calibration: how it projects and where it stands; without one there is no `info`.
        loop: whether a recording begins again; otherwise it is lost at its end.
        patience: how long it may take from opening to the first picture [s].
    """

    source: int | str = 0
    width: int = 640
    height: int = 480
    serial: str = ""
    calibration: Calibration | None = None
    loop: bool = False
    patience: float = 10.0

    rate = 30.0  # [Hz]
    lost_within = 1.0

    def ports(self) -> Ports:
        """Images of its size, in the frame of its calibration."""
        ports = super().ports().refine("rgb", sizes={"h": self.height, "w": self.width})
        return ports if self.calibration is None else ports.refine("info", frame=self.calibration.frame)

    def check(self) -> Iterable[str]:
        """Whether there can be such a source, with such images."""
        try:
            Source.read(self.source)
        except ValueError as error:
            yield str(error)
        for name, size in (("width", self.width), ("height", self.height)):
            if not 1 <= size <= LARGEST:
                yield f"{name} is {size} px, and an image has 1 to {LARGEST}"
        known = self.calibration
        if known is not None and (known.width, known.height) != (self.width, self.height):
            sizes = f"{known.width}×{known.height}, and these are {self.width}×{self.height}"
            yield f"the calibration is about images of {sizes}"
        if not 0.0 < self.patience < 1e6:
            yield f"patience is {self.patience:g} s, and the first picture takes longer than that"

    def open(self) -> None:
        """Wait for the first picture.

        Raises:
            DeviceLost: there is none.
            NoDevice: this machine has no such camera.
            LaunchError: somebody takes `info`, and it has no calibration.
        """
        if "info" in self.listened and self.calibration is None:
            message = "the camera needs the setting 'calibration': somebody takes its output 'info'"
            help_ = ("'embodied calibrate camera' finds it, for a file that is given as --site",)
            raise LaunchError([Problem("E204", message, help=help_)])
        from drivers.uvc.recording import Recording
        from drivers.uvc.stream import Stream

        self._since: int | None = None
        self._straight = self._rectification()
        self._source = Source.read(self.source)
        if self._source.kind == "recording":
            self._feed: Recording | Stream = Recording(self._source, loop=self.loop)
            return
        if self._source.kind == "device" and not Path(self._source.place).exists():
            raise NoDevice(f"camera {self._source.place}", "`embodied driver scan uvc` says which there are")
        self._feed = Stream(self._source, self.width, self.height, self.patience, self.lost_within)

    def identify(self) -> Identity:
        """What the system or the server calls it, and the size of its first picture."""
        from drivers.uvc.identity import identify

        return identify(self._source, self._feed.size)

    def step(self, now: Time) -> CameraOutput:
        """The newest picture.

        Raises:
            DeviceLost: there was no new one for longer than `lost_within`, and, each time, for as long again.
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
        image = Image(data=self._straight(picture.rgb), acquired=picture.acquired)
        return CameraOutput(image, None if self.calibration is None else self.calibration.info(), status)

    def close(self) -> None:
        """Give the camera back; without effect where it is not open."""
        feed = self.__dict__.pop("_feed", None)
        if feed is not None:
            feed.close()

    def _rectification(self) -> Callable[[NDArray[np.uint8]], NDArray[np.uint8]]:
        if self.calibration is None or not any(self.calibration.distortion):
            return lambda rgb: rgb
        from drivers.uvc.rectify import Rectify

        return Rectify(self.calibration)
