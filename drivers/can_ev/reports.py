"""Conversion of a vehicle's report to the messages that the driver publishes."""

from __future__ import annotations

from drivers.can_ev.vehicle import DriveReport
from embodied.clock import Time
from embodied.devices.drive_by_wire import STANDSTILL_SPEED
from embodied.messages import Battery, VehicleState


def vehicle_state(report: DriveReport, now: Time) -> VehicleState:
    """Convert a drive-by-wire report to the published VehicleState, acquired now."""
    return VehicleState(
        speed=report.speed,
        steering=report.steering,
        yaw_rate=report.yaw_rate,
        gear=report.gear,
        engaged=report.engaged,
        overridden=report.overridden,
        faults=report.faults,
        acquired=now,
    )


def battery(report: DriveReport, now: Time) -> Battery:
    """Convert a drive-by-wire report to the published Battery message, acquired now."""
    return Battery(voltage=report.voltage, current=report.current, charge=report.charge, acquired=now)


def stands(report: DriveReport) -> bool:
    """Return whether a vehicle reports that it stands, and that its unit has let go."""
    return abs(report.speed) <= STANDSTILL_SPEED and not (report.engaged or report.stopping)


def motion(report: DriveReport, fresh: bool) -> str:
    """Describe what a vehicle reports of its motion, for an error.

    Args:
        report: newest state of the vehicle.
        fresh: whether it has reported since it was to stop.
    """
    if not fresh:
        return "it reports nothing"
    mode = "follows commands" if report.engaged else "has let go"
    return f"it reports {report.speed:.2f} m/s, and {mode}"


def device_state(report: DriveReport, *, armed: bool, fault: bool) -> str:
    """Return the state of a vehicle in a word.

    Args:
        report: newest state of the vehicle.
        armed: whether its driver may move it.
        fault: whether something is broken.
    """
    if armed:
        return "moving" if abs(report.speed) > STANDSTILL_SPEED else "ready"
    return "fault" if fault else "stopped"
