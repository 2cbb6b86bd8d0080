"""The guard of a multirotor: the last word before its driver."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from embodied.bodies import WORLD
from embodied.clock import SECOND, Time, rate_of
from embodied.guards.flight_limiter import Course, Leg
from embodied.guards.latch import Latch
from embodied.guards.lease import Lease
from embodied.guards.link_loss import Link
from embodied.guards.upset import Upset
from embodied.guards.workspace import Box
from embodied.messages import Battery, DroneCommand, DroneState, GuardReport, Reset, Stop
from embodied.node.node import Guard
from embodied.node.ports import Ports, Stamped


class GuardedFlight(NamedTuple):
    """What the guard gives: a command that keeps every limit, and what it did to get it."""

    command: DroneCommand | None
    report: GuardReport


@dataclass
class DroneGuard(Guard):
    """Lets a multirotor fly only inside its fence, only within its limits, and only on fresh commands.

    A position or a velocity becomes a set-point that moves within speed and acceleration and can always stop inside the
    fence. NaN, infinity and commands that say nothing are refused. Without a fresh command it brakes and holds its
    position; nobody for `lost` seconds, or too little charge, makes it land where it is. A stop, by a person or by a
    flight beyond its limits, holds or lands, as `on_stop` says. All of these latch: they are released by a reset and a
    command that is newer than it, and not while their cause lasts. On the ground it disarms,
    and commands nothing by itself.

    Without a fresh state it gives no command: the driver holds by its own means. A battery that is wired and silent
    holds; one that is not wired is not used.

    Attributes:
        low, high: corners of the fence: west, south, lowest and east, north, highest [m].
        speed: over the ground [m/s].
        climb: upwards and downwards [m/s].
        acceleration: [m/s²].
        tilt: further it may not lean for `patience` periods [rad].
        patience: periods in a row beyond tilt, or beyond one and a half times the speed, until it stops.
        reserve: with less charge than this it lands, 0 to 1.
        lost: how long nobody may command in flight [s].
        lease: how long who commands may be silent before a lower rank follows [s].
        on_stop: what a stop means: `hold` its position, or `land` where it is.
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

    rate = 50.0

    def ports(self) -> Ports:
        """Everything is in the world's frame."""
        ports = super().ports()
        for name in (*self.ranks, "state"):
            ports = ports.refine(name, frame=WORLD)
        return ports

    def check(self) -> Iterable[str]:
        """The fence is one and has home in it, and the limits are limits."""
        if Box(self.low, self.high).empty():
            yield f"the fence from {self.low} to {self.high} m is empty"
        elif not np.isfinite((self.low, self.high)).all():
            yield f"the fence from {self.low} to {self.high} m is open: each of its corners must be finite"
        elif not all(low <= 0.0 <= high for low, high in zip(self.low[:2], self.high[:2], strict=True)):
            yield f"home, at 0, 0, is outside the fence from {self.low} to {self.high} m"
        for name in ("speed", "climb", "acceleration", "tilt", "lost"):
            if not 0.0 < getattr(self, name) < math.inf:
                yield f"{name} = {getattr(self, name)} is no limit: it must be above 0 and finite"
        if not 0.0 <= self.lease < math.inf:
            yield f"lease = {self.lease} s is no time to wait"
        if not 0.0 <= self.reserve < 1.0:
            yield f"reserve = {self.reserve} is no share of a battery: 0 and below 1"
        if self.patience < 1:
            yield f"patience = {self.patience} periods is less than one"

    def open(self) -> None:
        """Start on the ground, with nothing to hold."""
        period = float(1 / rate_of(self.rate))
        self._course = Course(Box(self.low, self.high), self.speed, self.climb, self.acceleration, period)
        self._upset = Upset(self.tilt, 1.5 * self.speed, self.patience)
        self._link = Link(round(self.lost * SECOND))
        self._latch = Latch()
        self._lease = Lease(self.ranks, round(self.lease * SECOND))
        self._leg: Leg | None = None
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
    ) -> GuardedFlight:
        """One period: choose whom to follow, limit, and say what was done."""
        commands = {"operator": operator, "command": command}
        fresh = {name: given for name, given in commands.items() if given is not None}
        resting = self._leg is None or not self._leg.velocity.any()
        heard = {name: given.stamp for name, given in fresh.items()}
        source = self._lease.grant(heard, resting, now)
        measured = Upset.measured(state)
        aloft = measured if measured is not None and measured.armed and not measured.landed else None
        charge = math.nan if battery is None else battery.charge
        flying = aloft is not None
        landing = [*filter(None, [self._empty(charge, flying), self._link.lost(bool(fresh), flying, now)])]
        stops = [said.reason for said in stop]
        if aloft is not None:
            stops += filter(None, [self._upset.over(aloft)])
        if self._latch.turn([*stops, *landing], bool(reset), now):
            self._landing = False
        self._landing = self._landing or bool(landing) or (bool(stops) and self.on_stop == "land")
        if measured is None:
            self._leg = None
            return GuardedFlight(None, self._report(refusal=self._latch.refusal() or "no fresh state"))
        refusal = self._latch.refusal() or self._unpowered(charge)
        refusal = refusal or self._lease.refusal(heard, self._latch.released, "the drone rests")
        if refusal or (refusal := unfit(source, fresh[source].value)):
            return self._hold(refusal, measured)
        return self._follow(source, fresh[source].value, measured)

    def _empty(self, charge: float, flying: bool) -> str:
        low = flying and charge < self.reserve
        return f"the battery is at {100 * charge:.3g} %, and {100 * self.reserve:.3g} % are its reserve" if low else ""

    def _unpowered(self, charge: float) -> str:
        """Why the battery lets nobody be followed; empty: it does, or is not looked at."""
        if "battery" not in self.wired:
            return ""
        if not math.isfinite(charge):
            return "no fresh charge of the battery"
        return f"the battery is at {100 * charge:.3g} %: too little to take off" if charge < self.reserve else ""

    def _follow(self, source: str, command: DroneCommand, state: DroneState) -> GuardedFlight:
        leg = self._begun(state)
        target = command.position
        if command.land:
            # How fast it sinks is the driver's; over the ground the set-point moves as always.
            leg = Leg(np.array([*leg.position[:2], state.position[2]]), leg.velocity * (1.0, 1.0, 0.0))
            target = leg.position if target is None else np.array([*target[:2], leg.position[2]])
        if target is not None:
            moved, clips = self._course.follow(leg, target)
        else:
            assert command.velocity is not None
            moved, clips = self._course.drive(leg, command.velocity)
        self._leg = moved
        return GuardedFlight(self._command(command.yaw, command.land), self._report("following", source, clips))

    def _hold(self, reason: str, state: DroneState) -> GuardedFlight:
        if not state.armed:
            self._leg = None
            return GuardedFlight(None, self._report(refusal=reason))
        self._leg = self._course.brake(self._begun(state))
        # Still on the ground there is nothing to hold: it disarms.
        lands = self._landing or state.landed
        return GuardedFlight(
            self._command(None, lands), self._report(refusal=f"{reason}; it lands" if lands else reason)
        )

    def _begun(self, state: DroneState) -> Leg:
        """The set-point, which begins where the drone is and as it moves."""
        if self._leg is None or not state.armed:
            return self._course.begin(state.position, state.linear_velocity if state.armed else np.zeros(3))
        return self._leg

    def _command(self, yaw: float | None, land: bool) -> DroneCommand:
        assert self._leg is not None
        leg = self._leg
        return DroneCommand(position=leg.position, velocity=leg.velocity, yaw=yaw, land=land, frame=WORLD)

    def _report(self, state: str = "", source: str = "", clips: tuple[str, ...] = (), refusal: str = "") -> GuardReport:
        state = state or ("stopped" if self._latch.reason else "holding")
        return GuardReport(state=state, source=source, clips=clips, refusals=(refusal,) if refusal else ())


def unfit(source: str, command: DroneCommand) -> str:
    """Why a command cannot be followed; empty: it can."""
    given = {"position": command.position, "velocity": command.velocity, "yaw": command.yaw}
    for name, value in given.items():
        if value is not None and not np.isfinite(value).all():
            return f"{source} commands {name} {np.asarray(value).tolist()}, which is not finite"
    if command.position is None and command.velocity is None and not command.land:
        return f"{source} commands neither a position nor a velocity"
    return ""
