"""Digital and analog ports of a virtual control box, in its own protocol and in standard Modbus TCP."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence

import numpy as np

from drivers.xarm import codec
from drivers.xarm.codec import Frame, Register
from drivers.xarm.virtual.controller import Controller
from drivers.xarm.virtual.flange import MM, to_pose
from embodied.messages import Vector

COUNT = 16
"""Number of digital inputs, and of digital outputs."""

READ_COILS = 0x01
"""Modbus function that reads the digital outputs."""

READ_INPUTS = 0x02
"""Modbus function that reads the digital inputs."""

READ_REGISTERS = 0x04
"""Modbus function that reads the pose of the tool, from register `POSE_AT` on."""

WRITE_COILS = 0x0F
"""Modbus function that sets digital outputs."""

POSE_AT = 0x40
"""First Modbus register of the pose: x, y, z [0.1 mm], roll, pitch, yaw and the rotation vector [0.1 degrees]."""

UNKNOWN_FUNCTION = 1
"""Modbus exception: the device has no such function."""

UNKNOWN_ADDRESS = 2
"""Modbus exception: the device has no such address."""


class Ports:
    """Ports of one virtual control box, with their handlers by register; nothing is wired to them.

    Args:
        controller: state machine of the box.

    Attributes:
        outputs: digital outputs.
        analog: analog outputs, as numbers of 12 bits.
        triggered: called with the request whose output was set at its place.
    """

    def __init__(self, controller: Controller) -> None:
        self._box = controller
        self.outputs = [False] * COUNT
        self.analog = [0, 0]
        self.triggered: Callable[[Frame], None] = lambda _: None
        self._functions = (bytearray(COUNT), bytearray(COUNT))
        self._places: list[tuple[Frame, int, bool, Vector, float]] = []
        self.handlers: dict[int, Callable[[Frame], bytes | None]] = {
            Register.GET_DIGITAL: lambda _: bytes(2),
            Register.GET_ANALOG_1: lambda _: bytes(2),
            Register.GET_ANALOG_2: lambda _: bytes(2),
            Register.SET_DIGITAL: self._set_digital,
            Register.SET_ANALOG_1: self._set_analog,
            Register.SET_ANALOG_2: self._set_analog,
            Register.INPUT_FUNCTION: self._set_function,
            Register.OUTPUT_FUNCTION: self._set_function,
            Register.PORT_STATES: self._states,
            Register.DIGITAL_AT_PLACE: self._at_place,
        }

    def advance(self) -> None:
        """Set the outputs whose place the tool has reached."""
        if not self._places:
            return
        position = self._box.kinematics.at(self._box.measured[0])[:3, 3] * MM
        for place in list(self._places):
            request, number, value, point, tolerance = place
            if np.linalg.norm(position - point) <= tolerance:
                self._places.remove(place)
                self.outputs[number] = value
                self.triggered(request)

    def modbus(self, request: Frame) -> Frame:
        """Return the reply to a request of standard Modbus TCP (Modbus application protocol 1.1b3)."""
        function = request.payload[0] if request.payload else 0
        values = self._modbus(function, request.payload[1:])
        answer = bytes([function | 128, values]) if isinstance(values, int) else bytes([function]) + values
        return Frame(request.transaction, request.protocol, request.register, answer)

    def _modbus(self, function: int, data: bytes) -> bytes | int:
        if function not in (READ_COILS, READ_INPUTS, READ_REGISTERS, WRITE_COILS):
            return UNKNOWN_FUNCTION
        if len(data) < 4:
            return UNKNOWN_ADDRESS
        first, count = struct.unpack_from(">HH", data)
        if function == READ_REGISTERS:
            pose = self._pose()
            if not (first >= POSE_AT and first + count <= POSE_AT + len(pose)):
                return UNKNOWN_ADDRESS
            values = struct.pack(f">{count}h", *pose[first - POSE_AT : first - POSE_AT + count])
            return bytes([len(values)]) + values
        if not 0 < count <= COUNT - first:
            return UNKNOWN_ADDRESS
        if function == WRITE_COILS:
            bits = int.from_bytes(data[5:], "little")
            for index in range(count):
                self.outputs[first + index] = bool(bits >> index & 1)
            return data[:4]
        bits = _bits(self.outputs[first : first + count]) if function == READ_COILS else 0
        size = (count + 7) // 8
        return bytes([size]) + bits.to_bytes(size, "little")

    def _pose(self) -> list[int]:
        matrix = self._box.kinematics.at(self._box.measured[0])
        pose, turn = to_pose(matrix), to_pose(matrix, axis_angle=True)[3:]
        numbers = [*pose[:3], *np.degrees(pose[3:]), *np.degrees(turn)]
        return [round(10 * float(number)) for number in numbers]

    def _set_digital(self, request: Frame) -> bytes | None:
        """Set an output: each word has a mask of eight outputs in its high byte, and their values in its low one."""
        if len(request.payload) < 2:
            return None
        words = struct.unpack(">2H", request.payload[:4].ljust(4, b"\0"))
        for group, word in enumerate(words[: len(request.payload) // 2]):
            for bit in range(8):
                if word >> 8 + bit & 1:
                    self.outputs[8 * group + bit] = bool(word >> bit & 1)
        return b""

    def _set_analog(self, request: Frame) -> bytes | None:
        if len(request.payload) < 2:
            return None
        self.analog[request.register - Register.SET_ANALOG_1] = int.from_bytes(request.payload[:2], "big")
        return b""

    def _set_function(self, request: Frame) -> bytes | None:
        if len(request.payload) < 2 or request.payload[0] >= COUNT:
            return None
        self._functions[request.register - Register.INPUT_FUNCTION][request.payload[0]] = request.payload[1]
        return b""

    def _at_place(self, request: Frame) -> bytes | None:
        point = codec.to_floats(request.payload[2:18])
        if len(point) < 4 or request.payload[0] >= COUNT or not np.isfinite(point).all():
            return None
        number, value = request.payload[:2]
        self._places.append((request, number, bool(value), np.array(point[:3]), float(point[3])))
        return b""

    def _states(self, _: Frame) -> bytes:
        inputs, outputs = (bytes(part) for part in self._functions)
        low = _bits(self.outputs)
        words = struct.pack(">8H", 0, 0, 0, low, 0, 0, *self.analog)
        return bytes(2) + words + inputs[:8] + outputs[:8] + inputs[8:] + outputs[8:]


def _bits(values: Sequence[bool]) -> int:
    return sum(value << index for index, value in enumerate(values))
