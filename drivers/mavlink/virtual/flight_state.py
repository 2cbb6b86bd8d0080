"""State of the virtual autopilot, which its failsafes, its guidance and its decisions share; no I/O, no MAVLink."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.mission_follower import MissionFollower
from drivers.mavlink.virtual.parameters import PARAMETERS
from drivers.mavlink.virtual.targets import AttitudeTarget, Orbit, Sticks, Target
from embodied.messages import Vector

STOPPING_TIME = 0.5
"""Time in which it plans to stop from any speed, to hold where it comes to rest [s]."""

STICK_TIMEOUT = 0.5
"""Time after which a pilot's sticks are lost [s]."""

TEXT_PERIOD = 1.0
"""Time between two equal texts about a set-point [s]."""


class Denied(Exception):
    """Request that the virtual PX4 denies, with its reason."""


class Fence(Protocol):
    """Geofence that the virtual autopilot keeps to; the ceiling is a parameter."""

    def contains(self, east: float, north: float, up: float) -> bool:
        """Return whether a place is allowed [m]."""


class FlightState:
    """State of the virtual PX4, which starts on the ground, disarmed, in hold.

    Args:
        parameters: parameters with other values than by default.

    Attributes:
        mode: current flight mode.
        armed: whether its motors are armed.
        landed: whether it stands on the ground.
        home: home position [m]; None before it knows its position.
        rally: further places to return to, each shape (3,) [m].
        fence: geofence; None if there is none.
        mission: mission that it flies in mission mode, and its progress.
        parameters: values by name.
        cruise: horizontal speed of its own flights [m/s]; None for that of the flight controller.
        gnss: whether its satellite receiver works.
        ignores_modes: whether it acknowledges requests of modes, and flies on.
        piloted: whether a pilot holds the sticks, so that no computer may change its mode.
        texts: syslog severity and text of its messages to people, which whoever sends them removes.
        charge: charge of its battery, 0 to 1.
        heartbeat_time: time of the newest heartbeat of a client [s]; None before the first and after a link loss.
    """

    def __init__(self, parameters: dict[str, int | float]) -> None:
        self.parameters = PARAMETERS | parameters
        self.mode = Mode.HOLD
        self.armed, self.landed = False, True
        self.home: Vector | None = None
        self.rally: list[Vector] = []
        self.fence: Fence | None = None
        self.mission = MissionFollower()
        self.cruise: float | None = None
        self.gnss = True
        self.ignores_modes, self.piloted = False, False
        self.texts: list[tuple[int, str]] = []
        self.charge = 1.0
        self.heartbeat_time: float | None = None
        self._now = 0.0
        self._at, self._velocity, self._yaw = np.zeros(3), np.zeros(3), 0.0
        self._target, self._heading = np.zeros(3), 0.0
        self._setpoint: tuple[float, Target | AttitudeTarget] | None = None
        self._sticks: tuple[float, Sticks] | None = None
        self._orbit: Orbit | None = None
        self._followed: Vector | None = None
        self._return_place: Vector | None = None
        self._height = 0.0
        self._said: dict[str, float] = {}

    def say(self, severity: int, text: str, *, once: bool = False) -> None:
        """Send a text to people.

        Args:
            severity: severity as in syslog, 0 the highest.
            text: text, of which the first 50 characters are sent.
            once: whether it is sent at most once in `TEXT_PERIOD`, since its cause is repeated.
        """
        if once and self._now - self._said.get(text, -TEXT_PERIOD) < TEXT_PERIOD:
            return
        self._said[text] = self._now
        self.texts.append((severity, text))

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        # To hold where it comes to rest is to hold without going back.
        self._target, self._heading = self._at + STOPPING_TIME * self._velocity, self._yaw
        self._followed = None
        self.mission.interrupt()
        if mode is Mode.TAKEOFF and self.home is not None:
            self._height = float(self.home[2] + self.parameters["MIS_TAKEOFF_ALT"])
        if mode is Mode.RETURN and self.home is not None:
            places = [self.home, *self.rally]
            self._return_place = min(places, key=lambda place: float(np.linalg.norm(place[:2] - self._at[:2])))

    def _setpoints_come(self) -> bool:
        return self._setpoint is not None and self._now - self._setpoint[0] <= self.parameters["COM_OF_LOSS_T"]

    def _sticks_come(self) -> bool:
        return self._sticks is not None and self._now - self._sticks[0] <= STICK_TIMEOUT

    def _outside(self, position: Vector) -> bool:
        ceiling = float(self.parameters["GF_MAX_VER_DIST"])
        if self.home is None:
            return False
        east, north, up = map(float, position)
        if 0 < ceiling < up - self.home[2]:
            return True
        return self.fence is not None and not self.fence.contains(east, north, 0.0)
