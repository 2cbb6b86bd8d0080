"""Sightings: where along its way a vehicle has seen a thing, for as long as it has to reckon with it.

A camera loses sight of what is right before the wheels, and now and then sees what is not there. Places are told by the
way driven, so that they stay where they are while the vehicle moves.
"""

from __future__ import annotations

import statistics

import numpy as np

from embodied import SECOND, Time


class Mark:
    """A thing that stays where it is, a line on the road: the median of its newest looks.

    Args:
        looks: how many are kept; less than half of them are none yet.
        blind: nearer than this it is not looked at any more, since the way driven says better where it is [m].
    """

    def __init__(self, looks: int, blind: float) -> None:
        self.looks = looks
        self.blind = blind
        self._seen: list[float] = []

    def look(self, way: float, distance: float | None) -> None:
        """One look.

        Args:
            way: that was driven when it was made [m].
            distance: to the thing [m]; None: it is not seen.
        """
        if (left := self.left(way)) is not None and left <= self.blind:
            return
        if distance is not None:
            self._seen = [*self._seen[1 - self.looks :], way + distance]
        else:
            # It should be seen from here: one look the less that says so.
            self._seen = self._seen[1:]

    def left(self, way: float) -> float | None:
        """How far it is once so much was driven [m]; None: there is none."""
        return statistics.median(self._seen) - way if 2 * len(self._seen) > self.looks else None


class Obstruction:
    """A thing that may go away: it counts from the first look, and until it was not seen for a while.

    Args:
        clear: how long the view has to be clear [s].
    """

    def __init__(self, clear: float) -> None:
        self.clear = round(clear * SECOND)
        self._at: float | None = None
        self._seen = Time(0)

    def look(self, way: float, distance: float | None, acquired: Time) -> None:
        """One look, made at a time [ns]; else as that at a `Mark`."""
        if distance is not None:
            self._at, self._seen = way + distance, acquired
        elif acquired - self._seen >= self.clear:
            self._at = None

    def left(self, way: float) -> float | None:
        """How far it is once so much was driven [m]; None: there is none."""
        return None if self._at is None else self._at - way


class Bends:
    """How the lane bends by the way along it, from looks that each say how it does some way ahead.

    Args:
        ahead: of the vehicle, where the bend is that a look tells [m].
    """

    def __init__(self, ahead: float) -> None:
        self.ahead = ahead
        self._told: list[tuple[float, float]] = []

    def look(self, way: float, curvature: float) -> None:
        """One look, made when so much was driven [m], and what it told [1/m]."""
        kept = [told for told in self._told if way < told[0] + self.ahead and told[0] < way + self.ahead]
        self._told = [*kept, (way + self.ahead, curvature)]

    def at(self, place: float) -> float:
        """How the lane bends at a place by the way [m], as far as that was told; else where it was told next [1/m]."""
        places, bends = zip(*self._told, strict=True) if self._told else ((0.0,), (0.0,))
        return float(np.interp(place, places, bends))
