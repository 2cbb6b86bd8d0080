"""The digest of a run: SHA-256 over what was published, in an order that no listing can change."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_HEAD = struct.Struct("<QIQI")


@dataclass(frozen=True, slots=True)
class Mark:
    """One publication in a digest's trace: its tag, its topic, and a checksum of its bytes."""

    time: int  # [ns]
    microstep: int
    topic: str
    checksum: int

    def __str__(self) -> str:
        return f"{self.topic} at {self.time / 1e9:.6f} s (microstep {self.microstep})"


class Digest:
    """Digest of a run: takes publications in order of (tag, topic); gives their SHA-256.

    Args:
        trace: also keep a mark of each publication, so that two runs can be compared.
    """

    def __init__(self, *, trace: bool = False) -> None:
        self._sha = hashlib.sha256()
        self.marks: list[Mark] | None = [] if trace else None

    def begin(self, about: Mapping[str, str]) -> None:
        """Take what pictures depend on beside the seed first, so that runs of two renderers never look the same."""
        for name in sorted(about):
            self._sha.update(f"{name}={about[name]}\0".encode())

    def add(self, time: int, microstep: int, topic: str, prefix: bytes, sequence: int, payload: bytes) -> None:
        """Take one publication; `prefix` is the topic's name as bytes, with a zero at its end."""
        self._sha.update(prefix + _HEAD.pack(time, microstep, sequence, len(payload)))
        self._sha.update(payload)
        if self.marks is not None:
            self.marks.append(Mark(time, microstep, topic, zlib.crc32(payload)))

    def hex(self) -> str:
        """The digest so far, as 64 hexadecimal digits."""
        return self._sha.hexdigest()


def first_difference(one: list[Mark], other: list[Mark]) -> Mark | None:
    """Return the first publication in which two digests' traces differ; None if they are equal."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return min(mine, theirs, key=lambda mark: (mark.time, mark.microstep, mark.topic))
    longer = one if len(one) > len(other) else other
    shorter = min(len(one), len(other))
    return longer[shorter] if len(longer) > shorter else None
