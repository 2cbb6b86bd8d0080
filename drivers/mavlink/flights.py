"""Flights that a program requests of a vehicle beside commands: take-off, landing, return, and missions."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from embodied.errors import DeviceLost, NotStopped

if TYPE_CHECKING:
    from drivers.mavlink.coordinates import Origin
    from drivers.mavlink.mission import Waypoint
    from drivers.mavlink.mode_supervisor import ModeSupervisor
    from drivers.mavlink.vehicle import Vehicle

MODE_TIMEOUT = 3.0
"""Time for the vehicle to change its mode [s]."""


class Flights:
    """Flights of the driver `Mavlink`, which an armed vehicle flies by itself."""

    url: str
    fence: Geofence | None
    _armed: bool
    _reason: str
    _supervisor: ModeSupervisor

    def takeoff(self, height: float) -> None:
        """Take off from where the vehicle stands, and hover there.

        Args:
            height: height above home [m].

        Raises:
            NotStopped: the vehicle denies it, or is not armed.
            ValueError: the height is not above 0, or outside the geofence.
        """
        ceiling = math.inf if self.fence is None else self.fence.altitude
        if not 0 < height < ceiling:
            raise ValueError(f"take-off height must be in (0, {ceiling:g}) m, inside the geofence, got {height:g}")
        with self._withdrawn():
            self._armed_vehicle().take_off(height, MODE_TIMEOUT)
        self._supervisor.request(Mode.TAKEOFF, Mode.HOLD)

    def land(self) -> None:
        """Land where the vehicle is; its motors stop then.

        Raises:
            NotStopped: the vehicle denies it, or is not armed.
        """
        with self._withdrawn():
            self._armed_vehicle().change_mode(Mode.LAND, MODE_TIMEOUT)
        self._supervisor.request(Mode.LAND)

    def back(self) -> None:
        """Return to home, and land there.

        Raises:
            NotStopped: the vehicle denies it, or is not armed.
        """
        with self._withdrawn():
            self._armed_vehicle().change_mode(Mode.RETURN, MODE_TIMEOUT)
        self._supervisor.request(Mode.RETURN, Mode.LAND)

    def fly(self, mission: Sequence[Waypoint]) -> None:
        """Upload a mission, read it back, and fly it.

        Raises:
            NotStopped: the vehicle denies it, or is not armed.
            ValueError: a step is not finite, or outside the geofence; nothing was sent.
        """
        from drivers.mavlink.mission import FINAL_MODES, mission_items

        vehicle = self._armed_vehicle()
        items = mission_items(mission, self._origin())
        for number, step in enumerate(mission, 1):
            if self.fence is not None and step.do != "return" and not self.fence.contains(*map(float, step.position)):
                raise ValueError(f"step {number} of the mission is outside the geofence: {step}")
        vehicle.set_mission(items)
        with self._withdrawn():
            vehicle.change_mode(Mode.MISSION, MODE_TIMEOUT)
        successors = (mode for step in mission for mode in FINAL_MODES.get(step.do, ()))
        self._supervisor.request(Mode.MISSION, Mode.HOLD, *successors)

    @contextlib.contextmanager
    def _withdrawn(self) -> Iterator[None]:
        """Have the next steps bring the vehicle to hold if a request fails, since it may have been carried out."""
        try:
            yield
        except (DeviceLost, NotStopped):
            self._supervisor.request(Mode.HOLD)
            raise

    def _armed_vehicle(self) -> Vehicle:
        if not self._armed:
            raise NotStopped(f"the vehicle at {self.url} is not armed: {self._reason}")
        return self._open_vehicle()

    def _origin(self) -> Origin:
        origin = self._open_vehicle().origin()
        if origin is None:
            raise NotStopped(f"the vehicle at {self.url} does not know its position yet: has it a GNSS fix?")
        return origin

    def _open_vehicle(self) -> Vehicle:
        raise NotImplementedError
