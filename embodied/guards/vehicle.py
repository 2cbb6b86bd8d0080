"""The guard of a road vehicle: the last word before its driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied.clock import SECOND, Time, rate_of
from embodied.guards.cornering import Cornering
from embodied.guards.drive_limiter import Drive
from embodied.guards.engagement import Engagement
from embodied.guards.latch import Latch
from embodied.guards.lease import Lease
from embodied.messages import Battery, GuardReport, Reset, Stop, VehicleCommand, VehicleState
from embodied.node.node import Guard
from embodied.node.ports import Stamped

STILL = 0.05
"""A vehicle that is slower stands [m/s]."""

LEAST = 0.05
"""With less acceleration than this nobody goes anywhere: to a vehicle it may mean that it is left to choose [m/s²]."""

GEARS = {"P": (0.0, 0.0), "R": (-math.inf, 0.0), "N": (0.0, 0.0), "D": (0.0, math.inf)}
"""Least and greatest speed in each gear [m/s]."""


class GuardedDrive(NamedTuple):
    """What the guard gives: a command that keeps every limit, and what it did to get it."""

    command: VehicleCommand | None
    report: GuardReport


@dataclass
class VehicleGuard(Guard):
    """Lets a road vehicle drive only within its limits, only while it is engaged, and only on fresh commands.

    Speed, acceleration and braking are bounded; so are the angle of the front wheels and how quickly it changes, less
    the faster it drives. Who asks for a sharp bend is slowed down first. NaN, infinity and commands that contradict
    their gear are refused; another gear waits until it stands. Without a fresh command it brakes to a stop, with its
    wheels where they are. So it does for a stop, for too little charge, for what the vehicle says is broken, and when
    that ceases to follow by itself; to a person who takes over it lets go, and gives no command. All of these latch:
    they are released by a reset and a command that is newer than it, and not while their cause lasts.

    Without a fresh state it gives no command: the driver brakes by its own means. A battery that is wired and silent
    stops; one that is not wired is not used.

    Attributes:
        wheelbase: between the axles [m].
        speed: along the forward axis, either way [m/s].
        acceleration: with which it may gain speed [m/s²].
        braking: with which it may lose speed, and with which it stops [m/s²].
        steering: angle of the front wheels at the road, either way [rad].
        slew: how quickly that may change [rad/s].
        lateral: acceleration to the side in a bend [m/s²].
        jerk: its change while the wheels turn [m/s³].
        patience: periods in a row faster than 1.2 times `speed`, until it stops.
        reserve: with less charge than this it stops, 0 to 1.
        lease: how long who commands may be silent before a lower rank follows [s].
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

    rate = 50.0

    def check(self) -> Iterable[str]:
        """The limits are limits."""
        for name in ("wheelbase", "speed", "acceleration", "braking", "steering", "slew", "lateral", "jerk"):
            if not 0.0 < getattr(self, name) < math.inf:
                yield f"{name} = {getattr(self, name)} is no limit: it must be above 0 and finite"
        for name in ("acceleration", "braking"):
            if 0.0 < getattr(self, name) < LEAST:
                yield f"{name} = {getattr(self, name)} m/s² is too little to go by: at least {LEAST}"
        if self.steering >= math.pi / 2:
            yield f"steering = {self.steering} rad is further than wheels turn: below {math.pi / 2:.4g}"
        if not 0.0 <= self.lease < math.inf:
            yield f"lease = {self.lease} s is no time to wait"
        if not 0.0 <= self.reserve < 1.0:
            yield f"reserve = {self.reserve} is no share of a battery: 0 and below 1"
        if self.patience < 1:
            yield f"patience = {self.patience} periods is less than one"

    def open(self) -> None:
        """Start with the wheels as they are."""
        self._drive = Drive(
            speed=self.speed,
            acceleration=self.acceleration,
            braking=self.braking,
            steering=self.steering,
            slew=self.slew,
            cornering=Cornering(self.wheelbase, self.lateral, self.jerk),
            period=float(1 / rate_of(self.rate)),
        )
        self._engagement = Engagement(self.speed, self.patience)
        self._latch = Latch()
        self._lease = Lease(self.ranks, round(self.lease * SECOND))
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
    ) -> GuardedDrive:
        """One period: choose whom to follow, limit, and say what was done."""
        commands = {"operator": operator, "command": command}
        fresh = {name: given for name, given in commands.items() if given is not None}
        measured = Engagement.measured(state)
        resting = measured is not None and abs(measured.speed) <= STILL
        heard = {name: given.stamp for name, given in fresh.items()}
        source = self._lease.grant(heard, resting, now)
        charge = math.nan if battery is None else battery.charge
        stops = [said.reason for said in stop]
        if charge < self.reserve:
            stops.append(f"the battery is at {100 * charge:.3g} %, and {100 * self.reserve:.3g} % are its reserve")
        if measured is not None:
            stops += self._engagement.ended(measured)
        if self._latch.turn(stops, bool(reset), now):
            self._released = False
        if measured is None:
            self._angle = None
            return GuardedDrive(None, self._report(refusal=self._latch.refusal() or "no fresh state"))
        if measured.overridden or self._released:
            # Whoever has the wheel has it until somebody says otherwise.
            self._released, self._angle = True, None
            return GuardedDrive(None, self._report(refusal=self._latch.refusal()))
        refusal = self._latch.refusal() or self._unready(measured, charge)
        refusal = refusal or self._lease.refusal(heard, self._latch.released, "it stands")
        if refusal or (refusal := unfit(source, fresh[source].value)):
            return self._hold(refusal, measured)
        return self._follow(source, fresh[source].value, measured)

    def _unready(self, state: VehicleState, charge: float) -> str:
        """Why the vehicle lets nobody be followed; empty: it does."""
        if not state.engaged:
            return "the vehicle is not engaged yet"
        if "battery" in self.wired and not math.isfinite(charge):
            return "no fresh charge of the battery"
        return ""

    def _follow(self, source: str, command: VehicleCommand, state: VehicleState) -> GuardedDrive:
        if state.gear in GEARS and command.gear != state.gear and abs(state.speed) > STILL:
            return self._hold(f"{source} asks for gear {command.gear}, which waits until it stands", state)
        told, clips = self._drive.follow(self._begun(state), command, state)
        self._angle = told.steering
        return GuardedDrive(told, self._report("following", source, clips))

    def _hold(self, reason: str, state: VehicleState) -> GuardedDrive:
        self._angle = self._begun(state)
        gear = state.gear if state.gear in GEARS else "D"
        return GuardedDrive(self._drive.stop(self._angle, gear), self._report(refusal=reason))

    def _begun(self, state: VehicleState) -> float:
        """The set-point of the wheels, which begins where they are."""
        if self._angle is None or not state.engaged:
            return min(max(state.steering, -self.steering), self.steering)
        return self._angle

    def _report(self, state: str = "", source: str = "", clips: tuple[str, ...] = (), refusal: str = "") -> GuardReport:
        state = state or ("stopped" if self._latch.reason else "holding")
        return GuardReport(state=state, source=source, clips=clips, refusals=(refusal,) if refusal else ())


def unfit(source: str, command: VehicleCommand) -> str:
    """Why a command cannot be followed; empty: it can."""
    for name in ("speed", "acceleration", "steering"):
        value = getattr(command, name)
        if value is not None and not math.isfinite(value):
            return f"{source} commands {name} {value}, which is not finite"
    if command.acceleration is not None and abs(command.acceleration) < LEAST:
        return f"{source} commands acceleration {command.acceleration:g} m/s², and less than {LEAST} goes nowhere"
    if command.gear not in GEARS:
        return f"{source} commands gear '{command.gear}', and there are {', '.join(GEARS)}"
    low, high = GEARS[command.gear]
    if not low <= command.speed <= high:
        return f"{source} commands {command.speed:g} m/s in gear {command.gear}"
    return ""
