"""Codec of an xArm's control box: requests and replies on its control port.

Framing as the vendor's SDK 1.18.4 (BSD-3-Clause) sends and expects it: every frame begins with transaction, protocol
and length, big-endian and of two bytes each, and then the number of a register. A reply has one more byte, the state of
the box, before its values. Floats are little-endian singles. Angles are [rad] here and on the wire,
lengths on the wire are [mm], and here [m].
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

PORT = 502
"""TCP port of the control."""

HEAD = struct.Struct(">HHH")
"""Head of a frame: transaction, protocol and length."""

LENGTH_AT = 4
"""Offset of the length in the head [B]."""

LONGEST = 1024
"""Length of the longest frame of this protocol [B]."""

SLOTS = 7
"""Number of joints in every frame, as many as the largest arm has."""

GRIPPER = 8
"""Address of the gripper on the bus in the arm."""

PULSE = 1e-4
"""Change of the gripper's opening per pulse of its drive [m]."""

PULSES = (0, 850)
"""Pulses of the gripper's drive when it is closed, and when it is open."""


class Register(IntEnum):
    """Number of a register of an xArm's control box, which says what a request reads, sets or starts."""

    VERSION = 1
    SERIAL = 2
    VERIFICATION = 3
    ENABLE = 11
    SET_STATE = 12
    GET_STATE = 13
    COUNT = 14
    ERROR = 15
    CLEAR_ERROR = 16
    CLEAR_WARNING = 17
    BRAKE = 18
    SET_MODE = 19
    MOVE_LINE = 21
    MOVE_LINE_ROUND = 22
    MOVE_JOINT = 23
    MOVE_JOINT_ROUND = 24
    MOVE_HOME = 25
    PAUSE = 26
    MOVE_CIRCLE = 27
    MOVE_TOOL = 28
    SERVO_JOINT = 29
    SERVO_LINE = 30
    TOOL_JERK = 31
    TOOL_ACCELERATION = 32
    JOINT_JERK = 33
    JOINT_ACCELERATION = 34
    TOOL_OFFSET = 35
    LOAD = 36
    COLLISION_SENSITIVITY = 37
    TEACH_SENSITIVITY = 38
    CLEAN_SETTINGS = 39
    SAVE_SETTINGS = 40
    TOOL_POSE = 41
    JOINTS = 42
    INVERSE = 43
    FORWARD = 44
    JOINT_LIMITED = 45
    TOOL_LIMITED = 46
    REDUCED_TOOL_SPEED = 47
    REDUCED_JOINT_SPEED = 48
    GET_REDUCED_MODE = 49
    SET_REDUCED_MODE = 50
    GRAVITY = 51
    BOUNDARY = 52
    REDUCED_STATES = 53
    EFFORT = 55
    REDUCED_RANGE = 58
    FENCE = 59
    COLLISION_REBOUND = 60
    RECORD = 61
    SAVE_RECORD = 62
    LOAD_RECORD = 63
    PLAY_RECORD = 64
    RECORD_STATE = 65
    COUNTER_RESET = 74
    COUNTER_PLUS = 75
    SELF_COLLISION = 77
    JOINT_VELOCITY = 81
    LINE_VELOCITY = 82
    MOVE_RELATIVE = 83
    TOOL_POSE_AXIS = 91
    MOVE_LINE_AXIS = 92
    SERVO_LINE_AXIS = 93
    SERVO_READ16 = 102
    BUS = 124
    BUS_ERROR = 125
    BUS_WRITE16 = 127
    BUS_READ16 = 128
    GET_DIGITAL = 131
    GET_ANALOG_1 = 132
    GET_ANALOG_2 = 133
    SET_DIGITAL = 134
    SET_ANALOG_1 = 135
    SET_ANALOG_2 = 136
    INPUT_FUNCTION = 137
    OUTPUT_FUNCTION = 138
    PORT_STATES = 139
    DIGITAL_AT_PLACE = 144
    FORCE = 200
    FORCE_MODE = 203
    IDENTIFY_LOAD = 204
    FORCE_SETTINGS = 212
    FEEDBACK_CHECK = 253
    FEEDBACK = 254


_VALUE_SIZES: dict[int, int] = {
    Register.VERSION: 40,
    Register.SERIAL: 40,
    Register.GET_STATE: 1,
    Register.COUNT: 2,
    Register.ERROR: 2,
}


class State(IntEnum):
    """State of motion of an xArm, as a number on its control port."""

    MOVING = 1
    STANDING = 2
    PAUSED = 3
    STOPPED = 4
    MODE_CHANGED = 5


class Mode(IntEnum):
    """Mode in which an xArm is commanded, as a number on its control port."""

    PLANNED = 0
    SERVO = 1
    TEACH = 2
    JOINT_VELOCITY = 4
    LINE_VELOCITY = 5
    JOINT_ONLINE = 6
    LINE_ONLINE = 7


class Flag(IntFlag):
    """Bits of the state byte in a reply of an xArm's control box."""

    INVALID = 0x08
    NOT_READY = 0x10
    WARNING = 0x20
    ERROR = 0x40


class Fault(IntEnum):
    """Error codes of an xArm's control box that the driver or the virtual box distinguish."""

    EMERGENCY_STOP = 2
    SERVO_1 = 11
    TOOL_SILENT = 19
    KINEMATICS = 21
    JOINT_LIMIT = 23
    SPEED_LIMIT = 24
    COLLISION = 31
    BOUNDARY = 35


OVERHEATED = 15
"""Code of a servo whose motor is too hot."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Frame on an xArm's control port: a request, or a reply whose payload begins with the state byte."""

    transaction: int
    protocol: int
    register: int
    payload: bytes = b""

    def pack(self) -> bytes:
        """Return the bytes of the frame."""
        head = HEAD.pack(self.transaction, self.protocol, len(self.payload) + 1)
        return head + bytes([self.register]) + self.payload

    def reply(self, flags: int, values: bytes = b"") -> Frame:
        """Return the reply to this request.

        Args:
            flags: state byte.
            values: values behind it.
        """
        return Frame(self.transaction, self.protocol, self.register, bytes([flags]) + values)


class Broken(ValueError):
    """Bytes that are no frame of the control port; nothing behind them in the stream can be read either."""


def split(buffer: bytes) -> tuple[list[Frame], bytes]:
    """Split a stream of the control port into the complete frames at its beginning and the bytes that are left.

    Raises:
        Broken: the next bytes are no frame.
    """
    frames = []
    while len(buffer) >= HEAD.size:
        transaction, protocol, length = HEAD.unpack_from(buffer)
        if not 1 <= length <= LONGEST:
            raise Broken(f"length of a frame must be 1 to {LONGEST} bytes, got {length}")
        end = HEAD.size + length
        if len(buffer) < end:
            break
        frames.append(Frame(transaction, protocol, buffer[HEAD.size], buffer[HEAD.size + 1 : end]))
        buffer = buffer[end:]
    return frames, buffer


def whole(data: bytes) -> Frame:
    """Parse bytes that are exactly one reply of the control box.

    Raises:
        Broken: they are too short or too long, or no reply of this protocol.
    """
    if len(data) < HEAD.size + 2:
        raise Broken(f"length of a reply must be at least {HEAD.size + 2} bytes, got {len(data)}")
    transaction, protocol, length = HEAD.unpack_from(data)
    if protocol not in (2, 3):
        raise Broken(f"protocol must be 2 or 3, got {protocol}")
    if len(data) != HEAD.size + length:
        raise Broken(f"length of a reply must be {HEAD.size + length} bytes by its head, got {len(data)}")
    if data[HEAD.size + 1] & ~int(Flag.INVALID | Flag.NOT_READY | Flag.WARNING | Flag.ERROR | 0x07):
        raise Broken(f"state byte {data[HEAD.size + 1]:#x} has unknown bits")
    return Frame(transaction, protocol, data[HEAD.size], data[HEAD.size + 1 :])


def value_size(request: Frame) -> int | None:
    """Return the size of the values in the control box's reply to a request [B]; None where it is not checked."""
    if request.register == Register.JOINTS:
        return 4 * SLOTS * (max(1, request.payload[0] & 0x0F) if request.payload else 1)
    return _VALUE_SIZES.get(request.register)


def floats(values: Iterable[float]) -> bytes:
    """Encode numbers as little-endian singles for a frame of the control box."""
    numbers = list(values)
    return struct.pack(f"<{len(numbers)}f", *numbers)


def to_floats(data: bytes) -> tuple[float, ...]:
    """Decode little-endian singles of a frame of the control box; an incomplete one at the end is left out."""
    return struct.unpack_from(f"<{len(data) // 4}f", data)


def seven(values: Sequence[float]) -> tuple[float, ...]:
    """Pad values of an xArm's joints with zeros to the number of joints in a frame."""
    return (*values, *([0.0] * (SLOTS - len(values))))


def version(axes: int, kind: int, serial: str, box: str, firmware: str) -> bytes:
    """Encode the value of the control box's version register, padded to 40 bytes."""
    return f"{axes},{kind},{serial},{box},v{firmware}".encode().ljust(40, b"\0")[:40]
