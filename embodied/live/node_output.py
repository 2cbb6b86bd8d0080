"""Standard output of nodes: line by line to the launcher, each with its node; printing never blocks a node."""

from __future__ import annotations

import io
import os
import sys
import time

from embodied.live.heartbeat import Heartbeat

MARK = "\x1f"
"""Stands between the name of a node and its line."""

PIECE = 900
"""Length at which a line is cut into several [characters]: a pipe takes up to 4096 B whole or not at all, pipe(7)."""

NAME = 100
"""Length to which the name of a node is cut before its lines [characters]."""

REDRAW_PERIOD = 1_000_000_000
"""Time between two lines of a progress bar, which redraws one by carriage returns [ns]."""


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
        self._rest = self._redrawn = ""
        self._redrawn_at = 0
        self._untold = 0
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
        """Take text; whole lines go on at once, and so does what is long enough for one."""
        *whole, rest = (self._rest + text).split("\n")
        for line in whole:
            # What a carriage return overwrites is not shown; `print(…, end="\\r")` leaves it to the newline.
            self._pass(line.removesuffix("\r").rpartition("\r")[2] or self._redrawn)
            self._redrawn = ""
        over, mark, rest = rest.rpartition("\r")
        if mark:
            self._redraw(over.rpartition("\r")[2])
        while len(rest) > PIECE:
            self._pass(rest[:PIECE])
            rest = rest[PIECE:]
        self._rest = rest
        return len(text)

    def finish(self) -> None:
        """Pass on what was not a whole line yet, and how many lines were lost."""
        if self._rest or self._redrawn:
            self._pass(self._rest or self._redrawn)
            self._rest = self._redrawn = ""
        self._tell_lost()

    def _redraw(self, line: str) -> None:
        """Keep the line of a progress bar, and pass it on now and then."""
        at = time.monotonic_ns()
        self._redrawn = line or self._redrawn
        if self._redrawn and at - self._redrawn_at > REDRAW_PERIOD:
            self._redrawn_at = at
            self._pass(self._redrawn)
            self._redrawn = ""

    def _pass(self, line: str) -> None:
        for start in range(0, max(1, len(line)), PIECE):
            if not self._tell_lost() or not self._put(line[start : start + PIECE]):
                self.lost += 1
                self._untold += 1

    def _tell_lost(self) -> bool:
        """Say how many lines were lost, in their place; False while even that is not taken."""
        if self._untold and self._put(f"({self._untold} lines were lost here: they came faster than they are read)"):
            self._untold = 0
        return not self._untold

    def _put(self, line: str) -> bool:
        number = self._page.read().node
        node = self.nodes[number] if 0 <= number < len(self.nodes) else ""
        # A character takes up to 4 B, so that this fits.
        data = f"{node[:NAME]}{MARK}{line}\n".encode(errors="replace")
        try:
            return os.write(self._descriptor, data) > 0
        except OSError:
            return False
