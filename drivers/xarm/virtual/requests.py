"""Requests of clients of a virtual control box: decoded, carried out by its controller, and answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Fault, Flag, Frame, Mode, Register, State
from drivers.xarm.virtual.controller import KINDS, Controller
from embodied.messages import JointCommand, Vector

NOTIFICATION = 0xFF
"""Register of a frame that the box sends by itself at the end of a motion."""

END_OF_MOTION = 0x02
"""Bit of the feedback setting that asks for these frames."""

MILLIMETRES_PER_RADIAN = 300.0
"""Speed of the flange [mm/s] that is taken for 1 rad/s of the joints, where a line is made in joint space."""


class Requests:
    """Requests to one virtual control box: decode, carry out, answer.

    Args:
        controller: state machine of the box.

    Attributes:
        send: called with each frame that is no answer to a request.
    """

    def __init__(self, controller: Controller) -> None:
        self._box = controller
        self._feedback = 0
        self.send: Callable[[Frame], None] = lambda _: None
        controller.finished = self._notify

    def answer(self, request: Frame) -> Frame:
        """Carry a request out, and return the reply."""
        try:
            handler = _HANDLERS[Register(request.register)]
        except (ValueError, KeyError):
            return request.reply(self._flags() | Flag.INVALID)
        values = handler(self, request)
        if values is None:
            return request.reply(self._flags() | Flag.INVALID)
        return request.reply(self._flags(), values)

    def _flags(self) -> int:
        flags = 0 if self._box.ready else int(Flag.NOT_READY)
        return flags | (Flag.ERROR if self._box.error else 0) | (Flag.WARNING if self._box.warning else 0)

    def _notify(self, request: Frame, code: int) -> None:
        if self._feedback & END_OF_MOTION:
            payload = bytes([request.register, 2, 0, 0, 0, code, 0])
            self.send(Frame(request.transaction, request.protocol, NOTIFICATION, payload))

    def _version(self, _: Frame) -> bytes:
        box = self._box
        return codec.version(box.axes, KINDS[box.axes], box.serial, f"AC{box.serial[2:]}", box.firmware)

    def _serial(self, _: Frame) -> bytes:
        serial = self._box.serial
        return f"{serial}\0AC{serial[2:]}\0".encode().ljust(40, b"\0")[:40]

    def _enable(self, request: Frame) -> bytes | None:
        payload = request.payload
        return b"" if len(payload) >= 2 and self._box.enable(bool(payload[1])) else None

    def _set_state(self, request: Frame) -> bytes | None:
        wanted = request.payload[:1]
        if wanted == b"\x00":
            return b"" if self._box.start() else None
        if wanted == b"\x03" and self._box.state < State.STOPPED:
            self._box.state = State.PAUSED
        elif wanted == b"\x04":
            self._box.stop(State.STOPPED)
        else:
            return None
        return b""

    def _get_state(self, _: Frame) -> bytes:
        return bytes([self._box.state])

    def _count(self, _: Frame) -> bytes:
        return self._box.waiting.to_bytes(2, "big")

    def _errors(self, _: Frame) -> bytes:
        return bytes([self._box.error, self._box.warning])

    def _clear_error(self, _: Frame) -> bytes | None:
        return b"" if self._box.clear_error() else None

    def _clear_warning(self, _: Frame) -> bytes:
        self._box.warning = 0
        return b""

    def _set_mode(self, request: Frame) -> bytes | None:
        try:
            self._box.set_mode(Mode(request.payload[0]))
        except (IndexError, ValueError):
            return None
        return b""

    def _joints(self, request: Frame) -> bytes:
        parts = request.payload[0] & 0x0F if request.payload else 1
        values: list[float] = []
        for part in self._box.measured[: max(1, min(parts, 3))]:
            values += codec.seven(part.tolist())
        return codec.floats(values)

    def _effort(self, _: Frame) -> bytes:
        return codec.floats(codec.seven(self._box.measured[2].tolist()))

    def _tool_pose(self, _: Frame) -> bytes:
        return codec.floats(self._box.kinematics.forward(self._box.measured[0]).tolist())

    def _forward(self, request: Frame) -> bytes | None:
        q = self._positions(request.payload)
        return None if q is None else codec.floats(self._box.kinematics.forward(q).tolist())

    def _inverse(self, request: Frame) -> bytes | None:
        pose = np.array(codec.to_floats(request.payload)[:6])
        if len(pose) < 6 or not np.isfinite(pose).all():
            return None
        q = self._box.kinematics.inverse(pose, self._box.measured[0])
        return None if q is None else codec.floats(codec.seven(q.tolist()))

    def _limited(self, request: Frame) -> bytes | None:
        q = self._positions(request.payload)
        return None if q is None else bytes([0 if self._box.within_limits(q) else 1])

    def _positions(self, payload: bytes) -> Vector | None:
        """Return the joint positions at the beginning of a payload, if they are numbers; an infinite one is kept."""
        q = np.array(codec.to_floats(payload)[: self._box.axes])
        if len(q) < self._box.axes or np.isnan(q).any():
            return None
        return np.where(np.isposinf(q), self._box.goal, q)

    def _servo(self, request: Frame) -> bytes | None:
        q = self._positions(request.payload)
        return b"" if q is not None and self._box.follow(q) else None

    def _move_joint(self, request: Frame) -> bytes | None:
        values = codec.to_floats(request.payload)
        q = self._positions(request.payload)
        return None if q is None or len(values) < 10 else self._plan(request, q, values[7], values[8])

    def _move_home(self, request: Frame) -> bytes | None:
        values = codec.to_floats(request.payload)
        zero = np.zeros(self._box.axes)
        return None if len(values) < 3 else self._plan(request, zero, values[0], values[1])

    def _move_line(self, request: Frame) -> bytes | None:
        """Plan a line of the flange, approximated by a line in joint space to the same pose."""
        values = codec.to_floats(request.payload)
        if len(values) < 9:
            return None
        q = self._box.kinematics.inverse(np.array(values[:6]), self._box.goal)
        if q is None:
            return None
        speed, acceleration = values[6] / MILLIMETRES_PER_RADIAN, values[7] / MILLIMETRES_PER_RADIAN
        return self._plan(request, q, max(speed, 0.05), max(acceleration, 0.5))

    def _plan(self, request: Frame, goal: Vector, speed: float, acceleration: float) -> bytes | None:
        if not self._box.plan(request, goal, speed, acceleration):
            return None
        # Three bytes for the result of a check that the client may have asked for.
        return b"" if self._box.error else bytes(3)

    def _set_feedback(self, request: Frame) -> bytes | None:
        if not request.payload:
            return None
        self._feedback = request.payload[0]
        return b""

    def _bus(self, request: Frame) -> bytes | None:
        gripper = self._box.gripper
        answer = gripper.transfer(request.payload)
        if answer is None and not gripper.present:
            self._box.fail(Fault.TOOL_SILENT)
        if answer is not None and gripper.requested is not None:
            self._box.received.append(JointCommand(gripper=gripper.requested))
            gripper.requested = None
        return answer

    def _bus_error(self, _: Frame) -> bytes:
        return bytes([0, 0])

    def _bus_read(self, request: Frame) -> bytes | None:
        return self._box.gripper.read_host(request.payload)

    def _bus_write(self, request: Frame) -> bytes | None:
        return self._box.gripper.write_host(request.payload)


_HANDLERS: dict[Register, Callable[[Requests, Frame], bytes | None]] = {
    Register.VERSION: Requests._version,
    Register.SERIAL: Requests._serial,
    Register.ENABLE: Requests._enable,
    Register.SET_STATE: Requests._set_state,
    Register.GET_STATE: Requests._get_state,
    Register.COUNT: Requests._count,
    Register.ERROR: Requests._errors,
    Register.CLEAR_ERROR: Requests._clear_error,
    Register.CLEAR_WARNING: Requests._clear_warning,
    Register.SET_MODE: Requests._set_mode,
    Register.MOVE_LINE: Requests._move_line,
    Register.MOVE_JOINT: Requests._move_joint,
    Register.MOVE_HOME: Requests._move_home,
    Register.SERVO_JOINT: Requests._servo,
    Register.TOOL_POSE: Requests._tool_pose,
    Register.JOINTS: Requests._joints,
    Register.INVERSE: Requests._inverse,
    Register.FORWARD: Requests._forward,
    Register.JOINT_LIMITED: Requests._limited,
    Register.EFFORT: Requests._effort,
    Register.BUS: Requests._bus,
    Register.BUS_ERROR: Requests._bus_error,
    Register.BUS_WRITE16: Requests._bus_write,
    Register.BUS_READ16: Requests._bus_read,
    Register.FEEDBACK: Requests._set_feedback,
}
