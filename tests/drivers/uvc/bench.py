"""A camera on the bench: the very driver, and a camera of the simulated world that streams over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from drivers.uvc import Camera
from drivers.uvc.virtual import VirtualCamera
from embodied.devices.virtual import Unsupported
from embodied.testing.benches.bench import Bench, Published
from embodied.testing.serving import Serving
from sims.tabletop.world import Tabletop
from tests.embodied.robots import robot


class CameraBench(Bench):
    """A camera above the table.

    Attributes:
        camera: virtual camera on the bench.
    """

    commanded = False

    def __init__(self) -> None:
        self.camera = VirtualCamera(port=0)
        self.virtual = self.camera

    def driver(self, **changes: Any) -> Camera:
        return Camera(**{"source": self.virtual.address, "width": 320, "height": 240, **changes})

    @contextmanager
    def served(self) -> Iterator[None]:
        with Serving(self.virtual, Tabletop(robot("panda"))):
            yield

    def replacement(self) -> Callable[[], None]:
        return lambda: self.camera.replace("somebody else's")

    def parts(self) -> dict[str, Published]:
        raise Unsupported("picture and projection are one")

    def wrong(self) -> list[dict[str, Any]]:
        return [*super().wrong(), {"width": 640, "height": 480}]
