"""Supervision of the flight mode: repeat a request until it is reached, and notice a take-over by pilot or failsafe."""

from __future__ import annotations

import numpy as np

from drivers.mavlink.modes import Mode
from drivers.mavlink.target_watch import TargetWatch
from drivers.mavlink.vehicle import Vehicle
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand, Vector

REACH_TIMEOUT = 3.0
"""Time in which a requested mode, or arming, must be reached [s]."""

REPEAT_PERIOD = 0.2
"""Time between two requests of the same mode [s]."""

SETPOINT_GAP = 0.4
"""Time without a set-point after which the autopilot may have left offboard by itself; PX4's limit is 0.5 s [s]."""

REST_SPEED = 0.3
"""Speed below which a vehicle in hold has found its place [m/s]."""

HOLD_DISTANCE = 2.0
"""Distance from its place that a vehicle in hold never leaves by itself, not even in gusts [m]."""

STOPPING_TIME = 2.5
"""Way to hold from any speed, by that speed [s]."""

TEXT_TIMEOUT = 1.0
"""Time for the text that says why the motors have stopped [s]."""

BY_ITSELF = ("Disarmed by landing", "Disarmed by auto preflight disarming")
"""Texts of an autopilot that stops its motors on the ground by itself (PX4, `arm_disarm_reason_str`)."""


class ModeSupervisor:
    """Supervisor of the flight mode of a vehicle that was armed, and holds.

    Args:
        vehicle: vehicle to supervise.

    Attributes:
        requested: mode that was requested last.
        now: time of the newest step.
        arming_since: time of the first order to arm that the vehicle has not confirmed; None if there is none.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self.requested = Mode.HOLD
        self.now = Time(0)
        self._vehicle = vehicle
        self._targets = TargetWatch()
        self.begin()

    def begin(self) -> None:
        """Begin with a vehicle that has just been armed, and holds."""
        self._targets.begin()
        self._vehicle.session.foreign = ""
        self._setpoint_time: Time | None = None
        self._setpoint_place: tuple[Vector, float] | None = None
        self._vehicle.new_modes()
        self.arming_since: Time | None = None
        self._armed_time = self._vehicle.heartbeat_time
        self._disarmed_since: Time | None = None
        self._hold()

    def request(self, mode: Mode, *successors: Mode) -> None:
        """Request a mode, which the next steps repeat until the vehicle reports it.

        Args:
            mode: mode to request.
            successors: modes that the autopilot goes on to by itself.
        """
        self.requested, self._reached, self._successors = mode, False, frozenset(successors)
        self._since, self._asked = self.now, Time(-SECOND)
        self._place: Vector | None = None

    @property
    def may_arm(self) -> bool:
        """Whether the motors stopped by themselves, and so may be armed again; those that somebody stopped may not."""
        said = self._vehicle.session.texts
        return any(at >= self._armed_time and text.startswith(BY_ITSELF) for at, text in said)

    def request_arming(self) -> None:
        """Arm a vehicle on the ground whose motors have stopped by themselves."""
        if self.now - self._asked > REPEAT_PERIOD * SECOND:
            self.arming_since = self.now if self.arming_since is None else self.arming_since
            self._asked = self.now
            self._vehicle.request_arming()

    def setpoint_sent(self, command: DroneCommand) -> None:
        """Note that a set-point was sent, and request offboard mode for it."""
        self._targets.sent(command, self.now)
        self._setpoint_time = self.now
        at = self._vehicle.position
        self._setpoint_place = None if at is None else (at, self._vehicle.speed)
        if self.requested is not Mode.OFFBOARD:
            self.request(Mode.OFFBOARD)

    def step(self) -> str:
        """Repeat what is not reached yet.

        Returns:
            reason to let go of the vehicle, because it denies or somebody else has taken over; empty if there is none.
        """
        vehicle, now = self._vehicle, self.now
        last = self._setpoint_time
        gap = self.requested is Mode.OFFBOARD and last is not None and now - last > SETPOINT_GAP * SECOND
        if reason := self._meanwhile(gap):
            return reason
        if not vehicle.armed:
            return self._disarmed()
        self.arming_since = self._disarmed_since = None
        self._armed_time = vehicle.heartbeat_time
        if gap:
            self.request(Mode.HOLD)
        mode = vehicle.mode
        if foreign := self._foreign_setpoints():
            return f"{foreign}{self._reason()}: stop that client, then arm it again"
        if mode is self.requested:
            self._reached = True
            if mode is Mode.HOLD and self._leaves_its_place():
                return f"it leaves its place in hold by somebody else's order{self._reason()}; arm it again"
        elif not self._reached:
            if now - self._since > REACH_TIMEOUT * SECOND:
                return f"it does not go to {self.requested.label}{self._reason()}; arm it again"
            if now - self._asked > REPEAT_PERIOD * SECOND:
                self._asked = now
                vehicle.request_mode(self.requested)
        elif mode in self._successors:
            self.request(mode, *self._successors - {mode})
        else:
            return f"it is in {vehicle.mode_name} by its pilot or by itself{self._reason()}; arm it again"
        return ""

    def _meanwhile(self, gap: bool) -> str:
        """Judge what came since the last step, which may be a while ago.

        Args:
            gap: whether set-points have ceased, so that it may have gone to hold by itself.

        Returns:
            reason to let go of the vehicle; empty if there is none.
        """
        modes = self._vehicle.new_modes()
        allowed = {self.requested, *self._successors} | ({Mode.HOLD} if gap else set())
        foreign = [mode for mode in modes if mode not in {mode.label for mode in allowed}]
        if self._reached and foreign:
            return f"it went to {foreign[-1]} by its pilot or by itself{self._reason()}; arm it again"
        at = self._vehicle.position
        if gap and at is not None and self._setpoint_place is not None:
            place, speed = self._setpoint_place
            if not float(np.linalg.norm(at - place)) <= HOLD_DISTANCE + speed * STOPPING_TIME:
                return f"it was flown elsewhere while set-points ceased{self._reason()}; arm it again"
        return ""

    def _foreign_setpoints(self) -> str:
        """Return who else sends set-points to a vehicle in offboard mode; empty if nobody does."""
        session = self._vehicle.session
        if self._vehicle.mode is not Mode.OFFBOARD:
            return ""
        return session.foreign or self._targets.problem(session.newest, self.now, session.clock.round_trip)

    def _leaves_its_place(self) -> bool:
        """Return whether a vehicle that had come to rest in hold flies elsewhere, as another client may have it do."""
        at = self._vehicle.position
        if at is None or self._vehicle.landed:
            return False
        if self._place is None:
            self._place = at if self._vehicle.speed < REST_SPEED else None
            return False
        return not float(np.linalg.norm(at - self._place)) <= HOLD_DISTANCE

    def _disarmed(self) -> str:
        """Judge a vehicle whose motors are off, as they may be on the ground if it was not to fly."""
        if self.arming_since is not None:
            late = self.now - self.arming_since > REACH_TIMEOUT * SECOND
            return f"it is not armed{self._reason()}; arm it again" if late else ""
        if not self._vehicle.landed or self.requested in (Mode.OFFBOARD, Mode.TAKEOFF):
            return f"its motors are off{self._reason()}; arm it again"
        self._disarmed_since = self.now if self._disarmed_since is None else self._disarmed_since
        if not self.may_arm and self.now - self._disarmed_since > TEXT_TIMEOUT * SECOND:
            return f"its motors were stopped, and not by itself{self._reason()}; arm it again"
        self._hold()
        return ""

    def _hold(self) -> None:
        self.request(Mode.HOLD)
        self._reached = True

    def _reason(self) -> str:
        return self._vehicle.reason(self._vehicle.heartbeat_time)
