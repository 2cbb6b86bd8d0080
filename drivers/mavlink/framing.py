"""Frames of MAVLink 1 and 2: bytes to messages, no I/O; what is bent is never a message.

    fd  length  flags  flags  sequence  system  component  message (3)  payload  checksum (2)  [signature (13)]
    fe  length                sequence  system  component  message      payload  checksum (2)

Source: mavlink.io, "Packet Serialization". pymavlink knows the payloads, and each message's part of the checksum.
"""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import common

ONE, TWO = 0xFE, 0xFD
SIGNED = 0x01

HALF = 128
"""Of the 256 sequence numbers; one that is so far ahead is behind."""


class Malformed(ValueError):
    """Bytes that are not a frame."""


def length(data: bytes) -> int | None:
    """How long the frame is that begins here; None where too little is there to say [B].

    Raises:
        Malformed: no frame begins so.
    """
    if not data:
        return None
    if data[0] == ONE:
        return 8 + data[1] if len(data) > 1 else None
    if data[0] != TWO:
        raise Malformed(f"a frame begins with fd or fe, not {data[0]:02x}")
    if len(data) < 3:
        return None
    return 12 + data[1] + (13 if data[2] & SIGNED else 0)


def decode(frame: bytes) -> Any:
    """The message in one frame; None for one of another dialect, whose checksum nobody here can know.

    Raises:
        Malformed: it is cut short, or its checksum is another.
    """
    try:
        message = common.MAVLink(None).decode(bytearray(frame))
    except Exception as error:  # it raises whatever comes up while it reads
        raise Malformed(str(error)) from error
    return None if isinstance(message, common.MAVLink_unknown) else message


class Cutter:
    """Cuts messages out of what comes, in parts or in whole datagrams.

    Attributes:
        rejected: frames that were bent or cut short.
    """

    def __init__(self) -> None:
        self.rejected = 0
        self._rest = b""
        self._lost = False

    def feed(self, data: bytes, *, whole: bool = False) -> list[Any]:
        """The messages that are complete now.

        Args:
            data: what came.
            whole: whether frames end where this ends, as in a datagram.
        """
        self._rest += data
        found = []
        while self._rest:
            try:
                size = length(self._rest)
                if size is None or size > len(self._rest):
                    break
                message = decode(self._rest[:size])
            except Malformed:
                self._skip()
                continue
            self._lost, self._rest = False, self._rest[size:]
            if message is not None:
                found.append(message)
        if whole and self._rest:
            self.rejected += not self._lost
            self._lost, self._rest = False, b""
        return found

    def _skip(self) -> None:
        """To where the next frame may begin; a run of bytes that are none counts once."""
        self.rejected += not self._lost
        self._lost = True
        places = [at for mark in (ONE, TWO) if (at := self._rest.find(mark, 1)) > 0]
        self._rest = self._rest[min(places) :] if places else b""


class Order:
    """Sequence numbers of one sender: a frame that was there already, or that was overtaken, is not taken."""

    def __init__(self) -> None:
        self._last: int | None = None

    def takes(self, sequence: int) -> bool:
        """Whether a frame of this number is newer than all before."""
        if self._last is not None and not 0 < (sequence - self._last) % 256 < HALF:
            return False
        self._last = sequence
        return True
