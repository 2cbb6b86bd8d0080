"""Decisions of the virtual PX4: modes, arming and its denials, take-off and landing. No I/O; time is an argument."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.failsafes import Failsafes
from drivers.mavlink.virtual.flight_state import Denied
from drivers.mavlink.virtual.guidance import Guidance, upward
from drivers.mavlink.virtual.mission_follower import REACHED_DISTANCE
from drivers.mavlink.virtual.targets import AttitudeTarget, Orbit, Sticks, Target
from embodied.autopilot import Estimate, Setpoint, Touchdown, arming_denials
from embodied.messages import Vector

__all__ = ["Autopilot", "Denied"]

GROUND_TIME = 0.7
"""Time of commanded descent without motion after which it has landed [s]."""

GROUND_SPEED = 0.15
"""Speed below which it does not move, and above which a descent is commanded [m/s]."""

RADIUS_MOST = 1000.0
"""Greatest radius of a circle to fly [m]."""


class Autopilot(Failsafes, Guidance):
    """State machine of the virtual PX4: modes, arming and its denials."""

    def __init__(self, parameters: dict[str, int | float]) -> None:
        super().__init__(parameters)
        self._touchdown = Touchdown(GROUND_TIME)
        self._since = 0.0

    def denials(self) -> Iterator[str]:
        """Yield a sentence for each reason to deny arming."""
        reserve = float(self.parameters["COM_ARM_BAT_MIN"])
        yield from arming_denials(located=self.home is not None, charge=self.charge, reserve=reserve)
        if self.home is not None and self._outside(self.home):
            yield "home is outside the geofence"
        if self.mode not in (Mode.HOLD, Mode.TAKEOFF, Mode.MISSION, Mode.OFFBOARD, Mode.POSITION):
            yield f"not in mode {self.mode.label}"

    def arm(self) -> None:
        """Arm the motors, and take this place for home.

        Raises:
            Denied: there is a reason not to arm.
        """
        if self.armed:
            return
        if reasons := list(self.denials()):
            for reason in reasons:
                self.say(2, f"Arming denied: {reason}")
            raise Denied("; ".join(reasons))
        self.armed, self._since = True, self._now
        self.home = self._at.copy()
        self._target, self._heading = self._at.copy(), self._yaw
        self.say(6, "Armed")

    def disarm(self, *, forced: bool = False, text: str = "Disarmed by external command") -> None:
        """Disarm the motors, on the ground unless forced.

        Args:
            forced: whether to disarm in the air, too.
            text: message to people.

        Raises:
            Denied: it flies.
        """
        if self.armed and not self.landed and not forced:
            self.say(2, "Disarming denied: not landed")
            raise Denied("not landed")
        if self.armed:
            self.say(6, text)
        self.armed = False
        if self.mode in (Mode.LAND, Mode.RETURN):
            self._enter(Mode.HOLD)

    def change(self, mode: Mode) -> None:
        """Change the mode on request of a client.

        Raises:
            Denied: it cannot be in that mode now.
        """
        if self.piloted:
            self.say(4, "Mode denied: the pilot has it")
            raise Denied("the pilot has it")
        if self.home is None and mode is not Mode.HOLD:
            raise Denied("no position")
        if mode is Mode.OFFBOARD and not self._setpoints_come():
            self.say(2, "Offboard denied: no set-points")
            raise Denied("no set-points")
        if mode is Mode.MISSION and not self.mission.legs:
            self.say(2, "Mission denied: there is none")
            raise Denied("no mission")
        if mode in (Mode.MANUAL, Mode.ALTITUDE, Mode.READY) or (mode is Mode.POSITION and not self._sticks_come()):
            self.say(2, "Mode denied: no pilot at the sticks")
            raise Denied("no pilot at the sticks")
        if mode is Mode.ORBIT:
            raise Denied("no circle to fly")
        if mode is Mode.MISSION and self.mission.current >= len(self.mission.legs):
            self.mission.begin(0)
        if not self.ignores_modes:
            self._failsafe, self.cruise = None, None
            self._enter(mode)

    def takeoff(self, height: float | None) -> None:
        """Take off to a height, and hold there.

        Args:
            height: height above home [m]; None for that of the parameter.

        Raises:
            Denied: it is not armed, or cannot change the mode.
        """
        if not self.armed or self.home is None:
            raise Denied("not armed")
        least = float(self.parameters["MIS_TAKEOFF_ALT"])
        if height is not None and self.home[2] + height <= self._at[2] + REACHED_DISTANCE:
            # As for an altitude that counts from the ground instead of from the sea.
            self.say(2, f"Using minimum takeoff altitude: {least:.2f} m")
            height = None
        self.change(Mode.TAKEOFF)
        self._height = float(self.home[2]) + (least if height is None else height)

    def receive_setpoint(self, target: Target | AttitudeTarget) -> None:
        """Keep a set-point that has come."""
        self._setpoint = (self._now, target)

    @property
    def target(self) -> Target | None:
        """Set-point that it follows in offboard mode; None in other modes, and where it is one of attitude."""
        if self.mode is not Mode.OFFBOARD or self._setpoint is None:
            return None
        target = self._setpoint[1]
        return target if isinstance(target, Target) else None

    def set_speed(self, speed: float) -> None:
        """Fly its own flights at a horizontal speed, until the mode is changed [m/s].

        Raises:
            Denied: the speed is not above 0.
        """
        if not speed > 0:
            raise Denied("no such speed")
        self.cruise = min(speed, float(self.parameters["MPC_XY_VEL_MAX"]))

    @property
    def speeds(self) -> tuple[float, float, float] | None:
        """Highest speed over the ground, up and down that the flight controller keeps to [m/s]; None for its own."""
        if self.mode is Mode.OFFBOARD and self._setpoint is not None:
            target, parameters = self._setpoint[1], self.parameters
            if isinstance(target, Target) and not np.isnan(target.velocity).all():
                names = ("MPC_XY_VEL_MAX", "MPC_Z_VEL_MAX_UP", "MPC_Z_VEL_MAX_DN")
                across, up, down = (float(parameters[name]) for name in names)
                return across, up, down
            return None
        return None if self.cruise is None else (self.cruise, 1.5, 1.0)

    def receive_sticks(self, sticks: Sticks) -> None:
        """Keep the sticks of a pilot that have come."""
        self._sticks = (self._now, sticks)

    def follow(self, place: Vector) -> None:
        """Keep the place of what it follows, shape (3,) [m]."""
        self._followed = place

    def reposition(self, place: Vector, yaw: float | None, *, change: bool) -> None:
        """Fly somewhere and hold there.

        Args:
            place: place to fly to, shape (3,) [m]; NaN keeps an axis as it is.
            yaw: yaw from east [rad]; None leaves it as it is.
            change: whether to change to hold for it, from any mode.

        Raises:
            Denied: it does not fly, is in another mode, or cannot change it.
        """
        if not self.armed or self.landed:
            raise Denied("not in the air")
        if self.mode is not Mode.HOLD and not change:
            raise Denied("not in hold")
        self.change(Mode.HOLD)
        if not self.ignores_modes:
            self._target = np.where(np.isnan(place), self._target, place)
            self._heading = self._heading if yaw is None else yaw

    def orbit(self, radius: float, speed: float, centre: Vector, *, faces: bool) -> None:
        """Fly along a circle from now on.

        Args:
            radius: radius of the circle [m]; NaN for one that it is on.
            speed: speed, clockwise from above; negative is counter-clockwise [m/s].
            centre: centre of the circle, shape (3,) [m]; NaN keeps an axis as it is.
            faces: whether the nose points to the centre.

        Raises:
            Denied: it does not fly, cannot change the mode, or there is no such circle.
        """
        if not self.armed or self.landed:
            raise Denied("not in the air")
        if not (0 < radius < RADIUS_MOST and 0 < abs(speed) <= float(self.parameters["MPC_XY_VEL_MAX"])):
            raise Denied("no such circle")
        self.change(Mode.HOLD)
        if not self.ignores_modes:
            self._enter(Mode.ORBIT)
            self._orbit = Orbit(np.where(np.isnan(centre), self._target, centre), radius, -speed, faces)

    def set_piloted(self, piloted: bool) -> None:
        """Give the vehicle to a pilot, in position mode; or take it back, which leaves it in that mode."""
        self.piloted = piloted
        if piloted:
            self._failsafe = None
            self._enter(Mode.POSITION)

    def step(self, now: float, estimate: Estimate, ready: bool) -> Setpoint | AttitudeTarget | None:
        """Run one period of the state machine.

        Args:
            now: time of its own clock [s].
            estimate: estimated state of the vehicle.
            ready: whether the estimate has a position.

        Returns:
            set-point of the flight controller; None for motors that idle or stand.
        """
        self._now, self._at, self._velocity, self._yaw = now, estimate.position, estimate.velocity, estimate.yaw
        if not self.armed:
            self.home = estimate.position.copy() if ready else None
            return None
        if not self.ignores_modes:
            self._check_failsafes()
        self._proceed()
        setpoint = self._next_setpoint()
        self._detect_ground(setpoint)
        if not self.armed or (self.landed and not self._lifts(setpoint)):
            return None
        return setpoint

    def _proceed(self) -> None:
        """Change to the next mode or place once the current one is reached."""
        if self.mode is Mode.TAKEOFF and abs(self._at[2] - self._height) < REACHED_DISTANCE:
            self._enter(Mode.HOLD)
        elif self.mode is Mode.RETURN:
            assert self.home is not None
            place = self.home if self._return_place is None else self._return_place
            high = max(self._target[2], float(self.home[2]) + float(self.parameters["RTL_RETURN_ALT"]))
            self._target[2] = high
            if abs(self._at[2] - high) < REACHED_DISTANCE or math.hypot(*(self._at - place)[:2]) < REACHED_DISTANCE:
                self._target[:2] = place[:2]
            if math.hypot(*(self._at - place)[:2]) < REACHED_DISTANCE:
                self._enter(Mode.LAND)
                self._target[:2] = place[:2]
        elif self.mode is Mode.MISSION:
            self._fly_mission()

    def _fly_mission(self) -> None:
        assert self.home is not None
        mode, leg, target = self.mission.step(self._now, self._at, self.home)
        speed = self.mission.speed
        self.cruise = None if speed is None else min(speed, float(self.parameters["MPC_XY_VEL_MAX"]))
        if leg is not None:
            self._target = target
            self._heading = self._heading if leg.yaw is None else leg.yaw
        if mode is Mode.HOLD:
            self.say(6, "Mission finished")
        if mode is not Mode.MISSION:
            self._enter(mode)
        if mode is Mode.LAND:
            self._target = target

    def _lifts(self, setpoint: Setpoint | AttitudeTarget) -> bool:
        """Return whether a set-point leads up from the ground."""
        if self.mode not in (Mode.OFFBOARD, Mode.TAKEOFF, Mode.MISSION, Mode.POSITION):
            return False
        by_place = isinstance(setpoint, Setpoint) and setpoint.position is not None
        up = upward(setpoint, self._at, float(self.parameters["MPC_THR_HOVER"]))
        return up - (REACHED_DISTANCE / 2 if by_place else 0.0) > 0.05

    def _detect_ground(self, setpoint: Setpoint | AttitudeTarget) -> None:
        """Detect take-off and landing, and disarm after some time on the ground."""
        if self.landed:
            flown = self._touchdown.since is not None
            wait = self.parameters["COM_DISARM_LAND" if flown else "COM_DISARM_PRFLT"]
            if self._lifts(setpoint):
                self.landed, self._touchdown.since, self._since = False, None, self._now
            elif 0 < wait < self._now - self._since:
                self.disarm(text=f"Disarmed by {'landing' if flown else 'auto preflight disarming'}")
                self._touchdown.since = None
            return
        up = upward(setpoint, self._at, float(self.parameters["MPC_THR_HOVER"]))
        at_rest = up <= -GROUND_SPEED and float(np.linalg.norm(self._velocity)) <= GROUND_SPEED
        if self._touchdown.update(at_rest, self._now):
            self.landed, self._since = True, self._now
            self.say(6, "Landed")
