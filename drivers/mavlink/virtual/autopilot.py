"""What a virtual PX4 decides: modes, arming and its denials, failsafes. No I/O, no MAVLink; time is handed in.

Times and thresholds are PX4's parameters of the same names (PX4 User Guide, "Safety Configuration (Failsafes)").
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from embodied.autopilot import Estimate, Setpoint
from embodied.messages import DroneCommand, Vector

PARAMETERS: dict[str, int | float] = {
    "BAT_CRIT_THR": 0.07,  # charge at which it returns
    "BAT_EMERGEN_THR": 0.05,  # charge at which it lands
    "BAT_LOW_THR": 0.15,  # charge at which it warns
    "COM_ARM_BAT_MIN": 0.2,  # charge below which it is not armed
    "COM_DISARM_LAND": 2.0,  # motors stop so long after landing [s]
    "COM_DISARM_PRFLT": 10.0,  # and so long after arming without a take-off [s]
    "COM_DL_LOSS_T": 10,  # a link without heartbeats is lost after so long [s]
    "COM_FAIL_ACT_T": 5.0,  # it holds for so long before it acts on the loss of set-points or of the link [s]
    "COM_LOW_BAT_ACT": 3,  # 0 warns, 2 lands, 3 returns at critical and lands at emergency
    "COM_OBL_RC_ACT": 3,  # of lost set-points: 3 return, 4 land, 5 hold
    "COM_OF_LOSS_T": 0.5,  # set-points are lost after so long [s]
    "GF_ACTION": 3,  # of a breach of the geofence: 1 warn, 2 hold, 3 return, 5 land
    "GF_MAX_VER_DIST": 0.0,  # ceiling above home; 0 for none [m]
    "MAV_SYS_ID": 1,
    "MIS_TAKEOFF_ALT": 2.5,  # [m]
    "MPC_LAND_SPEED": 0.7,  # [m/s]
    "NAV_DLL_ACT": 2,  # of a lost link: 0 nothing, 1 hold, 2 return, 3 land
    "RTL_RETURN_ALT": 5.0,  # [m]
}

NEAR = 0.3
"""A place is reached within this [m]."""

REST = 0.5
"""It plans to stop in this time from any speed, to hold where it comes to rest [s]."""

GROUND = 0.7
"""It has landed after it wanted down and did not go for so long [s]."""

ACTIONS = {1: Mode.HOLD, 2: Mode.RETURN, 3: Mode.LAND}
"""Of a lost link."""


class Denied(Exception):
    """It does not do that; the sentence says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """A step of a mission: fly there and stay, or land there, or return."""

    land: bool = False
    back: bool = False
    position: Vector
    hold: float = 0.0
    yaw: float | None = None


class Autopilot:
    """The mind of a virtual autopilot. It wakes on the ground, disarmed, in hold.

    Attributes:
        mode: in which it is.
        armed: whether its motors turn.
        landed: whether it stands on the ground.
        home: where it returns to; None before it knows where it is.
        fence: inside which it stays; its altitude is not looked at, that is a parameter.
        mission: what it flies in mission mode.
        leg: number of the step of it that it flies.
        parameters: by name.
        obedient: False for one that acknowledges modes, goes to none, and flies on.
        piloted: whether a pilot holds the sticks, and no computer changes its mode.
        said: severity and text of what it tells people, to be taken away by who sends it.
    """

    def __init__(self, parameters: dict[str, int | float]) -> None:
        self.parameters = PARAMETERS | parameters
        self.mode = Mode.HOLD
        self.armed, self.landed = False, True
        self.home: Vector | None = None
        self.fence: Geofence | None = None
        self.mission: Sequence[Leg] = ()
        self.leg = 0
        self.obedient, self.piloted = True, False
        self.said: list[tuple[int, str]] = []
        self.charge = 1.0
        self.linked: float | None = None
        self._now = 0.0
        self._at, self._velocity, self._yaw = np.zeros(3), np.zeros(3), 0.0
        self._hold, self._heading = np.zeros(3), 0.0
        self._offered: tuple[float, DroneCommand] | None = None
        self._failed: tuple[float, Mode] | None = None
        self._down: float | None = None
        self._since = 0.0
        self._height = 0.0
        self._stay: float | None = None
        self._warned = 0
        self._breached = False

    def unready(self) -> Iterator[str]:
        """Why it cannot be armed, a sentence each."""
        if self.home is None:
            yield "no position: it waits for a fix"
        elif self._outside(self.home):
            yield "home is outside the geofence"
        if self.charge < self.parameters["COM_ARM_BAT_MIN"]:
            yield f"battery at {100 * self.charge:.0f} %"
        if self.mode not in (Mode.HOLD, Mode.TAKEOFF, Mode.MISSION, Mode.OFFBOARD, Mode.POSITION):
            yield f"not in mode {self.mode.word}"

    def arm(self) -> None:
        """Let the motors turn.

        Raises:
            Denied: something is not as it has to be; it says what.
        """
        if self.armed:
            return
        if reasons := list(self.unready()):
            for reason in reasons:
                self._say(2, f"Arming denied: {reason}")
            raise Denied("; ".join(reasons))
        self.armed, self._since = True, self._now
        self.home = self._at.copy()
        self._hold, self._heading = self._at.copy(), self._yaw
        self._say(6, "Armed")

    def disarm(self, *, forced: bool = False, why: str = "Disarmed") -> None:
        """Stop the motors.

        Args:
            forced: in the air, too.
            why: what people are told.

        Raises:
            Denied: it flies.
        """
        if self.armed and not self.landed and not forced:
            self._say(2, "Disarming denied: not landed")
            raise Denied("not landed")
        if self.armed:
            self._say(6, why)
        self.armed = False
        if self.mode in (Mode.LAND, Mode.RETURN):
            self._enter(Mode.HOLD)

    def change(self, mode: Mode) -> None:
        """Go to another mode, as somebody asked.

        Raises:
            Denied: it cannot be in that mode now.
        """
        if self.piloted:
            self._say(4, "Mode denied: the pilot has it")
            raise Denied("the pilot has it")
        if self.home is None and mode is not Mode.HOLD:
            raise Denied("no position")
        if mode is Mode.OFFBOARD and not self._commanded():
            self._say(2, "Offboard denied: no set-points")
            raise Denied("no set-points")
        if mode is Mode.MISSION and not self.mission:
            self._say(2, "Mission denied: there is none")
            raise Denied("no mission")
        if mode in (Mode.MANUAL, Mode.ALTITUDE, Mode.POSITION, Mode.READY):
            raise Denied("no pilot at the sticks")
        if self.obedient:
            self._failed = None
            self._enter(mode)

    def takeoff(self, height: float | None) -> None:
        """Rise.

        Args:
            height: above home [m]; None for the parameter's.

        Raises:
            Denied: not from here.
        """
        if not self.armed or self.home is None:
            raise Denied("not armed")
        rise = float(self.parameters["MIS_TAKEOFF_ALT"]) if height is None else height
        self.change(Mode.TAKEOFF)
        self._height = float(self.home[2]) + rise

    def offer(self, command: DroneCommand) -> None:
        """A set-point came."""
        self._offered = (self._now, command)

    def take(self, on: bool) -> None:
        """A pilot takes it, to position mode; or gives it back, where it stays in that mode."""
        self.piloted = on
        if on:
            self._failed = None
            self._enter(Mode.POSITION)

    def advance(self, now: float, estimate: Estimate, yaw: float, ready: bool) -> Setpoint | None:
        """Decide for a period.

        Args:
            now: its own time [s].
            estimate: how it flies.
            yaw: of its forward axis [rad].
            ready: whether it knows where it is.

        Returns:
            where to fly; None for motors that only idle, or stand.
        """
        self._now, self._at, self._velocity, self._yaw = now, estimate.position, estimate.velocity, yaw
        if not self.armed:
            self.home = estimate.position.copy() if ready else None
            return None
        self._guard()
        self._proceed()
        wanted = self._wanted()
        self._feel(wanted)
        if not self.armed or (self.landed and not self._lifts(wanted)):
            return None
        return wanted

    def _guard(self) -> None:
        """Failsafes; one that does not obey has none either."""
        if not self.obedient:
            return
        parameters, charge = self.parameters, self.charge
        levels = [charge <= parameters[f"BAT_{level}_THR"] for level in ("LOW", "CRIT", "EMERGEN")]
        warned, self._warned = self._warned, sum(levels)
        if self._warned > warned:
            self._say(4 - self._warned, f"Battery at {100 * charge:.0f} %")
            action = parameters["COM_LOW_BAT_ACT"]
            if levels[2] and action:
                self._act(Mode.LAND)
            elif levels[1] and action:
                self._act(Mode.RETURN if action == 3 else Mode.LAND)
        outside = self._outside(self._at)
        if outside and not self._breached:
            self._say(2, "Geofence breached")
            self._act({2: Mode.HOLD, 3: Mode.RETURN, 5: Mode.LAND}.get(int(parameters["GF_ACTION"])))
        self._breached = outside
        if self.mode is Mode.OFFBOARD and not self._commanded():
            self._lose("Set-points lost", {3: Mode.RETURN, 4: Mode.LAND}.get(int(parameters["COM_OBL_RC_ACT"])))
        elif self.linked is not None and self._now - self.linked > parameters["COM_DL_LOSS_T"]:
            self.linked = None
            self._lose("Link lost", ACTIONS.get(int(parameters["NAV_DLL_ACT"])))
        if self._failed is not None and self._now - self._failed[0] > parameters["COM_FAIL_ACT_T"]:
            mode, self._failed = self._failed[1], None
            self._say(2, f"Failsafe: {mode.word}")
            self._act(mode)

    def _lose(self, what: str, then: Mode | None) -> None:
        """Something is lost: hold, and do what is to be done some time later."""
        self._say(2, f"{what}: hold")
        if self.mode in (Mode.OFFBOARD, Mode.HOLD, Mode.TAKEOFF):
            self._enter(Mode.HOLD)
            if then not in (None, Mode.HOLD):
                self._failed = self._now, then

    def _act(self, mode: Mode | None) -> None:
        if mode is not None and not self.landed and self.mode is not Mode.LAND:
            self._enter(mode)

    def _proceed(self) -> None:
        """From what is done to what comes next."""
        if self.mode is Mode.TAKEOFF and abs(self._at[2] - self._height) < NEAR:
            self._enter(Mode.HOLD)
        elif self.mode is Mode.RETURN:
            assert self.home is not None
            high = max(self._hold[2], float(self.home[2]) + float(self.parameters["RTL_RETURN_ALT"]))
            self._hold[2] = high
            if abs(self._at[2] - high) < NEAR or math.hypot(*(self._at - self.home)[:2]) < NEAR:
                self._hold[:2] = self.home[:2]
            if math.hypot(*(self._at - self.home)[:2]) < NEAR:
                self._enter(Mode.LAND)
                self._hold[:2] = self.home[:2]
        elif self.mode is Mode.MISSION:
            self._fly()

    def _fly(self) -> None:
        if self.leg >= len(self.mission):
            self._say(6, "Mission finished")
            self._enter(Mode.HOLD)
            return
        leg = self.mission[self.leg]
        if leg.back:
            self._enter(Mode.RETURN)
            return
        assert self.home is not None
        self._hold = leg.position + np.array([0.0, 0.0, self.home[2]])
        self._heading = self._heading if leg.yaw is None else leg.yaw
        if leg.land:
            self._hold[2] = max(self._hold[2], self._at[2])
        if np.abs(self._at - self._hold).max() > NEAR:
            self._stay = None
            return
        self._stay = self._now if self._stay is None else self._stay
        if leg.land:
            place = self._hold.copy()
            self._enter(Mode.LAND)
            self._hold = place
        elif self._now - self._stay >= leg.hold:
            self.leg, self._stay = self.leg + 1, None

    def _wanted(self) -> Setpoint:
        if self.mode is Mode.OFFBOARD and self._offered is not None:
            command = self._offered[1]
            yaw = self._heading if command.yaw is None else command.yaw
            self._heading = yaw
            return Setpoint(command.position, command.velocity, yaw)
        if self.mode is Mode.TAKEOFF:
            return Setpoint(np.array([*self._hold[:2], self._height]), None, self._heading)
        if self.mode is Mode.LAND:
            speed = float(self.parameters["MPC_LAND_SPEED"])
            return Setpoint(np.array([*self._hold[:2], self._at[2]]), np.array([0.0, 0.0, -speed]), self._heading)
        return Setpoint(self._hold, None, self._heading)

    def _lifts(self, wanted: Setpoint) -> bool:
        """Whether a set-point leads up from the ground."""
        if self.mode not in (Mode.OFFBOARD, Mode.TAKEOFF, Mode.MISSION):
            return False
        up = 0.0 if wanted.velocity is None else float(wanted.velocity[2])
        if wanted.position is not None:
            up += float(wanted.position[2] - self._at[2]) - NEAR / 2
        return up > 0.05

    def _feel(self, wanted: Setpoint) -> None:
        """Whether it stands on the ground, and for how long."""
        if self.landed:
            wait = self.parameters["COM_DISARM_PRFLT" if self._down is None else "COM_DISARM_LAND"]
            if self._lifts(wanted):
                self.landed, self._down, self._since = False, None, self._now
            elif 0 < wait < self._now - self._since:
                self.disarm(why="Disarmed by landing" if self._down is not None else "Disarmed: no take-off")
                self._down = None
            return
        down = 0.0 if wanted.velocity is None else float(wanted.velocity[2])
        if wanted.position is not None:
            down += float(wanted.position[2] - self._at[2])
        if down > -0.15 or float(np.linalg.norm(self._velocity)) > 0.15:
            self._down = None
            return
        self._down = self._now if self._down is None else self._down
        if self._now - self._down > GROUND:
            self.landed, self._since = True, self._now
            self._say(6, "Landed")

    def _enter(self, mode: Mode) -> None:
        self.mode = mode
        self._hold, self._heading = self._at + REST * self._velocity, self._yaw
        self._stay = None
        if mode is Mode.TAKEOFF and self.home is not None:
            self._height = float(self.home[2] + self.parameters["MIS_TAKEOFF_ALT"])

    def _commanded(self) -> bool:
        """Whether set-points come."""
        return self._offered is not None and self._now - self._offered[0] <= self.parameters["COM_OF_LOSS_T"]

    def _outside(self, place: Vector) -> bool:
        ceiling = float(self.parameters["GF_MAX_VER_DIST"])
        if self.home is None:
            return False
        east, north, up = map(float, place)
        if 0 < ceiling < up - self.home[2]:
            return True
        return self.fence is not None and not self.fence.holds(east, north, 0.0)

    def _say(self, severity: int, text: str) -> None:
        self.said.append((severity, text))
