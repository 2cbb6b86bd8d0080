"""Frames of Feetech's servo bus: bytes to frames and back, no I/O.

    ff ff  id  length  instruction  parameters  checksum     what is asked of a servo
    ff ff  id  length  status       parameters  checksum     what it answers

`length` counts the bytes behind it; the checksum is the complement of the sum of all bytes behind the header. Source:
Feetech, "Servo SCS Communication Protocol", sections 2 to 4; numbers of two bytes have their low byte first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag

HEADER = b"\xff\xff"
EVERYONE = 0xFE
"""The id that every servo listens to, and none answers, except to a ping."""

LAST = 0xFD
"""The highest id of a servo."""

LONGEST = 250
"""No frame of this bus is longer [B]; what claims to be is not one."""

SHORTEST = 6
"""A frame without parameters [B]."""


class Instruction(IntEnum):
    """What can be asked of a servo."""

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
    """What a servo says is wrong with it, in every answer."""

    VOLTAGE = 0x01
    ENCODER = 0x02
    TEMPERATURE = 0x04
    CURRENT = 0x08
    LOAD = 0x20


class Malformed(ValueError):
    """Bytes that are not the frame which is due."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame.

    Attributes:
        id: of the servo that is meant, or that answers.
        code: an instruction, or in an answer the status.
        parameters: what goes with it.
    """

    id: int
    code: int
    parameters: bytes = b""

    def pack(self) -> bytes:
        """Its bytes.

        Raises:
            ValueError: the id is none, or it is too long for this bus.
        """
        if not 0 <= self.id <= EVERYONE or SHORTEST + len(self.parameters) > LONGEST:
            raise ValueError(f"no frame has id {self.id} and {len(self.parameters)} parameters")
        body = bytes((self.id, len(self.parameters) + 2, self.code)) + self.parameters
        return HEADER + body + bytes((_checksum(body),))


def whole(data: bytes) -> Frame:
    """The frame that some bytes are, from the first to the last.

    Raises:
        Malformed: they are not just one frame, or a bit of it is wrong.
    """
    if len(data) < SHORTEST or data[:2] != HEADER:
        raise Malformed(f"{data.hex(' ') or 'nothing'} does not begin as a frame")
    if data[2] > EVERYONE or data[3] != len(data) - 4:
        raise Malformed(f"a frame for {data[2]} of {data[3] + 4} bytes came as {len(data)}")
    if data[-1] != _checksum(data[2:-1]):
        raise Malformed(f"the checksum of {data.hex(' ')} is wrong")
    return Frame(data[2], data[4], bytes(data[5:-1]))


def answers(data: bytes, ids: Sequence[int], width: int) -> list[Frame]:
    """The answers to a read of several servos, which come in the order in which they were asked.

    Args:
        data: all that came.
        ids: of the servos that were asked.
        width: of what each was asked for [B].

    Raises:
        Malformed: one is missing, bent, too many or in the wrong place.
    """
    size = SHORTEST + width
    if len(data) != size * len(ids):
        raise Malformed(f"{len(ids)} answers of {size} bytes came as {len(data)} bytes")
    frames = [whole(data[at : at + size]) for at in range(0, len(data), size)]
    came = [frame.id for frame in frames]
    if came != list(ids):
        raise Malformed(f"{came} answered, and {list(ids)} were asked")
    return frames


class Cutter:
    """Cuts frames out of a stream of bytes; what belongs to none is passed over.

    Attributes:
        rejected: beginnings of a frame that turned out to be none.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._bytes = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that are complete with these bytes."""
        self._bytes += data
        found = []
        while self._seek():
            length = self._bytes[3] + 4
            if len(self._bytes) < length:
                break
            try:
                found.append(whole(bytes(self._bytes[:length])))
                del self._bytes[:length]
            except Malformed:
                self.rejected += 1
                del self._bytes[:1]
        return found

    def _seek(self) -> bool:
        """Whether what is left begins as a frame does, as far as its length."""
        while True:
            start = self._bytes.find(HEADER)
            if start < 0:
                # A last ff may be the first half of a header.
                del self._bytes[: len(self._bytes) - self._bytes.endswith(HEADER[:1])]
                return False
            del self._bytes[:start]
            if len(self._bytes) < 4:
                return False
            if self._bytes[2] <= EVERYONE and 2 <= self._bytes[3] <= LONGEST - 4:
                return True
            del self._bytes[:1]


def read(servo: int, address: int, width: int) -> Frame:
    """Asks a servo for `width` bytes of its memory."""
    return Frame(servo, Instruction.READ, bytes((address, width)))


def write(servo: int, address: int, data: bytes) -> Frame:
    """Has a servo put bytes into its memory."""
    return Frame(servo, Instruction.WRITE, bytes((address,)) + data)


def sync_read(address: int, width: int, ids: Iterable[int]) -> Frame:
    """Asks several servos for the same bytes of their memories."""
    return Frame(EVERYONE, Instruction.SYNC_READ, bytes((address, width, *ids)))


def sync_write(address: int, values: Mapping[int, bytes]) -> Frame:
    """Has several servos put bytes into the same place of their memories, each its own.

    Raises:
        ValueError: not all have equally many, or there are none.
    """
    widths = {len(data) for data in values.values()}
    if len(widths) != 1:
        raise ValueError(f"every servo gets equally many bytes in one frame, not {sorted(widths)}")
    parameters = bytes((address, widths.pop())) + b"".join(bytes((servo,)) + data for servo, data in values.items())
    return Frame(EVERYONE, Instruction.SYNC_WRITE, parameters)


def sync_written(frame: Frame) -> tuple[int, dict[int, bytes]]:
    """Where a sync write puts what, by servo.

    Raises:
        Malformed: its parameters do not come out even.
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
