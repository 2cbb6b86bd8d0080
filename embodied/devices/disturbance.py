"""Disturbance of the frames that a virtual device sends: every nth is damaged, cut short, repeated or reordered."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Generic, Literal, TypeVar

Disturbance = Literal["", "flip", "truncate", "repeat", "reorder"]
"""Kind of disturbance: a bit is flipped, the end is missing, a frame is sent twice, two frames swap places; or none."""

ALL: tuple[Disturbance, ...] = ("flip", "truncate", "repeat", "reorder")
"""Every kind of disturbance."""

EVERY = 3
"""Frames per disturbed one, unless a caller sets another number."""

F = TypeVar("F")
"""Type of a frame: its bytes, or the frame of a codec."""


class Disturber(Generic[F]):
    """Disturber of a virtual device: every nth frame is damaged, cut short, repeated or reordered, as by a bad cable.

    Args:
        flip: return a copy of a frame with one bit flipped.
        truncate: return a copy of a frame without its end.
    """

    def __init__(self, flip: Callable[[F], F], truncate: Callable[[F], F]) -> None:
        self._flip, self._truncate = flip, truncate
        # One object, since a test sets it while the device's thread reads it.
        self._setting: tuple[Disturbance, int] = ("", EVERY)
        self._count = 0
        self._held: dict[Hashable, list[F]] = {}

    def set(self, how: Disturbance, every: int = EVERY) -> None:
        """Set the kind of disturbance; a frame that is held back for reordering is lost.

        Args:
            how: kind of disturbance, empty for none.
            every: number of transmissions per disturbed one.
        """
        self._setting = (how, every)
        self._count = 0
        self._held = {}

    def apply(self, *frames: F, at: int = 0, stream: Hashable = None) -> list[F]:
        """Return the frames to send in place of one transmission.

        Args:
            frames: frames of the transmission; one alone is reordered by sending it after the next transmission.
            at: index of the frame that is disturbed.
            stream: client or message whose frames swap places with each other only.
        """
        how, every = self._setting
        held = self._held.pop(stream, [])
        sent = list(frames)
        self._count += 1
        if not how or held or self._count % every:
            return sent + held
        match how:
            case "flip":
                sent[at] = self._flip(sent[at])
            case "truncate":
                sent[at] = self._truncate(sent[at])
            case "repeat":
                sent.insert(at, sent[at])
            case "reorder" if len(sent) > 1:
                other = at + 1 if at + 1 < len(sent) else at - 1
                sent[at], sent[other] = sent[other], sent[at]
            case _:
                self._held[stream] = sent
                return []
        return sent


def flip_bit(data: bytes, bit: int | None = None) -> bytes:
    """Return the bytes of a frame with one bit flipped, to disturb it.

    Args:
        data: bytes of a frame.
        bit: index of the bit, counted from the least significant of the first byte; one in the middle if None.
    """
    bit = 8 * (len(data) // 2) + 2 if bit is None else bit
    flipped = bytearray(data)
    flipped[bit // 8] ^= 1 << bit % 8
    return bytes(flipped)


def cut_half(data: bytes) -> bytes:
    """Return the first half of a frame's bytes, to disturb it."""
    return data[: len(data) // 2]


def byte_disturber() -> Disturber[bytes]:
    """Return a disturber of frames that are plain bytes: flips a bit in their middle, or cuts them in half."""
    return Disturber(flip_bit, cut_half)
