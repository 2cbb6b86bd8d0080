"""Logs of a run: the printed lines of each process, in a file and, the last ones, in memory.

A line of a file is `2026-11-25T10:01:37.123456+00:00 node: text`, in UTF-8 whatever the locale; bytes that are none are
replaced, and control characters are written as escapes.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

from embodied.live.log_files import Line, LogFiles
from embodied.live.node_output import MARK
from embodied.untrusted.text import written_out

KEPT = 1000
"""Most lines in memory, of each process."""

LONGEST = 8192
"""Length at which output without a newline counts as a line [B]."""

LINES_MOST = 2000
"""Most lines that are kept of one read; a process is read at most 20 times a second while it prints that much."""


class Logs:
    """Logs of a run: printed output of all its processes.

    Args:
        folder: of the log files; None writes none.

    Attributes:
        listener: called with a process and the lines that it printed.
    """

    def __init__(self, folder: Path | None) -> None:
        self._files = None if folder is None else LogFiles(folder)
        self._kept: dict[str, deque[Line]] = {}
        self._rests: dict[str, bytes] = {}
        self.listener: Callable[[str, list[Line]], None] = lambda _, __: None

    @property
    def trouble(self) -> str:
        """Reason why a file could not be written; empty if all were."""
        return "" if self._files is None else self._files.trouble

    def add(self, process: str, data: bytes) -> list[Line]:
        """Add output of a process; returns the complete lines."""
        # Lines are decoded whole: a read may end in the middle of a character.
        *whole, rest = (self._rests.get(process, b"") + data).split(b"\n")
        if len(rest) > LONGEST:
            whole.append(rest)
            rest = b""
        self._rests[process] = rest
        at = time.monotonic_ns()
        lines = [_line(line, at) for line in whole[:LINES_MOST]]
        if len(whole) > LINES_MOST:
            lines.append(Line("", f"{len(whole) - LINES_MOST} lines were dropped: too many at a time", at))
        self._keep(process, lines)
        return lines

    def note(self, process: str, text: str) -> None:
        """Add what happened to a process, beside what it printed."""
        self._keep(process, [Line("", written_out(line), time.monotonic_ns()) for line in text.splitlines()])

    def _keep(self, process: str, lines: list[Line]) -> None:
        self._kept.setdefault(process, deque(maxlen=KEPT)).extend(lines)
        self._write(process, lines)
        self.listener(process, lines)

    def last(self, process: str) -> list[Line]:
        """Return the last lines of a process, oldest first."""
        return list(self._kept.get(process, ()))

    def _write(self, process: str, lines: list[Line]) -> None:
        if self._files is not None and lines:
            self._files.write(process, lines)

    def close(self) -> None:
        """Write incomplete last lines and close the files, within a stated time."""
        for process, rest in self._rests.items():
            if rest:
                self._write(process, [_line(rest, time.monotonic_ns())])
        self._rests.clear()
        if self._files is not None:
            self._files.close()


def read(folder: Path) -> list[tuple[str, str]]:
    """Read the log files of a run, oldest line first: node and text; or those of the seeds of a suite, one by one.

    Args:
        folder: as it was given to `Logs`, or `logs` of a suite.
    """
    if not any(folder.glob("*.log")):
        return [
            (str(file.relative_to(folder).with_suffix("")), line)
            for file in sorted(folder.rglob("*.log"))
            for line in file.read_text("utf-8", errors="replace").splitlines()
        ]
    files = [*folder.glob("*.log.1"), *folder.glob("*.log")]
    lines = [line for file in files for line in file.read_text("utf-8", errors="replace").splitlines()]
    # ISO times of one length sort as text; the sort is stable, so lines of a file keep their order.
    parted = [line.partition(" ")[::2] for line in sorted(lines, key=lambda line: line.partition(" ")[0])]
    return [(node, text) for node, _, text in (rest.partition(": ") for _, rest in parted)]


def _line(data: bytes, at: int) -> Line:
    node, mark, text = data.decode(errors="replace").partition(MARK)
    if not mark:
        node, text = "", node
    return Line(written_out(node), written_out(text), at)
