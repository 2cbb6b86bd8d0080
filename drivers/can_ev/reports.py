"""Conversion of a vehicle's report to the messages that the driver publishes."""

from __future__ import annotations

from drivers.can_ev.vehicle import DriveReport
from embodied.clock import Time
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
