"""Why a command is not sent, in one sentence; whatever is refused is refused whole."""

from __future__ import annotations

import math

import numpy as np

from drivers.mavlink.geofence import Geofence
from embodied.messages import DroneCommand, Vector


def refusal(command: DroneCommand, frame: str, speed: float, fence: Geofence | None, home: Vector | None) -> str:
    """Why a vehicle is not told a command; empty if it is.

    Args:
        command: of a position, of a velocity, or of both.
        frame: in which the vehicle counts.
        speed: it is asked for at most [m/s].
        fence: inside which it has to stay; None if there is none.
        home: above which the fence's altitude counts, in its frame [m].
    """
    if command.frame != frame:
        return f"refused: a set-point in '{command.frame}', and it flies in '{frame}'"
    if command.position is None and command.velocity is None and not command.land:
        return "refused: neither a position nor a velocity, nor to land"
    for name, vector in (("position", command.position), ("velocity", command.velocity)):
        if vector is not None and (vector.shape != (3,) or not np.isfinite(vector).all()):
            return f"refused: the {name} {vector.tolist()} is not three finite numbers"
    if command.yaw is not None and not math.isfinite(command.yaw):
        return f"refused: the yaw {command.yaw} is not finite"
    if command.velocity is not None and math.sqrt(float(command.velocity @ command.velocity)) > speed:
        return f"refused: {np.round(command.velocity, 2).tolist()} m/s is faster than {speed:g} m/s"
    if fence is not None and command.position is not None:
        east, north, up = map(float, command.position)
        if not fence.holds(east, north, up - (0.0 if home is None else float(home[2]))):
            return f"refused: {np.round(command.position, 2).tolist()} m is outside the geofence"
    return ""
