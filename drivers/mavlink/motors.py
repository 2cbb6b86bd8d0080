"""Orders to start and to stop a vehicle's motors, each read back; one that may have been carried out is taken back."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from drivers.mavlink.flights import MODE_TIMEOUT
from drivers.mavlink.modes import Denied, Mode
from embodied.errors import DeviceLost, NotStopped

REST_TIMEOUT = 4.0
"""Time for the vehicle to come to rest from full speed [s]."""

if TYPE_CHECKING:
    from drivers.mavlink.mode_supervisor import ModeSupervisor
    from drivers.mavlink.vehicle import Vehicle


class Motors:
    """Motors of the vehicle of a driver `Mavlink`."""

    _armed: bool
    _lost: bool
    _ordered: bool
    _supervisor: ModeSupervisor

    def _leave(self, vehicle: Vehicle) -> None:
        """Stop what may still go on by an order of this driver."""
        vehicle.session.poll()
        supervisor = self._supervisor
        if (self._armed or self._ordered) and self._stopped_on_ground(vehicle):
            return
        if self._lost:
            # It cannot be read back; its own failsafe holds it if this does not arrive.
            vehicle.request_mode(Mode.HOLD)
        elif self._armed and supervisor.requested in (Mode.RETURN, Mode.LAND):
            # On its way down by itself, which it goes on with.
            if vehicle.mode not in (Mode.RETURN, Mode.LAND):
                vehicle.change_mode(supervisor.requested, MODE_TIMEOUT)
        elif self._armed:
            self._hold(vehicle)
        elif self._ordered and not self._armed and supervisor.arming_since is not None:
            # Motors that may start later; in the air the vehicle denies it.
            vehicle.set_armed(False)

    def _hold(self, vehicle: Vehicle) -> None:
        """Hold position in the air, and read back that the vehicle comes to rest.

        Raises:
            NotStopped: it does not report hold, or that it stands.
        """
        vehicle.change_mode(Mode.HOLD, MODE_TIMEOUT)
        if not vehicle.comes_to_rest(REST_TIMEOUT):
            raise NotStopped(f"the vehicle reports hold, and flies at {vehicle.speed:.2f} m/s")

    def _stopped_on_ground(self, vehicle: Vehicle) -> bool:
        """Stop the motors of a vehicle that stands on the ground; return False if it does not, or has just left it."""
        if not vehicle.landed:
            return False
        try:
            vehicle.set_armed(False)
        except Denied:
            return False
        self._ordered = False
        return True

    def _order_arming(self, vehicle: Vehicle) -> None:
        """Arm the motors; an order that may have been carried out, and is not confirmed, is taken back."""
        self._ordered = True
        try:
            vehicle.set_armed(True)
        except Denied:
            self._ordered = False
            raise
        except (DeviceLost, NotStopped):
            with contextlib.suppress(DeviceLost, NotStopped):
                vehicle.set_armed(False)
                self._ordered = False
            raise
