"""Log files of a run, written by a thread of their own: a disk that hangs or is full costs the log, and no stop.

What waits to be written is bounded; once more does, no more is written, and the run says so.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import IO, NamedTuple

LARGEST = 10 * 2**20
"""Size of a log file [B] at which it is renamed to `.1`, in place of an older one."""

WAITING_MOST = 20_000
"""Largest number of lines that wait to be written."""

CLOSE_TIMEOUT = 1.0
"""Longest wait for the last lines to be written, once the run has ended [s]."""


class Line(NamedTuple):
    """Line that a node printed, in the logs of a run.

    Attributes:
        node: name of the node; empty for what a library printed by itself.
        text: without the newline.
        at: time of reading, on CLOCK_MONOTONIC [ns].
    """

    node: str
    text: str
    at: int


class LogFiles:
    """Log files of a run, one for each process.

    Args:
        folder: folder of the files, which is made.

    Attributes:
        trouble: why a file could not be written; empty if all were.
    """

    def __init__(self, folder: Path) -> None:
        self.trouble = ""
        self._folder = folder
        self._files: dict[str, IO[str]] = {}
        self._waiting: deque[tuple[str, Sequence[Line]]] = deque()
        self._lines = 0
        self._closed = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="logs", daemon=True)
        self._thread.start()

    def write(self, process: str, lines: Sequence[Line]) -> None:
        """Take lines of a process, to be written as soon as the disk takes them."""
        with self._changed:
            if self._lines + len(lines) > WAITING_MOST:
                self._give_up("the disk does not take them: it is too slow, or hangs")
            if self.trouble or self._closed:
                return
            self._waiting.append((process, lines))
            self._lines += len(lines)
            self._changed.notify()

    def close(self) -> None:
        """Write what waits and close the files, within a stated time."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join(CLOSE_TIMEOUT)
        if self._thread.is_alive():
            self._give_up(f"the disk did not take them within {CLOSE_TIMEOUT:g} s")

    def _run(self) -> None:
        """Write what waits, in a thread of its own, until it is closed or a file cannot be written."""
        try:
            # It is there even if nobody prints, so that an older run's is not taken for it.
            self._folder.mkdir(parents=True, exist_ok=True)
            while (entry := self._next()) is not None:
                self._write(*entry)
            for file in self._files.values():
                file.close()
        except OSError as error:
            self._give_up(error.strerror or str(error))

    def _next(self) -> tuple[str, Sequence[Line]] | None:
        with self._changed:
            while not self._waiting:
                if self._closed:
                    return None
                self._changed.wait()
            process, lines = self._waiting.popleft()
            self._lines -= len(lines)
            return process, lines

    def _write(self, process: str, lines: Sequence[Line]) -> None:
        steady = time.time_ns() - time.monotonic_ns()
        file = self._files.get(process)
        if file is None:
            path = self._folder / f"{process}.log".replace("/", "_")
            file = self._files[process] = path.open("a", encoding="utf-8", errors="replace")
        # Lines that were read together were read at one time, and its date is made once.
        for at, together in groupby(lines, lambda line: line.at):
            date = datetime.fromtimestamp((at + steady) / 1e9, UTC).astimezone().isoformat(timespec="microseconds")
            file.write("".join(f"{date} {line.node or process}: {line.text}\n" for line in together))
        file.flush()
        if file.seekable() and file.tell() > LARGEST:
            path = Path(file.name)
            file.close()
            path.replace(path.with_suffix(".log.1"))
            del self._files[process]

    def _give_up(self, reason: str) -> None:
        """Write no more files: a disk that is full or hangs costs the log, and nothing else."""
        self.trouble = self.trouble or f"logs are no longer written to {self._folder}: {reason}"
        self._waiting.clear()
        self._lines = 0
