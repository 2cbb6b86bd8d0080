"""Session of an unmodified MAVSDK with one vehicle, for scripts in a process of their own.

MAVSDK is a native library whose threads may crash while the interpreter shuts down: `run.py` ends without unloading it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from mavsdk import ComponentType, Configuration, Mavsdk
from mavsdk.plugins.action import Action
from mavsdk.plugins.offboard import Offboard
from mavsdk.plugins.telemetry import Telemetry

PAUSE = threading.Event()


class Session:
    """Session with the vehicle that sends to a port of this machine.

    Attributes:
        system: system of MAVSDK.
        telemetry, action, offboard: plugins that most scripts need.
    """

    def __init__(self, port: int) -> None:
        self._mavsdk = Mavsdk(Configuration.create_with_component_type(ComponentType.GROUND_STATION))
        self._mavsdk.add_any_connection(f"udpin://127.0.0.1:{port}")
        self.wait("a system", lambda: any(system.has_autopilot() for system in self._mavsdk.get_systems()))
        self.system: Any = next(system for system in self._mavsdk.get_systems() if system.has_autopilot())
        self.telemetry, self.action, self.offboard = Telemetry(self.system), Action(self.system), Offboard(self.system)

    def wait(self, what: str, condition: Callable[[], bool], seconds: float = 60.0) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
            PAUSE.wait(0.05)

    def healthy(self) -> None:
        """Wait until it may be armed."""
        self.wait("healthy", self.telemetry.health_all_ok)

    def lift(self, height: float | None = None) -> None:
        """Arm and take off, and wait until it hovers."""
        self.healthy()
        self.action.arm()
        if height is not None:
            self.action.set_takeoff_altitude(height)
        self.action.takeoff()
        self.wait(
            "hovering", lambda: self.height > 0.8 * (height or 2.5) and self.telemetry.flight_mode().name == "HOLD"
        )

    def land(self) -> None:
        """Land, and wait until its motors stand."""
        self.action.land()
        self.wait("landed", lambda: not self.telemetry.armed())

    @property
    def height(self) -> float:
        """Height above home [m]."""
        return float(self.telemetry.position().relative_altitude_m)

    @property
    def place(self) -> tuple[float, float, float]:
        """North, east and down of the local origin [m]."""
        at = self.telemetry.position_velocity_ned().position
        return at.north_m, at.east_m, at.down_m

    @property
    def heading(self) -> float:
        """Heading from north [deg]."""
        return float(self.telemetry.attitude_euler().yaw_deg)

    def arrives(self, north: float, east: float, down: float, near: float = 0.4) -> None:
        """Wait until it is at a place [m]."""
        self.wait(
            f"at {north}, {east}, {down}",
            lambda: max(abs(a - b) for a, b in zip(self.place, (north, east, down), strict=True)) < near,
        )

    def geodetic(self, north: float, east: float) -> tuple[float, float]:
        """Return latitude and longitude of a place from home [m] [deg]."""
        home = self.telemetry.home()
        return home.latitude_deg + north / 111_195.0, home.longitude_deg + east / 75_270.0
