"""What crosses between two machines, as bytes: what a taker asks for, and what it is sent.

    taker → giver    [ask]                     asks for so many more of a topic, or says that it has just connected
    giver → taker    [topic, head, parts …]    one message
                     [empty, head]             the welcome: who the giver is, and a number drawn for this connection

The number counts the messages of a topic since the giver began; its epoch is drawn anew each time it begins. Questions
repeat the number of their welcome, so that none from before a broken connection counts after it.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["latest", "every"]

MODES: tuple[Mode, ...] = ("latest", "every")

MAGIC = b"emb1"
"""The version of this layout: the two ends have to have the same."""

MAX_TOPIC = 255
MAX_PARTS = 64

MAX_CREDIT = 65_535
"""So many messages may be asked for at once."""

_HEAD = struct.Struct("<4s4xQQQqq")
_ASK = struct.Struct("<4sBBHQQq")


class Malformed(ValueError):
    """Frames that are none of this layout; the sentence says what is wrong with them."""


@dataclass(frozen=True, slots=True)
class Ask:
    """What a taker asks for.

    Attributes:
        topic: of which it takes messages.
        mode: the latest, or every one.
        credit: how many more may be sent.
        welcome: the number of the welcome that was last heard.
        number: of the first message that the taker does not have.
        at: the taker's clock [ns].
    """

    topic: str
    mode: Mode
    credit: int
    welcome: int
    number: int
    at: int

    def pack(self) -> bytes:
        """Its bytes."""
        name = self.topic.encode()
        mode = MODES.index(self.mode)
        return _ASK.pack(MAGIC, mode, len(name), self.credit, self.welcome, self.number, self.at) + name

    @classmethod
    def of(cls, data: bytes) -> Ask:
        """The same from bytes.

        Raises:
            Malformed: they are none.
        """
        if len(data) < _ASK.size:
            raise Malformed("a question is too short")
        magic, mode, length, credit, welcome, number, at = _ASK.unpack_from(data)
        if magic != MAGIC:
            raise Malformed("another version")
        if mode >= len(MODES) or not credit or len(data) != _ASK.size + length:
            raise Malformed("a question is no question")
        return cls(_text(data[_ASK.size :]), MODES[mode], credit, welcome, number, at)


@dataclass(frozen=True, slots=True)
class Head:
    """What stands before the parts of a message.

    Attributes:
        epoch: of the giver.
        number: of the message, from 0; in a welcome, that of the welcome.
        sequence: number of the step of its source.
        stamp: what its source says of its time [ns].
        asked: when the taker sent the last question that the giver had heard, on the taker's clock [ns].
    """

    epoch: int
    number: int
    sequence: int
    stamp: int
    asked: int

    def pack(self) -> bytes:
        """Its bytes."""
        return _HEAD.pack(MAGIC, self.epoch, self.number, self.sequence, self.stamp, self.asked)


def read(frames: Sequence[memoryview]) -> tuple[str, Head]:
    """Topic and head of what a giver has sent; the topic is empty where it says who it is.

    Raises:
        Malformed: it is none of this layout.
    """
    if not 2 <= len(frames) <= 2 + MAX_PARTS:
        raise Malformed("too few frames, or too many")
    if frames[1].nbytes != _HEAD.size:
        raise Malformed("a head of another size")
    magic, *numbers = _HEAD.unpack(frames[1])
    if magic != MAGIC:
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
