"""Arming of a multirotor: the conditions under which its rotors may start."""

from __future__ import annotations

import math
from collections.abc import Iterator

from embodied.autopilot.estimator import Estimate
from embodied.geometry import rotation

TILT = math.radians(20.0)
"""Largest tilt from which a multirotor can take off [rad]."""


def arming_denials(*, located: bool, charge: float, reserve: float) -> Iterator[str]:
    """Yield the reasons why a multirotor may not arm.

    Args:
        located: whether the estimator knows where it is.
        charge: of the battery, 0 to 1.
        reserve: charge below which it stays on the ground, 0 to 1.
    """
    if not located:
        yield "no position: it waits for a fix"
    if charge < reserve:
        yield f"battery at {100 * charge:.0f} %"


def is_level(estimate: Estimate) -> bool:
    """Return whether a multirotor stands level enough to take off.

    Args:
        estimate: state of the multirotor.
    """
    return bool(rotation(estimate.orientation)[2, 2] > math.cos(TILT))
