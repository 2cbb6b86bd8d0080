"""Decisions of the virtual PX4: modes, arming and its denials, failsafes. No I/O, no MAVLink; time is an argument.

Times and thresholds are PX4's parameters of the same names (PX4 User Guide, "Safety Configuration (Failsafes)").
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.mission_follower import REACHED_DISTANCE, MissionFollower
from drivers.mavlink.virtual.parameters import PARAMETERS
from embodied.autopilot import Estimate, Setpoint, Touchdown, arming_denials, descent
from embodied.messages import DroneCommand, Vector

STOPPING_TIME = 0.5
"""Time in which it plans to stop from any speed, to hold where it comes to rest [s]."""

GROUND_TIME = 0.7
"""Time of commanded descent without motion after which it has landed [s]."""

GROUND_SPEED = 0.15
"""Speed below which it does not move, and above which a descent is commanded [m/s]."""

LINK_LOSS_MODES = {1: Mode.HOLD, 2: Mode.RETURN, 3: Mode.LAND}
"""Modes for a lost link, by NAV_DLL_ACT."""

SETPOINT_LOSS_MODES = {3: Mode.RETURN, 4: Mode.LAND}
"""Modes for lost set-points, by COM_OBL_RC_ACT."""

FENCE_MODES = {2: Mode.HOLD, 3: Mode.RETURN, 5: Mode.LAND}
"""Modes for a breach of the geofence, by GF_ACTION."""


class Denied(Exception):
    """Request that the virtual PX4 denies, with its reason."""


class Autopilot:
    """State machine of the virtual PX4, which starts on the ground, disarmed, in hold.

    Args:
        parameters: parameters with other values than by default.

    Attributes:
        mode: current flight mode.
        armed: whether its motors are armed.
        landed: whether it stands on the ground.
        home: home position [m]; None before it knows its position.
        fence: geofence, whose altitude is unused: the ceiling is a parameter.
        mission: mission that it flies in mission mode, and its progress.
        parameters: values by name.
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
        self.fence: Geofence | None = None
        self.mission = MissionFollower()
        self.ignores_modes, self.piloted = False, False
        self.texts: list[tuple[int, str]] = []
        self.charge = 1.0
        self.heartbeat_time: float | None = None
        self._now = 0.0
        self._at, self._velocity, self._yaw = np.zeros(3), np.zeros(3), 0.0
        self._target, self._heading = np.zeros(3), 0.0
        self._setpoint: tuple[float, DroneCommand] | None = None
        self._failsafe: tuple[float, Mode] | None = None
        self._touchdown = Touchdown(GROUND_TIME)
        self._since = 0.0
        self._height = 0.0
        self._warnings = 0
        self._breached = False

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
                self._say(2, f"Arming denied: {reason}")
            raise Denied("; ".join(reasons))
        self.armed, self._since = True, self._now
        self.home = self._at.copy()
        self._target, self._heading = self._at.copy(), self._yaw
        self._say(6, "Armed")

    def disarm(self, *, forced: bool = False, text: str = "Disarmed") -> None:
        """Disarm the motors, on the ground unless forced.

        Args:
            forced: whether to disarm in the air, too.
            text: message to people.

        Raises:
            Denied: it flies.
        """
        if self.armed and not self.landed and not forced:
            self._say(2, "Disarming denied: not landed")
            raise Denied("not landed")
        if self.armed:
            self._say(6, text)
        self.armed = False
        if self.mode in (Mode.LAND, Mode.RETURN):
            self._enter(Mode.HOLD)

    def change(self, mode: Mode) -> None:
        """Change the mode on request of a client.

        Raises:
            Denied: it cannot be in that mode now.
        """
        if self.piloted:
            self._say(4, "Mode denied: the pilot has it")
            raise Denied("the pilot has it")
        if self.home is None and mode is not Mode.HOLD:
            raise Denied("no position")
        if mode is Mode.OFFBOARD and not self._setpoints_come():
            self._say(2, "Offboard denied: no set-points")
            raise Denied("no set-points")
        if mode is Mode.MISSION and not self.mission.legs:
            self._say(2, "Mission denied: there is none")
            raise Denied("no mission")
        if mode in (Mode.MANUAL, Mode.ALTITUDE, Mode.POSITION, Mode.READY):
            raise Denied("no pilot at the sticks")
        if not self.ignores_modes:
            self._failsafe = None
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
        above_home = float(self.parameters["MIS_TAKEOFF_ALT"]) if height is None else height
        self.change(Mode.TAKEOFF)
        self._height = float(self.home[2]) + above_home

    def receive_setpoint(self, command: DroneCommand) -> None:
        """Keep a set-point that has come."""
        self._setpoint = (self._now, command)

    def set_piloted(self, piloted: bool) -> None:
        """Give the vehicle to a pilot, in position mode; or take it back, which leaves it in that mode."""
        self.piloted = piloted
        if piloted:
            self._failsafe = None
            self._enter(Mode.POSITION)

    def step(self, now: float, estimate: Estimate, ready: bool) -> Setpoint | None:
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
            self._check_battery()
            self._check_fence()
            self._check_links()
        self._proceed()
        setpoint = self._next_setpoint()
        self._detect_ground(setpoint)
        if not self.armed or (self.landed and not self._lifts(setpoint)):
            return None
        return setpoint

    def _check_battery(self) -> None:
        charge = self.charge
        levels = [charge <= self.parameters[f"BAT_{level}_THR"] for level in ("LOW", "CRIT", "EMERGEN")]
        before, self._warnings = self._warnings, sum(levels)
        if self._warnings > before:
            self._say(4 - self._warnings, f"Battery at {100 * charge:.0f} %")
            action = self.parameters["COM_LOW_BAT_ACT"]
            if levels[2] and action:
                self._act(Mode.LAND)
            elif levels[1] and action:
                self._act(Mode.RETURN if action == 3 else Mode.LAND)

    def _check_fence(self) -> None:
        outside = self._outside(self._at)
        if outside and not self._breached:
            self._say(2, "Geofence breached")
            self._act(FENCE_MODES.get(int(self.parameters["GF_ACTION"])))
        self._breached = outside

    def _check_links(self) -> None:
        """Hold when set-points or heartbeats cease, and act on it after a while."""
        parameters, heartbeat = self.parameters, self.heartbeat_time
        if self.mode is Mode.OFFBOARD and not self._setpoints_come():
            self._hold_after("Set-points lost", SETPOINT_LOSS_MODES.get(int(parameters["COM_OBL_RC_ACT"])))
        elif heartbeat is not None and self._now - heartbeat > parameters["COM_DL_LOSS_T"]:
            self.heartbeat_time = None
            self._hold_after("Link lost", LINK_LOSS_MODES.get(int(parameters["NAV_DLL_ACT"])))
        if self._failsafe is not None and self._now - self._failsafe[0] > parameters["COM_FAIL_ACT_T"]:
            mode, self._failsafe = self._failsafe[1], None
            self._say(2, f"Failsafe: {mode.label}")
            self._act(mode)

    def _hold_after(self, loss: str, later: Mode | None) -> None:
        """Hold after a loss, and change to a mode after COM_FAIL_ACT_T."""
        self._say(2, f"{loss}: hold")
        if self.mode in (Mode.OFFBOARD, Mode.HOLD, Mode.TAKEOFF):
            self._enter(Mode.HOLD)
            if later not in (None, Mode.HOLD):
                self._failsafe = self._now, later

    def _act(self, mode: Mode | None) -> None:
        if mode is not None and not self.landed and self.mode is not Mode.LAND:
            self._enter(mode)

    def _proceed(self) -> None:
        """Change to the next mode or place once the current one is reached."""
        if self.mode is Mode.TAKEOFF and abs(self._at[2] - self._height) < REACHED_DISTANCE:
            self._enter(Mode.HOLD)
        elif self.mode is Mode.RETURN:
            assert self.home is not None
            high = max(self._target[2], float(self.home[2]) + float(self.parameters["RTL_RETURN_ALT"]))
            self._target[2] = high
            if abs(self._at[2] - high) < REACHED_DISTANCE or math.hypot(*(self._at - self.home)[:2]) < REACHED_DISTANCE:
                self._target[:2] = self.home[:2]
            if math.hypot(*(self._at - self.home)[:2]) < REACHED_DISTANCE:
                self._enter(Mode.LAND)
                self._target[:2] = self.home[:2]
        elif self.mode is Mode.MISSION:
            self._fly_mission()

    def _fly_mission(self) -> None:
        assert self.home is not None
        mode, leg, target = self.mission.step(self._now, self._at, self.home)
        if leg is not None:
            self._target = target
            self._heading = self._heading if leg.yaw is None else leg.yaw
        if mode is Mode.HOLD:
            self._say(6, "Mission finished")
        if mode is not Mode.MISSION:
            self._enter(mode)
        if mode is Mode.LAND:
            self._target = target

    def _next_setpoint(self) -> Setpoint:
        if self.mode is Mode.OFFBOARD and self._setpoint is not None:
            command = self._setpoint[1]
            yaw = self._heading if command.yaw is None else command.yaw
            self._heading = yaw
            return Setpoint(command.position, command.velocity, yaw)
        if self.mode is Mode.TAKEOFF:
            return Setpoint(np.array([*self._target[:2], self._height]), None, self._heading)
        if self.mode is Mode.LAND:
            return descent(self._target, self._at[2], float(self.parameters["MPC_LAND_SPEED"]), self._heading)
        return Setpoint(self._target, None, self._heading)

    def _lifts(self, setpoint: Setpoint) -> bool:
        """Return whether a set-point leads up from the ground."""
        if self.mode not in (Mode.OFFBOARD, Mode.TAKEOFF, Mode.MISSION):
            return False
        up = 0.0 if setpoint.velocity is None else float(setpoint.velocity[2])
        if setpoint.position is not None:
            up += float(setpoint.position[2] - self._at[2]) - REACHED_DISTANCE / 2
        return up > 0.05

    def _detect_ground(self, setpoint: Setpoint) -> None:
        """Detect take-off and landing, and disarm after some time on the ground."""
        if self.landed:
            flown = self._touchdown.since is not None
            wait = self.parameters["COM_DISARM_LAND" if flown else "COM_DISARM_PRFLT"]
            if self._lifts(setpoint):
                self.landed, self._touchdown.since, self._since = False, None, self._now
            elif 0 < wait < self._now - self._since:
                self.disarm(text="Disarmed by landing" if flown else "Disarmed: no take-off")
                self._touchdown.since = None
            return
        up = 0.0 if setpoint.velocity is None else float(setpoint.velocity[2])
        if setpoint.position is not None:
            up += float(setpoint.position[2] - self._at[2])
        at_rest = up <= -GROUND_SPEED and float(np.linalg.norm(self._velocity)) <= GROUND_SPEED
        if self._touchdown.update(at_rest, self._now):
            self.landed, self._since = True, self._now
            self._say(6, "Landed")

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        # To hold where it comes to rest is to hold without going back.
        self._target, self._heading = self._at + STOPPING_TIME * self._velocity, self._yaw
        self.mission.interrupt()
        if mode is Mode.TAKEOFF and self.home is not None:
            self._height = float(self.home[2] + self.parameters["MIS_TAKEOFF_ALT"])

    def _setpoints_come(self) -> bool:
        return self._setpoint is not None and self._now - self._setpoint[0] <= self.parameters["COM_OF_LOSS_T"]

    def _outside(self, position: Vector) -> bool:
        ceiling = float(self.parameters["GF_MAX_VER_DIST"])
        if self.home is None:
            return False
        east, north, up = map(float, position)
        if 0 < ceiling < up - self.home[2]:
            return True
        return self.fence is not None and not self.fence.contains(east, north, 0.0)

    def _say(self, severity: int, text: str) -> None:
        self.texts.append((severity, text))
