"""Framing of MAVLink 1 and 2: bytes to messages, no I/O; a damaged frame never becomes a message.

    fd  length  flags  flags  sequence  system  component  message (3)  payload  checksum (2)  [signature (13)]
    fe  length                sequence  system  component  message      payload  checksum (2)

Source: mavlink.io, "Packet Serialization". pymavlink knows the payloads, and each message's part of the checksum.
"""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import common

START_V1 = 0xFE
"""First byte of a frame of MAVLink 1."""

START_V2 = 0xFD
"""First byte of a frame of MAVLink 2."""

SIGNED = 0x01
"""Flag of a frame that ends with a signature."""

HALF = 128
"""Half of the 256 sequence numbers; one that is further ahead counts as behind."""


DAMAGED_MOST = 32
"""Number of places in one datagram at which a frame is looked for in vain, until the rest of it is dropped."""

RUN = 10
"""Number of consecutive frames behind the newest, one after the other, after which the sender has begun again."""


class Malformed(ValueError):
    """Bytes that are no whole MAVLink frame, or whose checksum is wrong."""


def frame_length(data: bytes) -> int | None:
    """Return the length of the MAVLink frame that begins with some bytes [B]; None if more bytes are needed to know it.

    Raises:
        Malformed: no frame begins with these bytes.
    """
    if not data:
        return None
    if data[0] == START_V1:
        return 8 + data[1] if len(data) > 1 else None
    if data[0] != START_V2:
        raise Malformed(f"a frame must begin with fd or fe, got {data[0]:02x}")
    if len(data) < 3:
        return None
    return 12 + data[1] + (13 if data[2] & SIGNED else 0)


def decode(frame: bytes) -> Any:
    """Decode one MAVLink frame; return None for a message of another dialect, whose checksum cannot be known.

    Raises:
        Malformed: the frame is cut short, or its checksum is wrong.
    """
    try:
        message = common.MAVLink(None).decode(bytearray(frame))
    except Exception as error:  # it raises whatever comes up while it reads
        raise Malformed(str(error)) from error
    return None if isinstance(message, common.MAVLink_unknown) else message


class FrameParser:
    """Parser that extracts MAVLink messages from received bytes, as a stream or as datagrams.

    Attributes:
        rejected: number of frames that were damaged or cut short.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._rest = b""
        self._synchronized = True

    def feed(self, data: bytes, *, datagram: bool = False) -> list[Any]:
        """Add received bytes, and return the messages that are complete.

        Args:
            data: received bytes.
            datagram: whether the last frame ends with these bytes.
        """
        self._rest += data
        messages = []
        tries = 0
        while self._rest:
            try:
                size = frame_length(self._rest)
                if size is None or size > len(self._rest):
                    break
                message = decode(self._rest[:size])
            except Malformed:
                self._skip()
                tries += 1
                if datagram and tries == DAMAGED_MOST:
                    # Each byte of it may look like the begin of a frame; a line brings no more than its speed allows.
                    self._rest = b""
                continue
            self._synchronized, self._rest = True, self._rest[size:]
            if message is not None:
                messages.append(message)
        if datagram and self._rest:
            self.rejected += self._synchronized
            self._synchronized, self._rest = True, b""
        return messages

    def _skip(self) -> None:
        """Skip to the next byte that may begin a frame; a run of bytes that are no frame counts once."""
        self.rejected += self._synchronized
        self._synchronized = False
        starts = [at for start in (START_V1, START_V2) if (at := self._rest.find(start, 1)) > 0]
        self._rest = self._rest[min(starts) :] if starts else b""


class SequenceFilter:
    """Filter that drops repeated and overtaken MAVLink frames of one sender by their sequence numbers.

    A sender that restarts begins with any number; a run of frames in order is believed again.
    """

    def __init__(self) -> None:
        self._last: int | None = None
        self._behind: tuple[int, int] = (0, 0)  # newest number behind the last one, and length of its run

    def accept(self, sequence: int) -> bool:
        """Return whether a sequence number is newer than all before."""
        if self._last is not None and not 0 < (sequence - self._last) % 256 < HALF:
            newest, run = self._behind
            run = run + 1 if sequence == (newest + 1) % 256 else 1
            self._behind = (sequence, run)
            if run < RUN:
                return False
        self._last, self._behind = sequence, (0, 0)
        return True
