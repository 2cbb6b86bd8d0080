"""Heartbeat of a process in shared memory: a process that hangs cannot answer, but its last beat can be read."""

from __future__ import annotations

import os
from dataclasses import dataclass

from embodied.links import memory

SIZE = 64
"""Size of the shared memory [B]."""


@dataclass(frozen=True, slots=True)
class LastBeat:
    """Last heartbeat of a process, as read from shared memory.

    Attributes:
        at: time on CLOCK_MONOTONIC [ns]; 0 before the first.
        node: number of the node that is stepping since then; -1 while the process waits.
    """

    at: int
    node: int


class Heartbeat:
    """Heartbeat of one process in shared memory, for its writer and for its reader.

    Args:
        descriptor: of the shared memory; closed here.

    Attributes:
        words: time of the last beat, and number of the node that is stepping.
    """

    def __init__(self, descriptor: int) -> None:
        self.words = memoryview(memory.writable(descriptor)).cast("q")
        os.close(descriptor)

    @classmethod
    def create(cls, process: str) -> tuple[Heartbeat, int]:
        """Create the shared memory; returns the reader, and a descriptor for the process that writes."""
        descriptor = memory.create(f"{process}.heartbeat", SIZE)
        return cls(os.dup(descriptor)), descriptor

    def busy(self, now: int, node: int) -> None:
        """Mark that a node begins to step, or to open."""
        words = self.words
        words[0] = now
        words[1] = node

    def idle(self, now: int) -> None:
        """Mark that the process begins to wait."""
        words = self.words
        words[0] = now
        words[1] = -1

    def read(self) -> LastBeat:
        """Read the last heartbeat of the process."""
        return LastBeat(self.words[0], self.words[1])
