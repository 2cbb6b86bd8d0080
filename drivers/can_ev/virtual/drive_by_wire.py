"""Virtual drive-by-wire unit, as `generic.dbc` specifies it: when it takes over, what it latches, how it stops."""

from __future__ import annotations

from drivers.can_ev.vehicle import ENGAGE_SPEED, DriveCommand
from embodied.bodies import CarSensors
from embodied.devices.drive_by_wire import BRAKING, CHARGE_LEAST, LOW_BATTERY, STANDSTILL_SPEED, SpeedControl

STEERING_RATE = 0.8
"""Rate at which it turns the front wheels at the road [rad/s]."""

ACCELERATION = 2.0
"""Largest acceleration where a command states none [m/s²]."""

INVALID = "invalid commands"
"""Fault of commands with wrong checksums or counters."""

TIMED_OUT = "command time-out"
"""Fault of commands that ceased."""


class DriveByWireUnit:
    """Virtual drive-by-wire unit as a state machine; call `receive` for each command, and `step` once a cycle.

    Args:
        period: time of a cycle [s].

    Attributes:
        engaged: whether it follows commands.
        stopping: whether it makes a controlled stop.
        overridden: whether a person took over, latched.
        faults: names of the latched faults.
        present: names of the faults whose cause is present.
        pressed: whether its emergency stop is pressed.
        person: whether somebody brakes, accelerates or steers.
        ignores_stop: whether it reports that it has let go, and drives on.
    """

    def __init__(self, period: float) -> None:
        self.engaged = self.stopping = self.overridden = self.pressed = self.person = self.ignores_stop = False
        self.faults: set[str] = set()
        self.present: set[str] = set()
        self._control = SpeedControl()
        self._period = period
        # True, since an edge must be seen: a host that enabled before power came on has to disable first.
        self._enabled = True
        self._command = DriveCommand()
        self._distrust = ""
        self._steering = 0.0

    @property
    def following(self) -> bool:
        """Whether its newest command controls the vehicle, rather than asks the unit to take over."""
        return self._command.ready

    @property
    def gear(self) -> str:
        """Gear that is engaged, one of P, N, D."""
        return self._control.gear

    def receive(self, command: DriveCommand) -> None:
        """Take a command that has come whole."""
        rising, self._enabled = command.enable and not self._enabled, command.enable
        if command.clear and not command.enable:
            self.faults &= self.present
            self.overridden = self.person
        if rising and abs(command.speed) <= ENGAGE_SPEED and not self._hindered and not self._distrust:
            self.engaged, self.stopping = True, False
        if self.engaged and not command.enable:
            self._stop()
        if self.engaged:
            self._command = command

    def step(self, distrust: str, motions: CarSensors) -> tuple[float, float]:
        """Run one cycle of the unit.

        Args:
            distrust: reason why commands are not trusted any more; empty if they are.
            motions: measured motion of the vehicle.

        Returns:
            angle of the front wheels [rad], and acceleration [m/s²].
        """
        if motions.charge < CHARGE_LEAST:
            self.faults.add(LOW_BATTERY)
        self._distrust = distrust
        if distrust and self.engaged:
            self.faults.add(INVALID if "wrong" in distrust else TIMED_OUT)
        self.faults |= self.present
        if self.person:
            self.overridden, self.engaged, self.stopping = True, False, False
        if self.engaged and self._hindered:
            self._stop()
        if self.stopping and (self.ignores_stop or abs(motions.speed) <= STANDSTILL_SPEED):
            self.stopping = False
        return self._control_vehicle(motions)

    @property
    def _hindered(self) -> bool:
        return bool(self.faults) or self.overridden or self.pressed

    def _stop(self) -> None:
        self.engaged, self.stopping = False, True

    def _control_vehicle(self, motions: CarSensors) -> tuple[float, float]:
        if not (self.engaged or self.ignores_stop):
            # The wheels stay where they are; in manual mode with nobody in it, the brakes hold the standing vehicle.
            return self._steering, -BRAKING
        command, step = self._command, STEERING_RATE * self._period
        self._steering += min(max(command.steering - self._steering, -step), step)
        limit = command.acceleration or ACCELERATION
        _, acceleration = self._control.step(command.speed, command.gear, limit, motions)
        return self._steering, acceleration
