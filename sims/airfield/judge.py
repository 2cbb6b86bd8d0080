"""The judge of an inspection: it held over the right marker, came back, and rests on its pad with its rotors off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector
from embodied.world import Verdict
from sims.airfield.hover_accuracy import Stay

LANDED = 0.20  # from the middle of the pad [m]
RESTING = 0.5  # how long it must rest there [s]
STILL = 0.05  # what counts as rest [m/s]
TIPPED = math.radians(60.0)


@dataclass(frozen=True, slots=True)
class Flight:
    """How a multirotor is.

    Attributes:
        position: of its middle, shape (3,) [m].
        speed: [m/s].
        tilt: of its up axis from the vertical [rad].
        grounded: whether it touches the ground.
        off: whether its rotors stand.
    """

    position: Vector
    speed: float
    tilt: float
    grounded: bool
    off: bool


@dataclass(frozen=True, slots=True)
class Errand:
    """What is asked of an inspection, all in the world's frame.

    Attributes:
        marker: its label.
        hold: where to hold, above the marker, shape (3,) [m].
        pad: middle of the landing pad, shape (2,) [m].
        low, high: corners of what may never be left, shape (3,) [m].
        limit: how long it may take [s].
    """

    marker: str
    hold: Vector
    pad: Vector
    low: Vector
    high: Vector
    limit: float


class Judge:
    """Looks at a flight now and then, and decides once.

    Args:
        errand: what was asked.
        looks: a second [Hz].

    Attributes:
        verdict: None before it is decided.
    """

    def __init__(self, errand: Errand, looks: int) -> None:
        self._errand = errand
        self._stay = Stay(looks)
        self._since: float | None = None
        self._flown = False
        self.verdict: Verdict | None = None

    def look(self, now: float, flight: Flight) -> None:
        """Take in how it flies at a time [s]."""
        if self.verdict is not None:
            return
        errand, where = self._errand, flight.position
        self._flown = self._flown or not flight.grounded
        self._stay.see(math.dist(where, errand.hold))
        away = math.dist(where[:2], errand.pad)
        resting = self._flown and flight.grounded and flight.off and flight.speed < STILL
        self._since = None if not resting else now if self._since is None else self._since
        rested = 0.0 if self._since is None else now - self._since
        failure, held = self._failure(now, flight), self._stay.held
        details = {"marker": errand.marker, "time": now, "hold": held, "pad": away, "position": where.tolist()}
        if failure:
            self.verdict = Verdict(False, failure, details)
        elif rested >= RESTING:
            missed = self._stay.missed(errand.marker) or (
                f"it landed {away:.2f} m from the pad, {LANDED} allowed" if away > LANDED else ""
            )
            if missed:
                self.verdict = Verdict(False, f"{missed}; it rests at {now:.1f} s", details)
            else:
                done = f"it held over {errand.marker} within {held:.3f} m and landed {away:.3f} m from the pad"
                self.verdict = Verdict(True, f"{done} at {now:.1f} s", details)

    def _failure(self, now: float, flight: Flight) -> str:
        errand, where = self._errand, flight.position
        if not np.all((errand.low <= where) & (where <= errand.high)):
            return f"it left the fence at {now:.2f} s, at {np.round(where, 2).tolist()} m"
        if flight.tilt > TIPPED:
            return f"it tipped over at {now:.2f} s, by {math.degrees(flight.tilt):.0f}°"
        if now >= errand.limit:
            missed = self._stay.missed(errand.marker) or "it has not landed and stopped its rotors"
            return f"after {errand.limit:g} s {missed}"
        return ""
