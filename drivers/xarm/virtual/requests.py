"""Requests of clients of a virtual control box: decoded, carried out by its controller, and answered."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Fault, Flag, Frame, Mode, Register, State
from drivers.xarm.virtual.controller import KINDS, Controller
from drivers.xarm.virtual.flange import to_pose
from drivers.xarm.virtual.motion_requests import MotionRequests
from drivers.xarm.virtual.ports import Ports
from drivers.xarm.virtual.recorder import Recorder
from drivers.xarm.virtual.settings import Settings
from embodied.messages import JointCommand

NOTIFICATION = 0xFF
"""Register of a frame that the box sends by itself at the end of a motion."""

MODBUS = 0
"""Protocol number of standard Modbus TCP."""

MOTION_END = 0x02
"""Kind of notification, and bit of the setting that asks for it: a motion has ended."""

TRIGGER = 0x04
"""Kind of notification, likewise: an output was set at its place."""

OTHER_END = 0x40
"""Kind of notification, likewise: another request that takes a while has ended."""

REFUSED_SIZES: dict[int, int] = {
    Register.FORCE: 24,
    Register.FORCE_MODE: 1,
    Register.FORCE_SETTINGS: 280,
    Register.IDENTIFY_LOAD: 40,
    Register.SERVO_READ16: 4,
    Register.TOOL_LIMITED: 1,
}
"""Size of the values in the refusal of a register that a client reads, since the SDK decodes them all the same [B]."""


class Requests:
    """Requests to one virtual control box: decode, carry out, answer.

    Args:
        controller: state machine of the box.

    Attributes:
        send: called with each frame that is no answer to a request.
        settings: what clients have set.
    """

    def __init__(self, controller: Controller) -> None:
        self._box = controller
        self._feedback = 0
        self.send: Callable[[Frame], None] = lambda _: None
        self.settings = Settings(controller)
        self._ports, self._recorder = Ports(controller), Recorder(controller)
        self._motion = MotionRequests(controller, self.settings)
        controller.finished = lambda request, code: self._notify(MOTION_END, request, code)
        controller.passed = self._advance
        self._ports.triggered = lambda request: self._notify(TRIGGER, request, 0)
        self._recorder.finished = lambda request, done: self._notify(OTHER_END, request, int(not done))
        self._handlers: dict[int, Callable[[Frame], bytes | None]] = {
            **self._own(),
            **self.settings.handlers,
            **self._motion.handlers,
            **self._ports.handlers,
            **self._recorder.handlers,
        }

    def answer(self, request: Frame) -> Frame:
        """Carry a request out, and return the reply."""
        if request.protocol == MODBUS:
            return self._ports.modbus(request)
        handler = self._handlers.get(request.register)
        values = None if handler is None else handler(request)
        if values is None:
            refused = bytes(self._refused_size(request))
            return request.reply(self._flags() | Flag.INVALID, refused)
        return request.reply(self._flags(), values)

    def _refused_size(self, request: Frame) -> int:
        # A load of four numbers, or the ten of the force sensor.
        if request.register == Register.IDENTIFY_LOAD and request.payload[:1] == b"\1":
            return 16
        return REFUSED_SIZES.get(request.register, 0)

    def _advance(self, seconds: float) -> None:
        self._ports.advance()
        self._recorder.advance(seconds)

    def _flags(self) -> int:
        flags = 0 if self._box.ready else int(Flag.NOT_READY)
        return flags | (Flag.ERROR if self._box.error else 0) | (Flag.WARNING if self._box.warning else 0)

    def _notify(self, kind: int, request: Frame, code: int) -> None:
        if self._feedback & kind:
            payload = bytes([request.register, kind, request.register, 0, 0, code]) + bytes(8)
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
        q = self._motion.positions(request.payload)
        return None if q is None else codec.floats(self._box.kinematics.forward(q).tolist())

    def _inverse(self, request: Frame) -> bytes | None:
        pose = np.array(codec.to_floats(request.payload)[:6])
        if len(pose) < 6 or not np.isfinite(pose).all():
            return None
        q = self._box.kinematics.inverse(pose, self._box.measured[0])
        return None if q is None else codec.floats(codec.seven(q.tolist()))

    def _limited(self, request: Frame) -> bytes | None:
        q = self._motion.positions(request.payload)
        return None if q is None else bytes([0 if self._box.within_limits(q) else 1])

    def _tool_axis(self, _: Frame) -> bytes:
        at = self._box.kinematics.at(self._box.measured[0])
        return codec.floats(to_pose(at, axis_angle=True).tolist())

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

    def _own(self) -> dict[int, Callable[[Frame], bytes | None]]:
        return {
            Register.VERSION: self._version,
            Register.SERIAL: self._serial,
            Register.VERIFICATION: lambda _: bytes(1),
            Register.ENABLE: self._enable,
            Register.SET_STATE: self._set_state,
            Register.GET_STATE: self._get_state,
            Register.COUNT: self._count,
            Register.ERROR: self._errors,
            Register.CLEAR_ERROR: self._clear_error,
            Register.CLEAR_WARNING: self._clear_warning,
            Register.SET_MODE: self._set_mode,
            Register.TOOL_POSE: self._tool_pose,
            Register.TOOL_POSE_AXIS: self._tool_axis,
            Register.JOINTS: self._joints,
            Register.INVERSE: self._inverse,
            Register.FORWARD: self._forward,
            Register.JOINT_LIMITED: self._limited,
            Register.EFFORT: self._effort,
            Register.BUS: self._bus,
            Register.BUS_ERROR: self._bus_error,
            Register.BUS_WRITE16: self._bus_write,
            Register.BUS_READ16: self._bus_read,
            Register.FEEDBACK: self._set_feedback,
        }
