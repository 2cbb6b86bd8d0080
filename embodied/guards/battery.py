"""Battery reserve: the charge below which a drone lands and a vehicle stops."""

from __future__ import annotations


def low_battery(charge: float, reserve: float) -> str:
    """Return why the charge is below the battery reserve; empty if it is not, or unknown.

    Args:
        charge: state of charge, in [0, 1]; NaN if unknown.
        reserve: charge below which the body must not go on, in [0, 1).
    """
    if not charge < reserve:
        return ""
    return f"the battery is at {100 * charge:.3g} %, and {100 * reserve:.3g} % are its reserve"
