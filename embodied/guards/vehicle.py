"""Vehicle guard: the last stage before a drive-by-wire vehicle's driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied.clock import Time, rate_of
from embodied.guards.agreement import Agreement
from embodied.guards.arbiter import Arbiter
from embodied.guards.battery import low_battery
from embodied.guards.command_check import GEARS, vehicle_problem
from embodied.guards.cornering import Cornering
from embodied.guards.drive_limiter import DriveLimiter
from embodied.guards.engagement import Engagement
from embodied.guards.following_error import FollowingError
from embodied.messages import Battery, GuardReport, Reset, Stop, VehicleCommand, VehicleState
from embodied.node.node import Guard
from embodied.node.ports import Stamped
from embodied.ranges import Range, at_least, positive

STANDSTILL_SPEED = 0.05
"""Speed up to which a vehicle counts as standing [m/s]."""

ACCELERATION_LEAST = 0.05
"""Lowest acceleration of a command: 0 may mean to a vehicle that it chooses by itself [m/s²]."""

AGREEMENT = 0.1
"""Largest difference between steering angles that agree: what the wheels turn between them [rad]."""


class VehicleGuardOutput(NamedTuple):
    """Output of a vehicle guard: a command within every limit, and a report of what limited or refused it."""

    command: VehicleCommand | None
    report: GuardReport


@dataclass
class VehicleGuard(Guard):
    """Vehicle guard: keep a road vehicle within its limits, and let it drive only while engaged and on fresh commands.

    Speed, acceleration and braking are limited; so are steering angle and steering rate, the more the faster it drives.
    A command for a sharp bend slows the vehicle down first. NaN, infinity and commands that contradict their gear are
    refused; a change of gear waits for standstill. Without a fresh command the vehicle brakes to a stop and keeps its
    steering angle. So it does for a stop, a low battery, a fault that the vehicle reports, and if it disengages by
    itself; if a person takes over, the guard lets go and gives no command. All of these latch: they are released by a
    reset and a command newer than the reset, and not while their cause lasts.

    Without a fresh state there is no command: the driver brakes by its own means. After it, the steering begins again
    where several states agree that the wheels are. A vehicle whose wheels do not follow their set-point is stopped; one
    whose wheels are further than that beyond `steering` is not commanded. A battery that is wired but silent stops the
    vehicle; one that is not wired is not used.

    Attributes:
        wheelbase: distance between the axles [m].
        speed: limit of the speed, forwards and backwards [m/s].
        acceleration: limit when gaining speed [m/s²].
        braking: limit when losing speed, and deceleration of a stop [m/s²].
        steering: limit of the front wheels' angle at the road, either way [rad].
        slew: limit of the steering rate [rad/s].
        lateral: limit of the lateral acceleration in a bend [m/s²].
        jerk: limit of the lateral jerk from steering [m/s³].
        patience: consecutive periods faster than 1.2 times `speed`, or beyond `following_error`, that stop the vehicle.
        reserve: charge below which it stops, in [0, 1).
        lease: silence of a commander after which a lower rank is followed [s].
        following_error: distance of the front wheels from their set-point beyond which the vehicle stops, and beyond
            `steering` from which on there is no command [rad].
    """

    wheelbase: float  # [m]
    speed: float = 2.0  # [m/s]
    acceleration: float = 1.0  # [m/s²]
    braking: float = 2.0  # [m/s²]
    steering: float = 0.5  # [rad]
    slew: float = 0.8  # [rad/s]
    lateral: float = 1.5  # [m/s²]
    jerk: float = 4.0  # [m/s³]
    patience: int = 10
    reserve: float = 0.15
    lease: float = 0.5  # [s]
    following_error: float = 0.3  # [rad]

    rate = 50.0

    def check(self) -> Iterable[str]:
        """Check that each limit is in its range."""
        yield from positive("m").problems(wheelbase=self.wheelbase)
        yield from positive("m/s").problems(speed=self.speed)
        accelerations = {"acceleration": self.acceleration, "braking": self.braking}
        yield from at_least(ACCELERATION_LEAST, "m/s²").problems(**accelerations)
        yield from Range(0, math.pi / 2, "rad", "()").problems(steering=self.steering)
        yield from positive("rad/s").problems(slew=self.slew)
        yield from positive("rad").problems(following_error=self.following_error)
        yield from positive("m/s²").problems(lateral=self.lateral)
        yield from positive("m/s³").problems(jerk=self.jerk)
        yield from at_least(0, "s").problems(lease=self.lease)
        yield from Range(0, 1, includes="[)").problems(reserve=self.reserve)
        yield from at_least(1).problems(patience=self.patience)

    def open(self) -> None:
        """Start with the steering angle that the vehicle has."""
        self._limiter = DriveLimiter(
            speed=self.speed,
            acceleration=self.acceleration,
            braking=self.braking,
            steering=self.steering,
            slew=self.slew,
            cornering=Cornering(self.wheelbase, self.lateral, self.jerk),
            period=float(1 / rate_of(self.rate)),
        )
        self._engagement = Engagement(self.speed, self.patience)
        self._arbiter = Arbiter[VehicleCommand](self.ranks, self.lease, "it stands")
        self._agreement = Agreement(AGREEMENT)
        self._following = FollowingError(self.following_error, "rad", self.patience)
        self._angle: float | None = None
        self._released = False

    def step(
        self,
        command: Stamped[VehicleCommand] | None,
        operator: Stamped[VehicleCommand] | None,
        state: VehicleState | None,
        battery: Battery | None,
        stop: list[Stop],
        reset: list[Stamped[Reset]],
        now: Time,
    ) -> VehicleGuardOutput:
        """Run one control period: arbitrate between commanders, limit the command, report clips and refusals."""
        state = Engagement.plausible(state)
        resting = state is not None and abs(state.speed) <= STANDSTILL_SPEED
        self._arbiter.receive({"operator": operator, "command": command}, resting, now)
        charge = math.nan if battery is None else battery.charge
        missing = self._locate(state)
        causes = [low_battery(charge, self.reserve), self._following.cause]
        if state is not None:
            causes += self._engagement.update(state)
        released = self._arbiter.latch(stop, causes, reset, now)
        if released:
            self._released = False
        if self._following.cause or (released and resting):
            # Wheels may have been turned by hand: begin where they are now.
            self._angle = None
            self._agreement.require()
        if state is not None and (state.overridden or self._released):
            # A person who has taken the wheel keeps it until a reset.
            self._released, self._angle = True, None
            return VehicleGuardOutput(None, self._arbiter.report_holding(self._arbiter.stopped))
        missing = missing or self._agreement.refusal()
        if missing:
            self._angle = None
            return VehicleGuardOutput(None, self._arbiter.report_holding(self._arbiter.stopped or missing))
        assert state is not None
        obstacle = self._unready(state, charge) or self._following.refusal
        followed, refusal = self._arbiter.select(obstacle, _problem)
        return self._hold(refusal, state) if followed is None else self._follow(followed, state)

    def _locate(self, state: VehicleState | None) -> str:
        """Compare the wheels with their range and set-point; return why their angle is unknown, or nothing."""
        if state is None:
            return self._lost("no fresh state")
        self._agreement.add(state, state.steering)
        if missing := self._outside(state):
            return self._lost(missing)
        if self._angle is None or not state.engaged:
            self._following.reset()
        else:
            self._following.update("the steering", abs(self._angle - state.steering))
        return ""

    def _lost(self, why: str) -> str:
        """Compare nothing more with the wheels, whose angle is unknown, and return the reason."""
        self._agreement.forget()
        self._following.reset()
        return why

    def _outside(self, state: VehicleState) -> str:
        most = self.steering + self.following_error
        problem = next(Range(-most, most, "rad").problems(steering=state.steering), "")
        return f"measured {problem}" if problem else ""

    def _unready(self, state: VehicleState, charge: float) -> str:
        """Return why the vehicle cannot follow anyone yet; empty if it can."""
        if not state.engaged:
            return "the vehicle is not engaged yet"
        if "battery" in self.wired and not math.isfinite(charge):
            return "no fresh charge of the battery"
        return ""

    def _follow(self, command: VehicleCommand, state: VehicleState) -> VehicleGuardOutput:
        # A vehicle that does not say its gear is in the one of its motion.
        gear = state.gear if state.gear in GEARS else "D" if state.speed > 0.0 else "R"
        if command.gear != gear and abs(state.speed) > STANDSTILL_SPEED:
            source = self._arbiter.source
            return self._hold(f"{source} asks for gear {command.gear}, which waits until it stands", state)
        limited, clips = self._limiter.follow(self._begun(state), command, state)
        self._angle = limited.steering
        return VehicleGuardOutput(limited, self._arbiter.report_following(clips))

    def _hold(self, refusal: str, state: VehicleState) -> VehicleGuardOutput:
        self._angle = self._begun(state)
        gear = state.gear if state.gear in GEARS else "R" if state.speed < -STANDSTILL_SPEED else "D"
        return VehicleGuardOutput(self._limiter.stop(self._angle, gear), self._arbiter.report_holding(refusal))

    def _begun(self, state: VehicleState) -> float:
        """Return the steering set-point of the last period [rad]; the first one is the angle that the wheels have."""
        if self._angle is None or not state.engaged:
            return min(max(state.steering, -self.steering), self.steering)
        return self._angle


def _problem(command: VehicleCommand) -> str:
    if problem := vehicle_problem(command):
        return problem
    if command.acceleration is not None and abs(command.acceleration) < ACCELERATION_LEAST:
        return f"acceleration must be at least {ACCELERATION_LEAST} m/s² either way, got {command.acceleration:g}"
    return ""
