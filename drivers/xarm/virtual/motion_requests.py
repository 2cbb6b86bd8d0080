"""Requests for motion to a virtual control box: joints, lines, circles, velocities, pauses."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Fault, Frame, Mode, Register
from drivers.xarm.virtual.controller import Controller
from drivers.xarm.virtual.flange import MM, circle, from_pose, to_pose
from drivers.xarm.virtual.settings import Settings
from embodied.geometry import rotation_matrix
from embodied.messages import Vector

CHECKED = bytes(3)
"""Result of the check of a motion: it can be done."""


class MotionRequests:
    """Requests for motion, as handlers by register; each returns the values of its reply, or None to refuse.

    Lines and circles of the tool are driven through points of its path; corners are not rounded.

    Args:
        controller: state machine of the box.
        settings: what clients have set.
    """

    def __init__(self, controller: Controller, settings: Settings) -> None:
        self._box = controller
        self._settings = settings
        self.handlers: dict[int, Callable[[Frame], bytes | None]] = {
            Register.MOVE_JOINT: self._move_joint,
            Register.MOVE_JOINT_ROUND: self._move_joint,
            Register.MOVE_HOME: self._move_home,
            Register.MOVE_LINE: self._move_line,
            Register.MOVE_LINE_ROUND: self._move_line,
            Register.MOVE_LINE_AXIS: self._move_line_axis,
            Register.MOVE_TOOL: self._move_tool,
            Register.MOVE_RELATIVE: self._move_relative,
            Register.MOVE_CIRCLE: self._move_circle,
            Register.PAUSE: self._pause,
            Register.SERVO_JOINT: self._servo_joint,
            Register.SERVO_LINE: self._servo_line,
            Register.SERVO_LINE_AXIS: self._servo_line_axis,
            Register.JOINT_VELOCITY: self._joint_velocity,
            Register.LINE_VELOCITY: self._line_velocity,
        }

    def positions(self, payload: bytes) -> Vector | None:
        """Return the joint positions at the beginning of a payload, if they are numbers; an infinite one is kept."""
        q = np.array(codec.to_floats(payload)[: self._box.axes])
        if len(q) < self._box.axes or np.isnan(q).any():
            return None
        return np.where(np.isposinf(q), self._box.goal, q)

    def _move_joint(self, request: Frame) -> bytes | None:
        values, q = codec.to_floats(request.payload), self.positions(request.payload)
        if len(values) < 10 or not np.isfinite(values[7:10]).all() or q is None:
            return None
        return self._joints(request, q, values[7], values[8], check=_byte(request, 40))

    def _move_home(self, request: Frame) -> bytes | None:
        values = _numbers(request, 3)
        if values is None:
            return None
        return self._joints(request, np.zeros(self._box.axes), values[0], values[1], check=_byte(request, 12))

    def _move_line(self, request: Frame) -> bytes | None:
        """Carry out a line in each of its forms: 9 numbers, or 10 with three bytes for frame, notation and check."""
        long = len(request.payload) >= 40
        sent = list(codec.to_floats(request.payload[: 40 if long else 36]))
        if len(sent) < 9 or np.isnan(sent).any() or np.isinf(sent[6:]).any():
            return None
        # An infinite number keeps that part of the pose, as for joints.
        kept = to_pose(self._start()).tolist()
        values = [kept[i] if i < 6 and np.isinf(each) else each for i, each in enumerate(sent)]
        tool, axis, check = (_byte(request, 40 + i) for i in range(3)) if long else (0, 0, _byte(request, 36))
        pose = from_pose(values[:6], axis_angle=bool(axis))
        if tool:
            pose = self._start() @ pose
        return self._line(request, [pose], values[6], values[7], check)

    def _move_line_axis(self, request: Frame) -> bytes | None:
        values = _numbers(request, 9)
        if values is None:
            return None
        tool, relative = _byte(request, 36), _byte(request, 37)
        pose = self._relative(values[:6], tool=bool(tool), relative=bool(relative), axis_angle=True)
        return self._line(request, [pose], values[6], values[7], _byte(request, 38))

    def _move_tool(self, request: Frame) -> bytes | None:
        values = _numbers(request, 9)
        if values is None:
            return None
        return self._line(request, [self._start() @ from_pose(values[:6])], values[6], values[7], _byte(request, 36))

    def _move_relative(self, request: Frame) -> bytes | None:
        values = _numbers(request, 11)
        if values is None:
            return None
        joints, axis, check = (_byte(request, 44 + i) for i in range(3))
        if joints:
            q = self._box.start_of_next + np.array(values[: self._box.axes])
            return self._joints(request, q, values[7], values[8], check)
        pose = self._relative(values[:6], tool=False, relative=True, axis_angle=bool(axis))
        return self._line(request, [pose], values[7], values[8], check)

    def _move_circle(self, request: Frame) -> bytes | None:
        values = _numbers(request, 16)
        if values is None:
            return None
        tool, axis, check = (_byte(request, 64 + i) for i in range(3))
        start = self._start()
        second, third = (from_pose(part, axis_angle=bool(axis)) for part in (values[:6], values[6:12]))
        if tool:
            second, third = start @ second, start @ third
        poses = circle(start, second, third, values[15])
        return None if poses is None else self._line(request, poses, values[12], values[13], check)

    def _pause(self, request: Frame) -> bytes | None:
        values = _numbers(request, 1)
        return b"" if values is not None and values[0] >= 0 and self._box.dwell(request, values[0]) else None

    def _servo_joint(self, request: Frame) -> bytes | None:
        q = self.positions(request.payload)
        return b"" if q is not None and self._box.follow(q) else None

    def _servo_line(self, request: Frame) -> bytes | None:
        values = _numbers(request, 9)
        if values is None:
            return None
        asked = from_pose(values[:6])
        return self._servo(self._box.kinematics.at(self._box.setpoint) @ asked if values[8] else asked)

    def _servo_line_axis(self, request: Frame) -> bytes | None:
        values = _numbers(request, 8)
        if values is None:
            return None
        tool, relative = _byte(request, 32), _byte(request, 36)
        return self._servo(
            self._relative(values[:6], tool=bool(tool), relative=bool(relative), axis_angle=True, servo=True)
        )

    def _servo(self, pose: Vector) -> bytes | None:
        if self._box.mode != Mode.SERVO:
            return None
        q = self._box.kinematics.reach(pose, self._box.setpoint)
        if q is None:
            self._box.fail(Fault.KINEMATICS)
            return b""
        return b"" if self._box.follow(q) else None

    def _joint_velocity(self, request: Frame) -> bytes | None:
        values = _numbers(request, 7)
        if values is None or self._box.mode != Mode.JOINT_VELOCITY:
            return None
        return b"" if self._box.rotate(np.array(values[: self._box.axes]), _duration(request, 29)) else None

    def _line_velocity(self, request: Frame) -> bytes | None:
        """Turn the joints so that the tool moves as asked, from where it is now."""
        values = _numbers(request, 6)
        box = self._box
        if values is None or box.mode != Mode.LINE_VELOCITY:
            return None
        box.steer = None
        if any(values):
            twist = np.concatenate([np.array(values[:3]) / MM, values[3:6]])
            box.steer = twist, bool(_byte(request, 24))
        return b"" if box.rotate(np.zeros(box.axes), _duration(request, 25)) else None

    def _start(self) -> Vector:
        return self._box.kinematics.at(self._box.start_of_next)

    def _relative(
        self, pose: Sequence[float], *, tool: bool, relative: bool, axis_angle: bool, servo: bool = False
    ) -> Vector:
        """Return the transform (4, 4) that a pose means, from where the tool is then."""
        asked = from_pose(pose, axis_angle=axis_angle)
        start = self._box.kinematics.at(self._box.setpoint) if servo else self._start()
        if tool:
            return start @ asked
        if not relative:
            return asked
        if not axis_angle:
            return from_pose((to_pose(start) + np.array(pose)).tolist())
        moved = start.copy()
        moved[:3, 3] += np.array(pose[:3]) / MM
        moved[:3, :3] = rotation_matrix(np.array(pose[3:6])) @ start[:3, :3]
        return moved

    def _joints(self, request: Frame, q: Vector, speed: float, acceleration: float, check: int) -> bytes | None:
        if check:
            return CHECKED if self._box.within_limits(q) else bytes([0, 0, Fault.JOINT_LIMIT])
        if not self._settings.allows(self._box.kinematics.at(q)):
            self._box.fail(Fault.BOUNDARY)
            return b""
        speed = min(speed if speed > 0 else 0.35, self._settings.joint_speed)
        return self._answer(self._box.plan(request, q, speed, acceleration))

    def _line(
        self, request: Frame, poses: Sequence[Vector], speed: float, acceleration: float, check: int
    ) -> bytes | None:
        path = self._box.kinematics.path(self._box.start_of_next, poses)
        if check:
            return CHECKED if path is not None else bytes([0, 0, Fault.KINEMATICS])
        if path is None or not all(map(self._settings.allows, poses)):
            self._box.fail(Fault.KINEMATICS if path is None else Fault.BOUNDARY)
            return b""
        speed = min(speed if speed > 0 else 100.0, self._settings.tool_speed)
        return self._answer(self._box.drive(request, path, speed, acceleration if acceleration > 0 else 2000.0))

    def _answer(self, accepted: bool) -> bytes | None:
        if not accepted:
            return None
        return b"" if self._box.error else CHECKED


def _numbers(request: Frame, count: int) -> list[float] | None:
    """Return the first numbers of a request; None if there are fewer, or one is not finite."""
    values = list(codec.to_floats(request.payload[: 4 * count]))
    return None if len(values) < count or not np.isfinite(values).all() else values


def _byte(request: Frame, at: int) -> int:
    return request.payload[at] if len(request.payload) > at else 0


def _duration(request: Frame, at: int) -> float:
    """Return the duration behind a velocity [s]; 0 for good."""
    values = codec.to_floats(request.payload[at : at + 4])
    return float(values[0]) if values and np.isfinite(values[0]) else 0.0
