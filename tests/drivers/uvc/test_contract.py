"""The camera keeps what every driver keeps: on a real link, from a camera of the simulated world."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

from drivers.uvc import Camera
from drivers.uvc.virtual import VirtualCamera
from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from embodied.testing.serving import Serving
from sims.tabletop.world import Tabletop
from tests.embodied.robots import robot


class CameraBench(Bench):
    """A camera above the table."""

    commanded = False

    def __init__(self) -> None:
        self.virtual: VirtualCamera = VirtualCamera(port=0)

    def driver(self, **changes: Any) -> Camera:
        return Camera(**{"source": self.virtual.address, "width": 320, "height": 240, **changes})

    @contextmanager
    def served(self) -> Iterator[None]:
        with Serving(self.virtual, Tabletop(robot("panda"))):
            yield

    def wrong(self) -> list[dict[str, Any]]:
        return [*super().wrong(), {"width": 640, "height": 480}]


class TestCamera(DriverContract):
    def bench(self) -> Bench:
        return CameraBench()
