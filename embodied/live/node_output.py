"""Printed output of nodes, sent to the launcher line by line with the name of the node; printing never blocks."""

from __future__ import annotations

import io
import os
import sys

from embodied.live.heartbeat import Heartbeat

MARK = "\x1f"
"""Separator between the name of a node and its line."""


class LineStream(io.TextIOBase):
    """Text stream that writes whole lines to a pipe, and counts those that the pipe has no space for.

    Args:
        descriptor: of a pipe that does not block.
        heartbeat: of the process, with the node that is stepping.

    Attributes:
        nodes: names of the nodes, by number.
        lost: number of lines that were not written.
    """

    def __init__(self, descriptor: int, heartbeat: Heartbeat) -> None:
        self._descriptor = descriptor
        self._heartbeat = heartbeat
        self._rest = ""
        self.nodes: list[str] = []
        self.lost = 0

    @classmethod
    def install(cls, heartbeat: Heartbeat) -> LineStream:
        """Replace standard output and standard error of the process."""
        lines = cls(1, heartbeat)
        os.set_blocking(1, False)
        os.set_blocking(2, False)
        sys.stdout = sys.stderr = lines
        return lines

    def writable(self) -> bool:
        """Return True: the stream can be written to."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the pipe."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Write text; whole lines go to the pipe at once."""
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._send(line)
        return len(text)

    def finish(self) -> None:
        """Write the last line, if it has no newline."""
        if self._rest:
            self._send(self._rest)
            self._rest = ""

    def _send(self, line: str) -> None:
        number = self._heartbeat.read().node
        node = self.nodes[number] if 0 <= number < len(self.nodes) else ""
        data = f"{node}{MARK}{line}\n".encode(errors="replace")[:4096]
        try:
            # Up to PIPE_BUF bytes are written whole or not at all: pipe(7).
            os.write(self._descriptor, data)
        except OSError:
            self.lost += 1
