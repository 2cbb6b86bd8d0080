"""The camera keeps what every driver keeps: on a real link, from a camera of the simulated world."""

from __future__ import annotations

import pytest

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

from embodied.testing.benches.bench import Bench
from embodied.testing.driver_contract import DriverContract
from tests.drivers.uvc.bench import CameraBench


class TestCamera(DriverContract):
    def bench(self) -> Bench:
        return CameraBench()
