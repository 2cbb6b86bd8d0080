"""Unmodified MAVSDK flies the virtual autopilot, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from drivers.mavlink.virtual import VirtualPX4
from embodied.testing.serving import Serving
from tests.drivers.mavlink.bench import port
from tests.drivers.multirotor import Sky

pytest.importorskip("mavsdk", reason="MAVSDK is not installed", exc_type=ImportError)

SCRIPT = Path(__file__).with_name("mavsdk_flight.py")


def test_unmodified_mavsdk_flies_the_virtual_autopilot() -> None:
    virtual = VirtualPX4(source=0, target=port(), parameters={"COM_DISARM_LAND": 0.5})
    with Serving(virtual, Sky()):
        done = subprocess.run(
            [sys.executable, str(SCRIPT), str(virtual.target)],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONUNBUFFERED": "1"},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    steps = [line for line in done.stdout.splitlines() if line in STEPS]
    assert steps == STEPS


STEPS = [
    "found",
    "healthy",
    "armed",
    "taken off",
    "flown offboard",
    "flown a mission",
    "landed and disarmed",
]
