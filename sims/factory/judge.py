"""The judge of a delivery: loaded, brought to its station, inspected from the air, landed, each after the other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from embodied.messages import Vector
from embodied.world import Verdict
from sims.airfield.hover_accuracy import Stay
from sims.airfield.judge import LANDED, STILL, TIPPED, Flight
from sims.tabletop.judge import MOVED, Motion
from sims.tabletop.judge import STILL as AT_REST

RESTING = 0.5  # how long what is done must stay so [s]
SHORT = 0.5  # so far before the stop line the nose may stand [m]
STANDING = 0.01  # slower, a shuttle stands [m/s]
LEFT = 0.02  # further from where it stood, a shuttle has left [m]
SHIFTED = 0.02  # how far the load may move in its bed on the way [m]
DEEP = 0.005  # a load lies within so much of the floor of its bed [m]


class Leg(IntEnum):
    """What is still to be done, in this order."""

    LOAD = 0
    DELIVER = 1
    INSPECT = 2
    LAND = 3


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked of a delivery, in the world's frame but for the bed, which is in the shuttle's.

    Attributes:
        load: label of the block.
        size: edge of it [m].
        bed: middle of the bed's floor, shape (3,) [m].
        inside: half of its inside, along and across [m].
        nose: how far the shuttle reaches ahead of its frame [m].
        line: a point of the near edge of the stop line, and the way it is driven over there, each of shape (2,) [m].
        hold: where to hold, above the load [m].
        pad: middle of the landing pad, shape (2,) [m].
        low, high: corners of what the drone may never leave, shape (3,) [m].
        limit: how long it may take [s].
    """

    load: str
    size: float
    bed: Vector
    inside: tuple[float, float]
    nose: float
    line: tuple[Vector, Vector]
    hold: float
    pad: Vector
    low: Vector
    high: Vector
    limit: float


@dataclass(frozen=True, slots=True)
class Shop:
    """How everything is at one moment.

    Attributes:
        blocks: on the table or wherever they are, by label.
        held: whether the gripper touches the load.
        position: of the shuttle's frame, shape (3,) [m].
        attitude: of the same, shape (3, 3).
        speed: of the shuttle [m/s].
        flight: how the drone is.
        sight: whether the camera that looks down has the whole load in its picture.
    """

    blocks: Mapping[str, Motion]
    held: bool
    position: Vector
    attitude: Vector
    speed: float
    flight: Flight
    sight: bool


class Judge:
    """Looks at a delivery now and then, and decides once.

    Args:
        order: what was asked.
        start: how everything was at first.
        looks: a second [Hz].

    Attributes:
        verdict: None before it is decided.
    """

    def __init__(self, order: Order, start: Shop, looks: int) -> None:
        self._order = order
        self._start = start
        self._stay = Stay(looks)
        self._leg = Leg.LOAD
        self._since: float | None = None
        self._times: dict[str, float] = {}
        self._laid: Vector | None = None
        self._shift = 0.0
        self._photograph: float | None = None
        self._seen: dict[float, float | None] = {}
        self._corners = order.size / 2 * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        self.verdict: Verdict | None = None

    def photographed(self, when: float) -> None:
        """The drone handed in a photograph that it took at a time [s]; of several the first that shows the load."""
        looks = [look for look in self._seen if look <= when]
        if self._photograph is None and looks:
            self._photograph = self._seen[max(looks)]

    def look(self, now: float, shop: Shop) -> None:
        """Take in how everything is at a time [s]."""
        if self.verdict is not None:
            return
        failure = self._failure(now, shop)
        if failure:
            self._decide(now, shop, failure)
            return
        over = math.dist(shop.flight.position, self._over(shop))
        self._seen[now] = over if shop.sight else None
        self._stay.see(over)
        missing = self._missing(shop)
        self._since = None if missing else now if self._since is None else self._since
        if self._since is not None and now - self._since >= RESTING:
            self._done(now, shop)
        elif now >= self._order.limit:
            self._decide(now, shop, f"after {self._order.limit:g} s {missing or 'nothing has rested long enough'}")

    def _done(self, now: float, shop: Shop) -> None:
        """The leg is; go on to the next."""
        self._times[self._leg.name.lower()] = now
        self._since = None
        if self._leg is Leg.LAND:
            self._decide(now, shop, "")
            return
        if self._leg is Leg.LOAD:
            self._laid = self._in_bed(shop)
        self._leg = Leg(self._leg + 1)

    def _failure(self, now: float, shop: Shop) -> str:
        """What can no longer be made good, empty if nothing."""
        order, flight = self._order, shop.flight
        moved = {
            label: math.dist(block.position, self._start.blocks[label].position)
            for label, block in shop.blocks.items()
            if label != order.load
        }
        worst = max(moved, key=moved.__getitem__, default="")
        away = math.dist(shop.position, self._start.position)
        past = self._past(shop)
        if worst and moved[worst] >= MOVED:
            return f"the {worst} block was moved {1e3 * moved[worst]:.0f} mm by {now:.2f} s, {1e3 * MOVED:.0f} allowed"
        missing = self._missing(shop) if self._leg < Leg.INSPECT else ""
        if missing and self._leg is Leg.LOAD and away > LEFT:
            return f"the shuttle left at {now:.2f} s, and {missing}"
        if missing and not flight.grounded and not flight.off:
            return f"the drone took off at {now:.2f} s, and {missing}"
        if past > 0.0:
            return f"the shuttle's nose is {1e3 * past:.0f} mm past the stop line at {now:.2f} s"
        if self._laid is not None:
            self._shift = max(self._shift, math.dist(self._in_bed(shop), self._laid))
            if self._shift > SHIFTED:
                return f"the load shifted {1e3 * self._shift:.0f} mm in its bed by {now:.2f} s"
        if not np.all((order.low <= flight.position) & (flight.position <= order.high)):
            return f"the drone left its fence at {now:.2f} s, at {np.round(flight.position, 2).tolist()} m"
        if flight.tilt > TIPPED:
            return f"the drone tipped over at {now:.2f} s, by {math.degrees(flight.tilt):.0f}°"
        return ""

    def _missing(self, shop: Shop) -> str:
        """Why the leg is not done yet, empty if it is."""
        match self._leg:
            case Leg.LOAD:
                return self._unloaded(shop)
            case Leg.DELIVER:
                return self._undelivered(shop)
            case Leg.INSPECT:
                missed = self._stay.missed("the load")
                return missed or ("" if self._photograph is not None else "no photograph shows the load")
        flight, away = shop.flight, self._away(shop)
        if not (flight.grounded and flight.off and flight.speed < STILL):
            return "the drone has not landed and stopped its rotors"
        return f"the drone landed {away:.2f} m from its pad, {LANDED} allowed" if away > LANDED else ""

    def _unloaded(self, shop: Shop) -> str:
        order, block = self._order, shop.blocks[self._order.load]
        corners = (block.position + self._corners @ block.rotation.T - shop.position) @ shop.attitude - order.bed
        beyond = float(np.max(np.abs(corners[:, :2]) - order.inside))
        above = float(corners[:, 2].min())
        if beyond > 0.001:
            return f"the {order.load} block is {1e3 * beyond:.0f} mm outside the bed"
        if above > DEEP:
            return f"the {order.load} block is {1e3 * above:.0f} mm above the floor of the bed"
        if block.linear > AT_REST[0] or block.angular > AT_REST[1]:
            return f"the {order.load} block still moves"
        return f"the {order.load} block is still held" if shop.held else ""

    def _undelivered(self, shop: Shop) -> str:
        short = -self._past(shop)
        if short > SHORT:
            return f"the shuttle's nose is {short:.2f} m before the stop line, {SHORT} allowed"
        return "" if abs(shop.speed) < STANDING else "the shuttle still drives"

    def _past(self, shop: Shop) -> float:
        """How far its nose is past the stop line [m]."""
        point, way = self._order.line
        nose = shop.position + self._order.nose * shop.attitude[:, 0]
        return float((nose[:2] - point) @ way)

    def _over(self, shop: Shop) -> Vector:
        over: Vector = shop.blocks[self._order.load].position + np.array([0.0, 0.0, self._order.hold])
        return over

    def _in_bed(self, shop: Shop) -> Vector:
        there: Vector = (shop.blocks[self._order.load].position - shop.position) @ shop.attitude
        return there

    def _away(self, shop: Shop) -> float:
        return math.dist(shop.flight.position[:2], self._order.pad)

    def _decide(self, now: float, shop: Shop, failure: str) -> None:
        details = {
            "load": self._order.load,
            "time": now,
            "legs": dict(self._times),
            "short": -self._past(shop),
            "shift": self._shift,
            "hold": self._stay.held,
            "photograph": self._photograph,
            "pad": self._away(shop),
        }
        done = (
            f"the {self._order.load} block was loaded at {self._times.get('load', 0.0):.1f} s, delivered at "
            f"{self._times.get('deliver', 0.0):.1f} s, held over within {self._stay.held or 0.0:.3f} m and "
            f"photographed; the drone landed {self._away(shop):.3f} m from its pad at {now:.1f} s"
        )
        self.verdict = Verdict(not failure, failure or done, details)
