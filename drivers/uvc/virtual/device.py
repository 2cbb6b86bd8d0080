"""Virtual camera: streams what a camera of the simulated world sees, as a network camera does."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from drivers.uvc.codec import Jpeg, encode
from drivers.uvc.identity import SERIAL, VIRTUAL
from drivers.uvc.virtual.mjpeg_server import MjpegServer
from embodied import Ports, Time
from embodied.bodies import camera, view_problems
from embodied.devices.disturbance import EVERY, Disturbance, Disturber, flip_bit
from embodied.devices.virtual import VirtualDevice
from embodied.errors import LinkFailed
from embodied.geometry import BASE
from embodied.messages import CameraInfo, Image
from embodied.ranges import Range
from embodied.world import World

MODEL = "embodied virtual camera"
"""Model that it reports."""

PROBE = 2048
"""Size of the comment in each picture [B]: FFmpeg needs as much of a stream to detect its kind."""


class Exposure(NamedTuple):
    """Exposure of a virtual camera: picture before compression, and the calibration that measuring it would give."""

    rgb: Image | None
    info: CameraInfo


@dataclass
class VirtualCamera(VirtualDevice):
    """Virtual camera: streams a camera of the world as Motion JPEG over HTTP, whose headers report that it is virtual.

    Each picture carries its number and time in a comment, so that pictures of a static scene differ, as a real camera's
    do by their noise. It is served as soon as it is open; the clock of the graph may start later.

    Attributes:
        view: name of the camera in the world; also its serial number.
        width, height: size of its images [px].
        host: address that it is served at.
        port: port that it is served at; 0 for any free one.
        quality: quality of the JPEG, 1 to 100.
        vary: whether its lens and sensor have flaws, drawn from the seed.
        frame: frame of its pose: the robot's base, or the body that carries it.
    """

    view: str = "overhead"
    width: int = 320
    height: int = 240
    host: str = "127.0.0.1"
    port: int = 8554
    quality: int = 90
    vary: bool = False
    frame: str = BASE

    rate = 30.0  # [Hz]
    disturbances = ("truncate", "flip", "repeat")

    def ports(self) -> Ports:
        """Declare images of its size, and the frame of its pose."""
        sizes = {"h": self.height, "w": self.width}
        return super().ports().refine("rgb", rendered=True, sizes=sizes).refine("info", frame=self.frame)

    def check(self) -> Iterable[str]:
        """Check the size of its images, the quality and the port."""
        yield from Range(16, 4096, "px").problems(width=self.width, height=self.height)
        yield from Range(1, 100).problems(quality=self.quality)
        yield from Range(0, 65535).problems(port=self.port)

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has a camera of this name."""
        return view_problems(world, self.view)

    def open(self, world: World) -> None:
        """Take the camera of the world, and serve its first picture.

        Raises:
            WorldFailed: the world has no such camera, or its pose is in another frame.
            LinkFailed: the port is taken.
        """
        self._camera = camera(world, self.view, width=self.width, height=self.height, frame=self.frame)
        if self.vary:
            self._camera.vary(self.rng)
        self._count = 0
        self._serial = self.view
        self._path = f"/virtual/{self.view}.mjpg"
        self._disturber = Disturber(self._flip, self._truncate)
        self._frozen: bytes | None = None
        self._sent: bytes = b""
        try:
            self._server = MjpegServer(self.host, self.port, f"/virtual/{self.view}.mjpg", self._headers())
        except OSError as error:
            raise LinkFailed(
                f"the virtual camera cannot be served at {self.host}:{self.port}: {os.strerror(error.errno or 0)}; "
                "give it another port, and its driver the same"
            ) from error
        self.address = self._server.address
        self.step(Time(0))

    def step(self, now: Time) -> Exposure:
        """Take one picture, and send it to every client."""
        rgb = self._camera.render(rgb=True).rgb
        assert rgb is not None
        self._count += 1
        self._send(encode(rgb, self.quality, f"{self._count} {now} ns".ljust(PROBE)))
        image = Image(data=rgb, acquired=now) if "rgb" in self.listened else None
        return Exposure(image, self._camera.info())

    def close(self) -> None:
        """Stop serving, and close every connection."""
        server = self.__dict__.pop("_server", None)
        if server is not None:
            server.close()

    def unplug(self) -> None:
        """Keep the connections, and let nothing through."""
        self._server.unplug()

    def plug(self) -> None:
        """Break the old connections, and serve new ones."""
        self._server.plug()

    def freeze(self) -> None:
        """Send the same picture again and again."""
        self._frozen = self._sent

    def thaw(self) -> None:
        """Send new pictures again after `freeze`."""
        self._frozen = None

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Truncate a picture, flip a bit of its structure, or send it twice.

        A flipped bit of the compressed pixels could not be detected: JPEG has no checksum.
        """
        self._disturber.set(how, every)

    def replace(self, serial: str) -> None:
        """Put another camera of the same model, with another serial number, in its place, at its address."""
        self._serial = serial
        self._server.introduce(self._headers())

    def clear_faults(self) -> None:
        """Send new and whole pictures again, as the camera that it was."""
        self.disturb("")
        self.thaw()
        if self._serial != self.view:
            self.replace(self.view)

    def _headers(self) -> dict[str, str]:
        return {"Server": MODEL, VIRTUAL: "yes", SERIAL: self._serial, "Content-Location": self._path}

    def _send(self, jpeg: bytes) -> None:
        if self._frozen is not None:
            jpeg = self._frozen
        self._sent = jpeg
        for each in self._disturber.apply(jpeg):
            self._server.send(each)

    def _flip(self, jpeg: bytes) -> bytes:
        return flipped(jpeg, int(self.rng.integers(2**31)))

    def _truncate(self, jpeg: bytes) -> bytes:
        return jpeg[: int(self.rng.integers(2, len(jpeg) - 2))]


def flipped(jpeg: bytes, which: int) -> bytes:
    """Return a JPEG of the virtual camera with one bit of its structure flipped, chosen by a number."""
    indices = Jpeg(jpeg).structure
    return flip_bit(jpeg, 8 * indices[which // 8 % len(indices)] + which % 8)
