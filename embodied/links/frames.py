"""Frames of a link between two machines: requests of a subscriber, and messages of a publisher.

    subscriber → publisher    [ask]                     credit for n more messages of a topic; empty on connection
    publisher → subscriber    [topic, head, parts …]    one message
                              [empty, head]             welcome: the publisher's epoch, the number of the connection

Messages of a topic are numbered since the start of the publisher, which draws a random epoch at each start. Requests
repeat the number of their welcome, so that none from before a broken connection counts after it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["latest", "every"]

MODES: tuple[Mode, ...] = ("latest", "every")
"""Delivery modes of a topic, by the number that stands for each in a request."""

MAGIC = b"emb1"
"""Version of the frame layout; both ends must have the same."""

MAX_TOPIC = 255
"""Longest name of a topic [B]."""

MAX_PARTS = 64
"""Largest number of parts of a message."""

MAX_CREDIT = 65_535
"""Largest credit of one request [messages]."""

_HEAD = struct.Struct("<4sIQQQqq")
_ASK = struct.Struct("<4sBBHQQq")


class Malformed(ValueError):
    """Frames of a link between machines that do not have this layout; the message names the reason."""


@dataclass(frozen=True, slots=True)
class Ask:
    """Frame of a subscriber's request for more messages of one topic.

    Attributes:
        topic: name of the topic.
        mode: the latest message, or every one.
        credit: number of messages that may be sent in addition.
        welcome: number of the welcome that was received last.
        number: of the first message that the subscriber does not have.
        at: time of the request on the subscriber's clock [ns].
    """

    topic: str
    mode: Mode
    credit: int
    welcome: int
    number: int
    at: int

    def pack(self) -> bytes:
        """Return the bytes of the request."""
        name = self.topic.encode()
        mode = MODES.index(self.mode)
        return _ASK.pack(MAGIC, mode, len(name), self.credit, self.welcome, self.number, self.at) + name

    @classmethod
    def of(cls, data: bytes) -> Ask:
        """Parse the bytes of a request.

        Raises:
            Malformed: the bytes are not a request.
        """
        if len(data) < _ASK.size:
            raise Malformed("a request is too short")
        magic, mode, length, credit, welcome, number, at = _ASK.unpack_from(data)
        if magic != MAGIC:
            raise Malformed("another version")
        if mode >= len(MODES) or not credit or len(data) != _ASK.size + length:
            raise Malformed("a request with impossible values")
        return cls(_text(data[_ASK.size :]), MODES[mode], credit, welcome, number, at)


@dataclass(frozen=True, slots=True)
class Head:
    """Frame of a publisher's header, before the frames with the parts of a message.

    Attributes:
        epoch: random number of the publisher's start.
        number: of the message, from 0; in a welcome, that of the welcome.
        sequence: number of the step of its source.
        stamp: time of that step, on the clock of its machine [ns].
        asked: time of the last request that the publisher had received, on the subscriber's clock [ns].
    """

    epoch: int
    number: int
    sequence: int
    stamp: int
    asked: int

    def pack(self) -> bytes:
        """Return the bytes of the head."""
        return _HEAD.pack(MAGIC, 0, self.epoch, self.number, self.sequence, self.stamp, self.asked)


def read(frames: Sequence[memoryview]) -> tuple[str, Head]:
    """Parse topic and header in the frames of a publisher; the topic of a welcome is empty.

    Raises:
        Malformed: the frames do not have this layout.
    """
    if not 2 <= len(frames) <= 2 + MAX_PARTS:
        raise Malformed("too few frames, or too many")
    if frames[1].nbytes != _HEAD.size:
        raise Malformed("a head of another size")
    magic, unused, *numbers = _HEAD.unpack(frames[1])
    if magic != MAGIC or unused:
        raise Malformed("another version")
    if frames[0].nbytes > MAX_TOPIC:
        raise Malformed("a topic that is too long")
    topic = _text(bytes(frames[0]))
    if bool(topic) != (len(frames) > 2):
        raise Malformed("a topic without parts, or parts without a topic")
    return topic, Head(*numbers)


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Malformed("a topic that is no text") from None
