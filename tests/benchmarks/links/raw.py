"""The raw limits: waking another process and being woken by it, and copying an array once."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tests.benchmarks.links.handover import give, take
from tests.benchmarks.links.lines import PATIENCE, Peer, Workers
from tests.benchmarks.links.loads import Load
from tests.benchmarks.links.worker import LEAST, Worker

WAKE = "eventfd, nothing carried"
COPY = "memcpy"

_END = 2


class Floor(Peer):
    """Two processes that wake each other by eventfd."""

    def open(self, folder: Path, takers: int) -> FloorLine:
        """Start them."""
        return FloorLine(self, folder, takers)


class FloorLine(Workers):
    """Nothing is carried, so there is nothing to open and no mark to send."""

    def ping(self, load: Load, seconds: float) -> Sequence[int]:
        """Round trips [ns]."""
        self._ask(1, "echo", load, 0)
        times: Sequence[int] = self._call(0, "ping", load, seconds, patience=seconds + PATIENCE)
        self._answer(1, PATIENCE)
        return times


class Pair(Worker):
    """One of the two, with a counter that it waits for and one by which it wakes the other."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        if number == 0:
            self._there, self._back = os.eventfd(0), os.eventfd(0)
            give(folder / "eventfds", [(self._there, self._back)])
        else:
            self._there, self._back = take(folder / "eventfds", number, 2)

    def ping(self, load: Load, seconds: float) -> list[int]:
        """Round trips [ns]."""
        write, read, clock = os.eventfd_write, os.eventfd_read, time.monotonic_ns
        there, back = self._there, self._back
        deadline = clock() + round(seconds * 1e9)
        times: list[int] = []
        end = 0
        while end < deadline or len(times) < LEAST:
            begin = clock()
            write(there, 1)
            read(back)
            end = clock()
            times.append(end - begin)
        write(there, _END)
        return times

    def echo(self, load: Load, mark: int) -> None:
        """Wake whoever woke this."""
        write, read, there, back = os.eventfd_write, os.eventfd_read, self._there, self._back
        while read(there) != _END:
            write(back, 1)

    def close(self) -> None:
        """Give the counters back."""
        os.close(self._there)
        os.close(self._back)


def copies(load: Load, seconds: float) -> list[int]:
    """What it takes to copy the arrays of a message into memory that is there [ns]."""
    message = load.make()
    sources = [getattr(message, name) for name in load.fields]
    targets = [np.zeros_like(source) for source in sources]
    pairs = list(zip(targets, sources, strict=True))
    clock = time.monotonic_ns
    deadline = clock() + round(seconds * 1e9)
    times: list[int] = []
    end = 0
    while end < deadline or len(times) < LEAST:
        begin = clock()
        for target, source in pairs:
            np.copyto(target, source)
        end = clock()
        times.append(end - begin)
    return times


FLOOR = Floor(WAKE, f"{__name__}:Pair", "os", floods=False)
