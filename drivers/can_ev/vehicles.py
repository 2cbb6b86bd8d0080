"""Registry of the vehicles that this driver supports."""

from __future__ import annotations

from drivers.can_ev.generic import GENERIC
from drivers.can_ev.tesla import TESLA
from drivers.can_ev.vehicle import Vehicle

VEHICLES: dict[str, Vehicle] = {vehicle.name: vehicle for vehicle in (GENERIC, TESLA)}
"""Vehicles by the name that a launch file gives."""
