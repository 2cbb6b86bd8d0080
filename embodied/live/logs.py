"""What the nodes of a run printed: kept in a file a process, and in memory as far as it fits.

A line of a file is `2026-11-25T10:01:37.123456+00:00 node: text`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from embodied.live.node_output import MARK

KEPT = 1000
"""Lines in memory, of each process."""

LARGEST = 10 * 2**20
"""Of a log file [B]; then it becomes `.1`, and what was `.1` goes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A printed line.

    Attributes:
        node: that printed it; empty for what a library printed by itself.
        text: without the newline.
        at: when it was read, on CLOCK_MONOTONIC [ns].
    """

    node: str
    text: str
    at: int


class Logs:
    """The output of all processes of a run.

    Args:
        folder: where the files are; None keeps memory alone.

    Attributes:
        trouble: why a file could not be written; empty if all were.
        heard: called with a process and the lines it printed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._kept: dict[str, deque[Line]] = {}
        self._rests: dict[str, str] = {}
        self._files: dict[str, IO[str]] = {}
        self.trouble = ""
        self.heard: Callable[[str, list[Line]], None] = lambda _, __: None

    def add(self, process: str, data: bytes) -> list[Line]:
        """Take what a process printed; returns the whole lines."""
        *whole, rest = (self._rests.get(process, "") + data.decode(errors="replace")).split("\n")
        self._rests[process] = rest[-8192:]
        lines = [_line(text) for text in whole]
        self._kept.setdefault(process, deque(maxlen=KEPT)).extend(lines)
        self._write(process, lines)
        self.heard(process, lines)
        return lines

    def last(self, process: str) -> list[Line]:
        """The last lines of a process."""
        return list(self._kept.get(process, ()))

    def _write(self, process: str, lines: list[Line]) -> None:
        if self._folder is None or self.trouble:
            return
        steady = time.time_ns() - time.monotonic_ns()
        try:
            file = self._files.get(process)
            if file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                file = self._files[process] = (self._folder / f"{process}.log".replace("/", "_")).open("a")
            for line in lines:
                at = datetime.fromtimestamp((line.at + steady) / 1e9, UTC).astimezone()
                file.write(f"{at.isoformat(timespec='microseconds')} {line.node or process}: {line.text}\n")
            file.flush()
            if file.tell() > LARGEST:
                path = Path(file.name)
                file.close()
                path.replace(path.with_suffix(".log.1"))
                del self._files[process]
        except OSError as error:
            # A full disk costs the log, and nothing else.
            self.trouble = f"logs are no longer written to {self._folder}: {error.strerror}"

    def close(self) -> None:
        """Close the files."""
        for process, rest in self._rests.items():
            if rest:
                self._write(process, [_line(rest)])
        for file in self._files.values():
            file.close()
        self._files.clear()


def read(folder: Path) -> list[tuple[str, str]]:
    """What the nodes of a run that has ended printed, oldest first: node and text.

    Args:
        folder: as it was given to `Logs`.
    """
    files = [*folder.glob("*.log.1"), *folder.glob("*.log")]
    lines = [line for file in files for line in file.read_text("utf-8", errors="replace").splitlines()]
    # Times of one length, so that their order is that of their letters; within a file lines stay as they stand.
    parted = [line.partition(" ")[::2] for line in sorted(lines, key=lambda line: line.partition(" ")[0])]
    return [(node, text) for node, _, text in (rest.partition(": ") for _, rest in parted)]


def _line(text: str) -> Line:
    node, mark, rest = text.partition(MARK)
    at = time.monotonic_ns()
    return Line(node, rest, at) if mark else Line("", text, at)
