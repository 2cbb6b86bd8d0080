"""Settings of a virtual control box: numbers that a client sets; those that limit a motion do."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Frame, Register
from drivers.xarm.virtual.controller import Controller
from drivers.xarm.virtual.flange import MM, from_pose
from embodied.messages import Vector

STORED: dict[int, int] = {
    Register.BRAKE: 2,
    Register.TOOL_JERK: 4,
    Register.TOOL_ACCELERATION: 4,
    Register.JOINT_JERK: 4,
    Register.JOINT_ACCELERATION: 4,
    Register.LOAD: 16,
    Register.COLLISION_SENSITIVITY: 1,
    Register.TEACH_SENSITIVITY: 1,
    Register.GRAVITY: 12,
    Register.COLLISION_REBOUND: 1,
    Register.SELF_COLLISION: 1,
    Register.CLEAN_SETTINGS: 0,
    Register.SAVE_SETTINGS: 0,
    Register.FEEDBACK_CHECK: 0,
}
"""Registers that are stored and do nothing to a body without weight of its own, with the size of their values [B]."""


class Settings:
    """Settings of one virtual control box, with their handlers by register.

    Args:
        controller: state machine of the box.

    Attributes:
        stored: values that clients have set, by register.
    """

    def __init__(self, controller: Controller) -> None:
        self._box = controller
        self.stored: dict[int, bytes] = {}
        self._reduced = self._fenced = False
        self._boundary = (9999, -9999, 9999, -9999, 9999, -9999)
        self._speeds = [1000.0, math.pi]
        self.handlers: dict[int, Callable[[Frame], bytes | None]] = {
            **dict.fromkeys(STORED, self._store),
            Register.TOOL_OFFSET: self._offset,
            Register.REDUCED_TOOL_SPEED: self._tool_speed,
            Register.REDUCED_JOINT_SPEED: self._joint_speed,
            Register.SET_REDUCED_MODE: self._set_reduced,
            Register.GET_REDUCED_MODE: lambda _: bytes([self._reduced]),
            Register.REDUCED_STATES: self._states,
            Register.BOUNDARY: self._set_boundary,
            Register.FENCE: self._set_fence,
            Register.COUNTER_RESET: self._reset_counter,
            Register.COUNTER_PLUS: self._count,
        }

    @property
    def tool_speed(self) -> float:
        """Largest speed of the tool [mm/s]."""
        return self._speeds[0] if self._reduced else 1000.0

    @property
    def joint_speed(self) -> float:
        """Largest speed of a joint [rad/s]."""
        return self._speeds[1] if self._reduced else math.pi

    def allows(self, pose: Vector) -> bool:
        """Return whether the fence, if it is on, lets the tool go to a transform (4, 4)."""
        x, y, z = (pose[:3, 3] * MM).tolist()
        high_x, low_x, high_y, low_y, high_z, low_z = self._boundary
        inside = low_x <= x <= high_x and low_y <= y <= high_y and low_z <= z <= high_z
        return inside or not self._fenced

    def _store(self, request: Frame) -> bytes | None:
        if len(request.payload) < STORED[request.register]:
            return None
        self.stored[request.register] = request.payload
        return b""

    def _offset(self, request: Frame) -> bytes | None:
        values = codec.to_floats(request.payload[:24])
        if len(values) < 6 or not np.isfinite(values).all():
            return None
        self._box.kinematics.offset = from_pose(values)
        return b""

    def _tool_speed(self, request: Frame) -> bytes | None:
        return self._speed(request, 0)

    def _joint_speed(self, request: Frame) -> bytes | None:
        return self._speed(request, 1)

    def _speed(self, request: Frame, which: int) -> bytes | None:
        values = codec.to_floats(request.payload[:4])
        if not values or not values[0] > 0:
            return None
        self._speeds[which] = float(values[0])
        return b""

    def _set_reduced(self, request: Frame) -> bytes | None:
        if not request.payload:
            return None
        self._reduced = bool(request.payload[0])
        return b""

    def _set_boundary(self, request: Frame) -> bytes | None:
        if len(request.payload) < 24:
            return None
        self._boundary = struct.unpack("<6i", request.payload[:24])
        return b""

    def _set_fence(self, request: Frame) -> bytes | None:
        if not request.payload:
            return None
        self._fenced = bool(request.payload[0])
        return b""

    def _states(self, _: Frame) -> bytes:
        ranges = np.stack([self._box.robot.limit("lower"), self._box.robot.limit("upper")], axis=1).ravel().tolist()
        numbers = codec.floats(self._speeds) + codec.floats([*ranges, *([0.0] * (14 - len(ranges)))])
        boundary = struct.pack(">6h", *(max(-9999, min(9999, each)) for each in self._boundary))
        return bytes([self._reduced]) + boundary + numbers + bytes([self._fenced, 0])

    def _reset_counter(self, _: Frame) -> bytes:
        self._box.counter = 0
        return b""

    def _count(self, _: Frame) -> bytes:
        self._box.counter += 1
        return b""
