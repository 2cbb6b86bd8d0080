"""Vehicle for the script of a client, which runs in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from drivers.mavlink.virtual import VirtualPX4
from embodied.testing.serving import Serving
from tests.drivers.mavlink.bench import port
from tests.drivers.multirotor import Sky

TIMEOUT = 150.0
"""Time for the scripts of one vehicle [s]."""


def run(names: Sequence[str]) -> str:
    """Run scripts on a new vehicle, and return what they printed."""
    virtual = VirtualPX4(source=0, target=port(), parameters={"COM_DISARM_LAND": 0.5, "MPC_LAND_SPEED": 1.2})
    with Serving(virtual, Sky()):
        try:
            done = subprocess.run(
                [sys.executable, "-m", "tests.drivers.mavlink.clients.run", str(virtual.target), *names],
                capture_output=True,
                text=True,
                cwd=Path(__file__).parents[4],
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
                timeout=TIMEOUT,
            )
        except subprocess.TimeoutExpired as error:
            return f"not within {TIMEOUT:.0f} s: {error.stdout!r}"
    return done.stdout + done.stderr
