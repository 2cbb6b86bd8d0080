"""Drone guard: the last stage before a multirotor's driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from embodied.bodies import WORLD
from embodied.clock import SECOND, Time, rate_of
from embodied.guards.agreement import Agreement
from embodied.guards.arbiter import Arbiter
from embodied.guards.battery import low_battery
from embodied.guards.command_check import drone_problem
from embodied.guards.flight_limiter import FlightLimiter, FlightSetpoint
from embodied.guards.following_error import FollowingError
from embodied.guards.link_loss import LinkLoss
from embodied.guards.upset import Upset
from embodied.guards.workspace import Box
from embodied.messages import Battery, DroneCommand, DroneState, GuardReport, Reset, Stop
from embodied.node.node import Guard
from embodied.node.ports import Ports, Stamped
from embodied.ranges import FINITE, Range, at_least, positive

AGREEMENT = 0.5
"""Largest difference between positions that agree: a drone flies between them, its estimate is noisy [m]."""


class DroneGuardOutput(NamedTuple):
    """Output of a drone guard: a command within every limit, and a report of what limited or refused it."""

    command: DroneCommand | None
    report: GuardReport


@dataclass
class DroneGuard(Guard):
    """Drone guard: keep a multirotor inside its fence and its limits, and let it fly only on fresh commands.

    A position or a velocity becomes a set-point that moves within speed and acceleration and can always stop inside the
    fence. NaN, infinity and empty commands are refused. Without a fresh command the drone brakes and holds its
    position; link loss (no commander for `lost` seconds) or a low battery make it land where it is. A stop, by a person
    or by an upset, holds or lands, as `on_stop` says. All of these latch: they are released by a reset and a command
    newer than the reset, and not while their cause lasts. On the ground the drone is disarmed instead, and not
    commanded by the guard alone.

    Without a fresh state there is no command: the driver holds by its own means. After it, the set-point begins again
    where several states agree that the drone is. A drone that does not follow its set-point is stopped, as by an upset;
    one further than that outside its fence is not commanded. A battery that is wired but silent holds; one that is not
    wired is not used.

    Attributes:
        low, high: corners of the fence: west, south, lowest and east, north, highest [m].
        speed: limit of the speed over the ground [m/s].
        climb: limit of the vertical speed, up and down [m/s].
        acceleration: limit of the acceleration [m/s²].
        tilt: tilt that is an upset, if it lasts for `patience` periods [rad].
        patience: consecutive periods beyond `tilt`, beyond one and a half times `speed`, or beyond `following_error`,
            that are an upset.
        reserve: charge below which it lands, in [0, 1).
        lost: silence of all commanders in flight that is a lost link [s].
        lease: silence of a commander after which a lower rank is followed [s].
        on_stop: reaction to a stop: `hold` its position, or `land` where it is.
        following_error: distance between set-point and drone beyond which it holds, and outside the fence beyond which
            there is no command [m].
    """

    low: tuple[float, float, float]  # [m]
    high: tuple[float, float, float]  # [m]
    speed: float = 2.0  # [m/s]
    climb: float = 1.0  # [m/s]
    acceleration: float = 1.5  # [m/s²]
    tilt: float = 0.6  # [rad]
    patience: int = 10
    reserve: float = 0.2
    lost: float = 5.0  # [s]
    lease: float = 0.5  # [s]
    on_stop: Literal["hold", "land"] = "hold"
    following_error: float = 3.0  # [m]

    rate = 50.0

    def ports(self) -> Ports:
        """Return the ports, with all commands and the state in the world's frame."""
        ports = super().ports()
        for name in (*self.ranks, "state"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """Check the limits, and that the fence is closed and contains home."""
        if Box(self.low, self.high).empty():
            yield f"low must be below high on each axis, got {self.low} and {self.high} m"
        elif not np.isfinite((self.low, self.high)).all():
            yield f"low and high must be {FINITE}, got {self.low} and {self.high} m"
        elif not all(low <= 0.0 <= high for low, high in zip(self.low[:2], self.high[:2], strict=True)):
            yield f"the fence from {self.low} to {self.high} m must contain home, which is at 0, 0"
        yield from positive("m/s").problems(speed=self.speed, climb=self.climb)
        yield from positive("m/s²").problems(acceleration=self.acceleration)
        yield from positive("rad").problems(tilt=self.tilt)
        yield from positive("s").problems(lost=self.lost)
        yield from positive("m").problems(following_error=self.following_error)
        yield from at_least(0, "s").problems(lease=self.lease)
        yield from Range(0, 1, includes="[)").problems(reserve=self.reserve)
        yield from at_least(1).problems(patience=self.patience)

    def open(self) -> None:
        """Start on the ground, without a set-point."""
        period = float(1 / rate_of(self.rate))
        self._fence = Box(self.low, self.high)
        self._limiter = FlightLimiter(self._fence, self.speed, self.climb, self.acceleration, period)
        self._upset = Upset(self.tilt, 1.5 * self.speed, self.patience)
        self._link = LinkLoss(round(self.lost * SECOND))
        self._arbiter = Arbiter[DroneCommand](self.ranks, self.lease, "the drone rests")
        self._agreement = Agreement(AGREEMENT)
        self._following = FollowingError(self.following_error, "m", self.patience)
        self._setpoint: FlightSetpoint | None = None
        self._landing = False

    def step(
        self,
        command: Stamped[DroneCommand] | None,
        operator: Stamped[DroneCommand] | None,
        state: DroneState | None,
        battery: Battery | None,
        stop: list[Stop],
        reset: list[Stamped[Reset]],
        now: Time,
    ) -> DroneGuardOutput:
        """Run one control period: arbitrate between commanders, limit the command, report clips and refusals."""
        resting = self._setpoint is None or not self._setpoint.velocity.any()
        commanded = self._arbiter.receive({"operator": operator, "command": command}, resting, now)
        state = Upset.plausible(state)
        aloft = state if state is not None and state.armed and not state.landed else None
        charge = math.nan if battery is None else battery.charge
        low = "" if aloft is None else low_battery(charge, self.reserve)
        lost = self._link.update(commanded, aloft is not None, now)
        upset = "" if aloft is None else self._upset.update(aloft)
        missing = self._locate(state, aloft is not None)
        upset = self._following.cause or upset
        if self._arbiter.latch(stop, (upset, low, lost), reset, now):
            self._landing = False
        if low or lost or (self.on_stop == "land" and (stop or upset)):
            self._landing = True
        if self._following.cause:
            # Hold where the drone is; one that is pulled back by a far set-point would jump when it comes free.
            self._setpoint = None
            self._agreement.require()
        missing = missing or self._agreement.refusal()
        if missing:
            self._setpoint = None
            return DroneGuardOutput(None, self._arbiter.report_holding(self._arbiter.stopped or missing))
        assert state is not None
        obstacle = self._unpowered(charge) or self._following.refusal
        followed, refusal = self._arbiter.select(obstacle, drone_problem)
        return self._hold(refusal, state) if followed is None else self._follow(followed, state)

    def _locate(self, state: DroneState | None, aloft: bool) -> str:
        """Compare the drone with its fence and its set-point; return why its place is unknown, or nothing."""
        if state is None:
            return self._lost("no fresh state")
        self._agreement.add(state, *state.position.tolist())
        if missing := self._outside(state):
            return self._lost(missing)
        if self._setpoint is None or not aloft:
            self._following.reset()
        else:
            away = self._setpoint.position - state.position
            if self._sinking:
                # The sink rate is the driver's own.
                away[2] = 0.0
            self._following.update("the drone", float(np.linalg.norm(away)))
        return ""

    def _lost(self, why: str) -> str:
        """Compare nothing more with the drone, whose place is unknown, and return the reason."""
        self._agreement.forget()
        self._following.reset()
        return why

    def _outside(self, state: DroneState) -> str:
        if self._fence.depth(state.position) <= self.following_error:
            return ""
        at = np.round(state.position, 3).tolist()
        return f"the drone is at {at} m, more than {self.following_error:.4g} m outside its fence"

    def _unpowered(self, charge: float) -> str:
        """Return why the battery forbids to fly; empty if it does not, or is not wired."""
        if "battery" not in self.wired:
            return ""
        if not math.isfinite(charge):
            return "no fresh charge of the battery"
        return f"the battery is at {100 * charge:.3g} %: too little to take off" if charge < self.reserve else ""

    def _follow(self, command: DroneCommand, state: DroneState) -> DroneGuardOutput:
        begun = self._begun(state)
        target = command.position
        if command.land:
            # The sink rate is the driver's own; over the ground the set-point moves as always.
            position = np.array([*begun.position[:2], state.position[2]])
            begun = FlightSetpoint(position, begun.velocity * (1.0, 1.0, 0.0))
            target = begun.position if target is None else np.array([*target[:2], begun.position[2]])
        if target is not None:
            self._setpoint, clips = self._limiter.follow(begun, target)
        else:
            assert command.velocity is not None
            self._setpoint, clips = self._limiter.drive(begun, command.velocity)
        return DroneGuardOutput(self._command(command.yaw, command.land), self._arbiter.report_following(clips))

    def _hold(self, refusal: str, state: DroneState) -> DroneGuardOutput:
        if not state.armed:
            self._setpoint = None
            return DroneGuardOutput(None, self._arbiter.report_holding(refusal))
        self._setpoint = self._limiter.brake(self._begun(state))
        # On the ground there is nothing to hold: landing disarms.
        land = self._landing or state.landed
        report = self._arbiter.report_holding(f"{refusal}; it lands" if land else refusal)
        return DroneGuardOutput(self._command(None, land), report)

    def _begun(self, state: DroneState) -> FlightSetpoint:
        """Return the set-point of the last period; the first one is where the drone is, moving as it moves."""
        if self._setpoint is None or not state.armed:
            return self._limiter.begin(state.position, state.linear_velocity if state.armed else np.zeros(3))
        return self._setpoint

    def _command(self, yaw: float | None, land: bool) -> DroneCommand:
        assert self._setpoint is not None
        setpoint, self._sinking = self._setpoint, land
        return DroneCommand(position=setpoint.position, velocity=setpoint.velocity, yaw=yaw, land=land, frame=WORLD)
