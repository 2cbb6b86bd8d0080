"""The far side: what a camera of the simulated world sees, as a network camera streams it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from drivers.uvc.codec import Jpeg, encode
from drivers.uvc.identity import SERIAL, VIRTUAL
from drivers.uvc.virtual.mjpeg_server import Server
from embodied import Ports, Time
from embodied.bodies import camera, view_problems
from embodied.devices.disturbance import EVERY, Disturbance, Disturber, flip_bit
from embodied.devices.virtual import VirtualDevice
from embodied.errors import LinkFailed
from embodied.geometry import BASE
from embodied.messages import CameraInfo, Image
from embodied.world import World

MODEL = "embodied virtual camera"
PROBE = 2048
"""FFmpeg wants so much of a stream before it says what it is [B]; a small picture alone would not be seen."""


class Exposure(NamedTuple):
    """What was sent, before it was compressed, and what a calibration of this camera would find."""

    rgb: Image | None
    info: CameraInfo


@dataclass
class VirtualCamera(VirtualDevice):
    """Streams a camera of the world as Motion JPEG over HTTP, and says in its headers that it is virtual.

    Each picture carries its number and time in a comment, so that those of a scene that stands still differ, as a real
    camera's do by their noise. It is served from the moment it is open; the clock of the graph may begin later.

    Attributes:
        view: which camera of the world; also its serial number.
        width, height: size of its images [px].
        host: where it is served.
        port: where it is served; 0 is any that is free.
        quality: of the JPEG, 1 to 100.
        vary: whether its lens and sensor have flaws, drawn from the seed.
        frame: in which its pose is told: the robot's base, or the body that carries it.
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
        """Images of its size, and the frame of its pose."""
        sizes = {"h": self.height, "w": self.width}
        return super().ports().refine("rgb", rendered=True, sizes=sizes).refine("info", frame=self.frame)

    def check(self) -> Iterable[str]:
        """Problems with the size, the quality or the port."""
        for name, value, low, high in (
            ("width", self.width, 16, 4096),
            ("height", self.height, 16, 4096),
            ("quality", self.quality, 1, 100),
            ("port", self.port, 0, 65535),
        ):
            if not low <= value <= high:
                yield f"{name} is {value}, and it may be {low} to {high}"

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has a camera of this name."""
        return view_problems(world, self.view)

    def open(self, world: World) -> None:
        """Find the camera in the world, and serve its first picture.

        Raises:
            WorldFailed: the world has no such camera, or its pose is told in another frame.
            LinkFailed: somebody else is served there.
        """
        self._camera = camera(world, self.view, width=self.width, height=self.height, frame=self.frame)
        if self.vary:
            self._camera.vary(self.rng)
        self._count = 0
        self._disturber = Disturber(self._flip, self._truncate)
        self._frozen: bytes | None = None
        self._sent: bytes = b""
        try:
            self._server = Server(
                self.host, self.port, f"/virtual/{self.view}.mjpg", {"Server": MODEL, **self._plate()}
            )
        except OSError as error:
            raise LinkFailed(
                f"the virtual camera cannot be served at {self.host}:{self.port}: {os.strerror(error.errno or 0)}; "
                "give it another port, and its driver the same"
            ) from error
        self.address = self._server.address
        self.step(Time(0))

    def step(self, now: Time) -> Exposure:
        """One exposure, sent to whoever listens."""
        seen = self._camera.render(rgb=True).rgb
        assert seen is not None
        self._count += 1
        self._send(encode(seen, self.quality, f"{self._count} {now} ns".ljust(PROBE)))
        rgb = Image(data=seen, acquired=now) if "rgb" in self.listened else None
        return Exposure(rgb, self._camera.info())

    def close(self) -> None:
        """Let every client go."""
        server = self.__dict__.pop("_server", None)
        if server is not None:
            server.close()

    def unplug(self) -> None:
        """Links stay as they are, and nothing comes through."""
        self._server.unplug()

    def plug(self) -> None:
        """Links from before are broken; new ones are served."""
        self._server.plug()

    def freeze(self) -> None:
        """It goes on sending, and always the same picture."""
        self._frozen = self._sent

    def thaw(self) -> None:
        """It sends what it sees."""
        self._frozen = None

    def disturb(self, how: Disturbance, every: int = EVERY) -> None:
        """Cut a picture off, turn a bit of what holds it together, or send it twice.

        A bit of the compressed pixels would change some of these, and no receiver could tell: JPEG has no checksum.
        """
        self._disturber.set(how, every)

    def _plate(self) -> dict[str, str]:
        return {VIRTUAL: "yes", SERIAL: self.view}

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
    """A picture with one bit turned of those that hold it together, chosen by a number."""
    places = Jpeg(jpeg).structure
    return flip_bit(jpeg, 8 * places[which // 8 % len(places)] + which % 8)
