"""A page of shared memory in which a process gives signs of life: whoever hangs cannot answer, but it can be seen."""

from __future__ import annotations

import os
from dataclasses import dataclass

from embodied.links import memory

SIZE = 64


@dataclass(frozen=True, slots=True)
class LastBeat:
    """The last sign of life of a process.

    Attributes:
        at: when it was given, on CLOCK_MONOTONIC [ns]; 0 before the first.
        node: number of the node that is stepping since then; -1 while the process waits.
    """

    at: int
    node: int


class Heartbeat:
    """The page of one process.

    Args:
        descriptor: of its memory.

    Attributes:
        words: when the last sign was given, and the node that is stepping.
    """

    def __init__(self, descriptor: int) -> None:
        self.words = memoryview(memory.writable(descriptor)).cast("q")
        os.close(descriptor)

    @classmethod
    def create(cls, process: str) -> tuple[Heartbeat, int]:
        """A new heartbeat, and a descriptor for the process that writes it."""
        descriptor = memory.create(f"{process}.heartbeat", SIZE)
        return cls(os.dup(descriptor)), descriptor

    def busy(self, now: int, node: int) -> None:
        """A node begins to step, or to open."""
        words = self.words
        words[0] = now
        words[1] = node

    def idle(self, now: int) -> None:
        """The process begins to wait."""
        words = self.words
        words[0] = now
        words[1] = -1

    def read(self) -> LastBeat:
        """The last sign of life."""
        return LastBeat(self.words[0], self.words[1])
