"""Landmark filters over detections along a road: stop line, obstacle, and curvature of the lane.

A camera loses sight of what is right before the wheels, and sometimes detects what is not there. Landmarks are kept by
odometer distance, so that they stay in place while the vehicle moves.
"""

from __future__ import annotations

import statistics

import numpy as np

from embodied import SECOND, Time


class Landmark:
    """Median filter for the place of a fixed landmark, such as a stop line.

    Args:
        window: number of detections kept; with less than half of them there is no landmark yet.
        blind: distance below which detections are ignored, since the odometer is more accurate there [m].
    """

    def __init__(self, window: int, blind: float) -> None:
        self.window = window
        self.blind = blind
        self._places: list[float] = []

    def observe(self, odometer: float, distance: float | None) -> None:
        """Add the detection of one image.

        Args:
            odometer: odometer when the image was acquired [m].
            distance: distance to the landmark [m]; None if it is not detected.
        """
        if (left := self.distance(odometer)) is not None and left <= self.blind:
            return
        if distance is not None:
            self._places = [*self._places[1 - self.window :], odometer + distance]
        else:
            # It should be visible from here: one detection less speaks for it.
            self._places = self._places[1:]

    def distance(self, odometer: float) -> float | None:
        """Return the distance to the landmark at an odometer reading [m]; None if there is none."""
        return statistics.median(self._places) - odometer if 2 * len(self._places) > self.window else None


class Obstacle:
    """Hold filter for an obstacle that may move away: counts from its first detection until it is unseen for a while.

    Args:
        clear: time without a detection after which the obstacle is gone [s].
    """

    def __init__(self, clear: float) -> None:
        self.clear = round(clear * SECOND)
        self._place: float | None = None
        self._last = Time(0)

    def observe(self, odometer: float, distance: float | None, acquired: Time) -> None:
        """Add the detection of one image.

        Args:
            odometer: odometer when the image was acquired [m].
            distance: distance to the obstacle [m]; None if none is detected.
            acquired: acquisition time of the image [ns].
        """
        if distance is not None:
            self._place, self._last = odometer + distance, acquired
        elif acquired - self._last >= self.clear:
            self._place = None

    def distance(self, odometer: float) -> float | None:
        """Return the distance to the obstacle at an odometer reading [m]; None if there is none."""
        return None if self._place is None else self._place - odometer


class CurvatureMap:
    """Curvature of the lane along the way, from detections that each measure it some distance ahead.

    Args:
        preview: distance ahead of the vehicle at which a detection measures the curvature [m].
    """

    def __init__(self, preview: float) -> None:
        self.preview = preview
        self._samples: list[tuple[float, float]] = []

    def observe(self, odometer: float, curvature: float) -> None:
        """Add a measured curvature [1/m], acquired at an odometer reading [m]."""
        kept = [s for s in self._samples if odometer < s[0] + self.preview and s[0] < odometer + self.preview]
        self._samples = [*kept, (odometer + self.preview, curvature)]

    def at(self, place: float) -> float:
        """Return the curvature at a place along the way [m], by linear interpolation between samples [1/m]."""
        places, curvatures = zip(*self._samples, strict=True) if self._samples else ((0.0,), (0.0,))
        return float(np.interp(place, places, curvatures))
