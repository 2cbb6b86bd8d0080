"""Codec of frames on Feetech's servo bus: requests, answers and their status bits to bytes and back, no I/O.

    ff ff  id  length  instruction  parameters  checksum     request to a servo
    ff ff  id  length  status       parameters  checksum     its answer

`length` counts the bytes behind it; the checksum is the complement of the sum of all bytes behind the header. Source:
Feetech, "Servo SCS Communication Protocol", sections 2 to 4; numbers of two bytes have their low byte first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

HEADER = b"\xff\xff"
"""First two bytes of every frame."""

BROADCAST = 0xFE
"""Id that addresses every servo; none answers, except to a ping."""

LAST = 0xFD
"""Highest id of a servo."""

LONGEST = 250
"""Length of the longest frame on this bus [B]."""

SHORTEST = 6
"""Length of a frame without parameters [B]."""


class Instruction(IntEnum):
    """Instruction of a request frame to a servo on Feetech's bus."""

    PING = 0x01
    READ = 0x02
    WRITE = 0x03
    REG_WRITE = 0x04
    ACTION = 0x05
    RECOVER = 0x06
    REBOOT = 0x08
    SYNC_READ = 0x82
    SYNC_WRITE = 0x83


class Status(IntFlag):
    """Status bits in every answer frame of a servo: the faults that it reports."""

    VOLTAGE = 0x01
    ENCODER = 0x02
    TEMPERATURE = 0x04
    CURRENT = 0x08
    LOAD = 0x20


class Malformed(ValueError):
    """Bytes that are not the expected frame of Feetech's servo bus."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Frame of a request or an answer on Feetech's servo bus.

    Attributes:
        id: id of the servo that is addressed, or that answers.
        code: instruction of a request, or status of an answer.
        parameters: bytes of its parameters.
    """

    id: int
    code: int
    parameters: bytes = b""

    def pack(self) -> bytes:
        """Return the bytes of the frame.

        Raises:
            ValueError: the id is invalid, or the frame is too long.
        """
        if not 0 <= self.id <= BROADCAST or SHORTEST + len(self.parameters) > LONGEST:
            raise ValueError(f"no frame has id {self.id} and {len(self.parameters)} parameters")
        body = bytes((self.id, len(self.parameters) + 2, self.code)) + self.parameters
        return HEADER + body + bytes((_checksum(body),))


def parse(data: bytes) -> Frame:
    """Parse bytes that are exactly one frame of Feetech's servo bus.

    Raises:
        Malformed: they are too short or too long, or damaged.
    """
    if len(data) < SHORTEST or data[:2] != HEADER:
        raise Malformed(f"{data.hex(' ') or 'nothing'} does not begin with the header of a frame")
    if data[2] > BROADCAST or data[3] != len(data) - 4:
        raise Malformed(f"length of a frame for {data[2]} must be {data[3] + 4} bytes, got {len(data)}")
    if data[-1] != _checksum(data[2:-1]):
        raise Malformed(f"the checksum of {data.hex(' ')} is wrong")
    return Frame(data[2], data[4], bytes(data[5:-1]))


def answers(data: bytes, ids: Sequence[int], width: int) -> list[Frame]:
    """Parse the answer frames to a read of several servos, which arrive in the order of the request.

    Args:
        data: all bytes that arrived.
        ids: ids of the servos in the request.
        width: number of bytes that were read of each [B].

    Raises:
        Malformed: an answer is missing, damaged, surplus or out of order.
    """
    size = SHORTEST + width
    if len(data) != size * len(ids):
        raise Malformed(f"length of {len(ids)} answers must be {size * len(ids)} bytes, got {len(data)}")
    frames = [parse(data[at : at + size]) for at in range(0, len(data), size)]
    answered = [frame.id for frame in frames]
    if answered != list(ids):
        raise Malformed(f"answers must be from servos {list(ids)}, got {answered}")
    return frames


class FrameParser:
    """Parser of servo bus frames in a stream of bytes; bytes of no frame are skipped.

    Attributes:
        rejected: number of headers that began no valid frame.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """Return the frames that are complete with these bytes."""
        self._bytes += data
        frames = []
        while self._seek():
            length = self._bytes[3] + 4
            if len(self._bytes) < length:
                break
            try:
                frames.append(parse(bytes(self._bytes[:length])))
                del self._bytes[:length]
            except Malformed:
                self.rejected += 1
                del self._bytes[:1]
        return frames

    def _seek(self) -> bool:
        """Skip to the next header with a valid id and length; return whether there is one."""
        while True:
            start = self._bytes.find(HEADER)
            if start < 0:
                # A last ff may be the first half of a header.
                del self._bytes[: len(self._bytes) - self._bytes.endswith(HEADER[:1])]
                return False
            del self._bytes[:start]
            if len(self._bytes) < 4:
                return False
            if self._bytes[2] <= BROADCAST and 2 <= self._bytes[3] <= LONGEST - 4:
                return True
            del self._bytes[:1]


def read(servo: int, address: int, width: int) -> Frame:
    """Encode the request to read `width` bytes of a servo's memory."""
    return Frame(servo, Instruction.READ, bytes((address, width)))


def write(servo: int, address: int, data: bytes) -> Frame:
    """Encode the request to write bytes to a servo's memory."""
    return Frame(servo, Instruction.WRITE, bytes((address,)) + data)


def sync_read(address: int, width: int, ids: Iterable[int]) -> Frame:
    """Encode the request to read the same bytes of several servos."""
    return Frame(BROADCAST, Instruction.SYNC_READ, bytes((address, width, *ids)))


def sync_write(address: int, values: Mapping[int, bytes]) -> Frame:
    """Encode the request to write to the same address of several servos, each its own bytes.

    Raises:
        ValueError: the numbers of bytes differ, or there is no servo.
    """
    widths = {len(data) for data in values.values()}
    if len(widths) != 1:
        raise ValueError(f"a sync write must have equally many bytes for each servo, got {sorted(widths)}")
    parameters = bytes((address, widths.pop())) + b"".join(bytes((servo,)) + data for servo, data in values.items())
    return Frame(BROADCAST, Instruction.SYNC_WRITE, parameters)


def sync_written(frame: Frame) -> tuple[int, dict[int, bytes]]:
    """Decode a sync write request: its address and the bytes for each servo.

    Raises:
        Malformed: the length of its parameters is invalid.
    """
    if len(frame.parameters) < 2:
        raise Malformed("a sync write without an address or a width")
    address, width, *_ = frame.parameters
    data = frame.parameters[2:]
    if width == 0 or len(data) % (width + 1):
        raise Malformed(f"{len(data)} bytes are not {width} and an id for each servo")
    return address, {data[at]: data[at + 1 : at + 1 + width] for at in range(0, len(data), width + 1)}


def _checksum(body: bytes) -> int:
    return ~sum(body) & 0xFF
