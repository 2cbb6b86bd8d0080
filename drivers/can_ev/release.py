"""Release of a vehicle: the reasons for which the driver lets go of it."""

from __future__ import annotations

from typing import NamedTuple

from drivers.can_ev.vehicle import DriveReport


class Release(NamedTuple):
    """Reason to let go of the vehicle.

    Attributes:
        reason: reason and remedy, in a sentence.
        fault: whether something is broken, rather than taken over.
    """

    reason: str
    fault: bool


def release(report: DriveReport, *, intruder: str, distrust: str, engaged: bool, late: bool) -> Release | None:
    """Return the reason to let go of the vehicle; None as long as there is none.

    Args:
        report: newest state of the vehicle.
        intruder: name of a command that somebody else sent on the bus; empty for none.
        distrust: reason why the reports cannot be trusted; empty if they can.
        engaged: whether the unit followed before.
        late: whether it should follow by now.
    """
    if intruder:
        return Release(f"somebody else sends {intruder} on this bus: stop that sender, then arm it again", True)
    if distrust:
        return Release(f"its reports cannot be trusted ({distrust}): see to the bus, then arm it again", True)
    if report.hindrance:
        return Release(f"{report.hindrance}; then arm it again", bool(report.faults) and not report.stopped)
    if engaged and not report.engaged:
        return Release("the unit has let go by itself: see what it reports, then arm it again", True)
    if late and not report.engaged:
        return Release("the unit did not take over: see what it reports, then arm it again", True)
    return None
