"""Digest of a run: SHA-256 over its publications, in an order that does not depend on how nodes are listed."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass

_HEAD = struct.Struct("<QIQI")


@dataclass(frozen=True, slots=True)
class Mark:
    """Publication in a trace: its tag, its topic, and a checksum of its bytes."""

    time: int  # [ns]
    microstep: int
    topic: str
    checksum: int

    def __str__(self) -> str:
        return f"{self.topic} at {self.time / 1e9:.6f} s (microstep {self.microstep})"


class Digest:
    """SHA-256 over publications in the order of (tag, topic).

    Args:
        trace: also keep a mark of each publication, so that two runs can be compared.
    """

    def __init__(self, *, trace: bool = False) -> None:
        self._sha = hashlib.sha256()
        self.marks: list[Mark] | None = [] if trace else None

    def begin(self, about: Mapping[str, str]) -> None:
        """Add what pictures depend on beside the seed, so that runs of two renderers never have one digest."""
        for name in sorted(about):
            self._sha.update(f"{name}={about[name]}\0".encode())

    def add(self, time: int, microstep: int, topic: str, prefix: bytes, sequence: int, payload: bytes) -> None:
        """Add one publication; `prefix` is the name of the topic as bytes, with a zero at its end."""
        self._sha.update(prefix + _HEAD.pack(time, microstep, sequence, len(payload)))
        self._sha.update(payload)
        if self.marks is not None:
            self.marks.append(Mark(time, microstep, topic, zlib.crc32(payload)))

    def hex(self) -> str:
        """Return the digest so far, as 64 hexadecimal digits."""
        return self._sha.hexdigest()


def first_difference(one: list[Mark], other: list[Mark]) -> Mark | None:
    """Find the first publication in which two traces differ; None if they are equal."""
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            return min(mine, theirs, key=lambda mark: (mark.time, mark.microstep, mark.topic))
    longer = one if len(one) > len(other) else other
    shorter = min(len(one), len(other))
    return longer[shorter] if len(longer) > shorter else None
