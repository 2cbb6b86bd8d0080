"""Standard output of nodes: line by line to the launcher, each with its node; printing never blocks a node."""

from __future__ import annotations

import io
import os
import sys

from embodied.live.heartbeat import Heartbeat

MARK = "\x1f"
"""Stands between the name of a node and its line."""


class LineStream(io.TextIOBase):
    """Standard output of nodes as a text stream of whole lines; what nobody takes in time is lost, and counted.

    Args:
        descriptor: a pipe that does not block.
        heartbeat: says which node is stepping.

    Attributes:
        nodes: names, by their numbers.
        lost: how many lines were not taken.
    """

    def __init__(self, descriptor: int, heartbeat: Heartbeat) -> None:
        self._descriptor = descriptor
        self._page = heartbeat
        self._rest = ""
        self.nodes: list[str] = []
        self.lost = 0

    @classmethod
    def install(cls, heartbeat: Heartbeat) -> LineStream:
        """Take the place of standard output and standard error."""
        lines = cls(1, heartbeat)
        os.set_blocking(1, False)
        os.set_blocking(2, False)
        sys.stdout = sys.stderr = lines
        return lines

    def writable(self) -> bool:
        """Return True: the stream takes text."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the pipe."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Take text; whole lines go on at once."""
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._pass(line)
        return len(text)

    def finish(self) -> None:
        """Pass on what was not a whole line yet."""
        if self._rest:
            self._pass(self._rest)
            self._rest = ""

    def _pass(self, line: str) -> None:
        number = self._page.read().node
        node = self.nodes[number] if 0 <= number < len(self.nodes) else ""
        data = f"{node}{MARK}{line}\n".encode(errors="replace")[:4096]
        try:
            # A pipe takes up to 4096 bytes whole or not at all.
            os.write(self._descriptor, data)
        except OSError:
            self.lost += 1
