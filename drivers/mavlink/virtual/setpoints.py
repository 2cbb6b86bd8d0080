"""Handler of the virtual autopilot for what clients stream: set-points, sticks, and places to follow.

These messages have no acknowledgement; what is not flown is refused by a text, as PX4 does.
"""

from __future__ import annotations

import math
from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.coordinates import Origin, attitude, body_axes, heading, world_axes
from drivers.mavlink.mission import DEGREE_UNITS
from drivers.mavlink.virtual.autopilot import Autopilot
from drivers.mavlink.virtual.targets import AttitudeTarget, Sticks, Target
from embodied.geometry import norm
from embodied.messages import DroneCommand, Vector

IGNORES_RATES = 0x07
"""Bits of an attitude target's mask for its three missing angular rates."""

IGNORES_THRUST = 0x40
"""Bit of an attitude target's mask for a missing thrust."""

IGNORES_ATTITUDE = 0x80
"""Bit of an attitude target's mask for a missing attitude."""

RATE_MOST = 4.0
"""Highest angular rate that is flown [rad/s]."""

NO_STICK = 0x7FFF
"""Value of a stick that does not exist."""

GLOBAL_FRAMES = {
    common.MAV_FRAME_GLOBAL: False,
    common.MAV_FRAME_GLOBAL_INT: False,
    common.MAV_FRAME_GLOBAL_RELATIVE_ALT: True,
    common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT: True,
}
"""Whether heights count from home, by the frame of a place on the globe."""


@dataclass
class SetpointHandler:
    """Handler of streamed targets, for one virtual autopilot.

    Attributes:
        autopilot: autopilot that flies them.
        origin: origin of its local frame.
        received: set-points in its local frame that have come, as commands.
    """

    autopilot: Autopilot
    origin: Origin
    received: MutableSequence[DroneCommand]

    def handle(self, message: Any, yaw: float) -> bool:
        """Handle a message that is a target; return whether it is one.

        Args:
            message: message of a client.
            yaw: yaw of the vehicle, which axes of the body turn with [rad].
        """
        kind = message.get_type()
        if kind == "SET_POSITION_TARGET_LOCAL_NED":
            self._local(message, yaw)
        elif kind == "SET_POSITION_TARGET_GLOBAL_INT":
            self._global(message)
        elif kind == "SET_ATTITUDE_TARGET":
            self._attitude(message)
        elif kind == "MANUAL_CONTROL":
            self._sticks(message)
        elif kind == "FOLLOW_TARGET":
            self._followed(message)
        else:
            return False
        return True

    def _local(self, message: Any, yaw: float) -> None:
        in_body = message.coordinate_frame == common.MAV_FRAME_BODY_NED
        if not in_body and message.coordinate_frame != common.MAV_FRAME_LOCAL_NED:
            self._refuse(f"SET_POSITION_TARGET frame {message.coordinate_frame} unsupported")
            return
        if not in_body:
            self.received.append(codec.decode_setpoint(message, "world"))
        # In axes of the body only a velocity counts, as in PX4.
        position = np.full(3, math.nan) if in_body else world_axes(np.array([message.x, message.y, message.z]))
        self._take(message, position, turned_by=yaw if in_body else None)

    def _global(self, message: Any) -> None:
        above_home = GLOBAL_FRAMES.get(message.coordinate_frame)
        home = self.autopilot.home
        if above_home is None or home is None:
            self._refuse(f"SET_POSITION_TARGET frame {message.coordinate_frame} unsupported")
            return
        east, north = self.origin.local(message.lat_int / DEGREE_UNITS, message.lon_int / DEGREE_UNITS)
        base = float(home[2]) if above_home else -self.origin.altitude
        self._take(message, np.array([east, north, base + message.alt]))

    def _take(self, message: Any, position: Vector, turned_by: float | None = None) -> None:
        """Pass a target on to the autopilot.

        Args:
            message: set-point.
            position: position in it, in the local frame [m].
            turned_by: yaw of the axes of its velocity [rad]; None for those of the local frame.
        """
        mask = message.type_mask
        velocity = world_axes(np.array([message.vx, message.vy, message.vz]))
        # North, east, down in the mask; east, north, up in the vectors.
        position = np.where(_masked(mask, codec.NO_POSITION, 0), math.nan, position)
        velocity = np.where(_masked(mask, codec.NO_VELOCITY, 3), math.nan, velocity)
        if turned_by is not None:
            ahead, right, up = velocity[1], velocity[0], velocity[2]
            cosine, sine = math.cos(turned_by), math.sin(turned_by)
            velocity = np.array([ahead * cosine + right * sine, ahead * sine - right * cosine, up])
        has_yaw = not mask & codec.NO_YAW and math.isfinite(message.yaw)
        has_rate = not mask & codec.NO_YAW_RATE and math.isfinite(message.yaw_rate)
        target = Target(
            position,
            velocity,
            heading(message.yaw) if has_yaw else None,
            -message.yaw_rate if has_rate else None,
        )
        if np.isinf(position).any() or np.isinf(velocity).any():
            self._refuse("Set-point refused: it is not finite")
        elif target.empty:
            self._refuse("Set-point refused: no position, no velocity")
        else:
            self.autopilot.receive_setpoint(target)

    def _attitude(self, message: Any) -> None:
        mask, quaternion = message.type_mask, np.array([*message.q[1:], message.q[0]])
        rates = body_axes(np.array([message.body_roll_rate, message.body_pitch_rate, message.body_yaw_rate]))
        by_rates = bool(mask & IGNORES_ATTITUDE)
        numbers = [*(rates if by_rates else quaternion), message.thrust]
        if not np.isfinite(numbers).all() or mask & IGNORES_THRUST or (by_rates and mask & IGNORES_RATES):
            self._refuse("Attitude target refused: it lacks a part")
        elif not by_rates and abs(norm(quaternion) - 1.0) > 0.01:
            self._refuse("Attitude target refused: no unit quaternion")
        else:
            thrust = min(max(float(message.thrust), 0.0), 1.0)
            rates = np.clip(np.nan_to_num(rates), -RATE_MOST, RATE_MOST)
            orientation = None if by_rates else attitude(quaternion / norm(quaternion))
            self.autopilot.receive_setpoint(AttitudeTarget(orientation, rates, thrust))

    def _sticks(self, message: Any) -> None:
        values: Sequence[int] = (message.x, message.y, message.z, message.r)
        if NO_STICK in values:
            return
        forward, right, up, clockwise = (min(max(value / 1000, -1.0), 1.0) for value in values)
        # The throttle goes from 0 to 1, and is in the middle at one half.
        self.autopilot.receive_sticks(Sticks(forward, -right, 2 * max(up, 0.0) - 1, -clockwise))

    def _followed(self, message: Any) -> None:
        if math.isfinite(message.alt):
            east, north = self.origin.local(message.lat / DEGREE_UNITS, message.lon / DEGREE_UNITS)
            self.autopilot.follow(np.array([east, north, message.alt - self.origin.altitude]))

    def _refuse(self, text: str) -> None:
        self.autopilot.say(2, text, once=True)


def _masked(mask: int, bits: int, shift: int) -> Vector:
    """Return which axes of a mask are missing, east, north, up."""
    north, east, down = ((mask & bits) >> (shift + axis) & 1 for axis in range(3))
    return np.array([bool(east), bool(north), bool(down)])
