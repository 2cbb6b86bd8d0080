"""Check of a command against the autopilot's frame, speed and geofence; a command is sent or refused as a whole."""

from __future__ import annotations

import math

import numpy as np

from drivers.mavlink.geofence import Geofence
from embodied.guards.command_check import drone_problem
from embodied.messages import DroneCommand, Vector


def refusal(command: DroneCommand, frame: str, speed: float, fence: Geofence | None, home: Vector | None) -> str:
    """Return the reason to refuse a command to the autopilot; empty if it may be sent.

    Args:
        command: command to check.
        frame: frame of the vehicle's local coordinates.
        speed: highest speed to send [m/s].
        fence: geofence of the vehicle; None if it has none.
        home: home position in that frame, above which the fence's altitude counts [m].
    """
    if command.frame != frame:
        return f"refused: frame must be '{frame}', got '{command.frame}'"
    if problem := drone_problem(command):
        return f"refused: {problem}"
    if command.velocity is not None and math.sqrt(float(command.velocity @ command.velocity)) > speed:
        return f"refused: velocity must be at most {speed:g} m/s, got {np.round(command.velocity, 2).tolist()}"
    if fence is not None and command.position is not None:
        east, north, up = map(float, command.position)
        if not fence.contains(east, north, up - (0.0 if home is None else float(home[2]))):
            return f"refused: position must be inside the geofence, got {np.round(command.position, 2).tolist()} m"
    return ""
