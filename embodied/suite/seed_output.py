"""Output of the nodes in one seed's run, kept in a file of the seed instead of on the terminal of the suite.

What a node prints has its name before each line: `policy: text`; what the world prints is `world: text`. What a library
writes past Python has no name. The file is UTF-8, and control characters in it are written as escapes.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from embodied.runtime.episode import Watcher
from embodied.runtime.lockstep import Lockstep
from embodied.untrusted.text import written_out

KEPT_MOST = 2**20
"""Size at which the output of a seed is cut [B]."""

TAIL = 4000
"""Length of the end of it that a result has [characters]."""


class SeedOutput(io.TextIOBase, Watcher):
    """Output of a seed: stream in place of standard output and standard error, which names who prints.

    Args:
        descriptor: of the file.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._names: dict[int, str] = {}
        self._rest = self._author = ""
        self._size = self._lost = 0

    def begin(self, run: Lockstep) -> None:
        """Learn the names of the nodes of a run."""
        self._names = {id(planned.node): name for name, planned in run.plan.nodes.items()}
        if run.plan.graph.world is not None:
            self._names[id(run.plan.graph.world)] = "world"

    def writable(self) -> bool:
        """Return True: the stream takes text."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Take text; whole lines go to the file at once."""
        author = self._name(sys._getframe(1))
        if author != self._author:
            self.flush_rest()
        self._author = author
        *whole, self._rest = (self._rest + text).split("\n")
        for line in whole:
            self._put(line)
        if len(self._rest) > TAIL:
            self.flush_rest()
        return len(text)

    def flush_rest(self) -> None:
        """Write what is not a whole line yet as a line."""
        if self._rest:
            self._put(self._rest)
            self._rest = ""

    def finish(self) -> None:
        """Write what is not a whole line yet, and how much was cut."""
        self.flush_rest()
        if self._lost:
            self._size = 0
            self._write(f"({self._lost} more lines are not kept: {KEPT_MOST} B are the most of a seed)\n")

    def _name(self, frame: FrameType | None) -> str:
        """Return the name of the node in whose method a line was printed: looked for only when one is."""
        while frame is not None:
            name = self._names.get(id(frame.f_locals.get("self"))) if "self" in frame.f_code.co_varnames else None
            if name is not None:
                return name
            frame = frame.f_back
        return ""

    def _put(self, line: str) -> None:
        # Of a line that carriage returns overwrite, as a progress bar, the last state counts.
        line = written_out(line.removesuffix("\r").rpartition("\r")[2])
        self._write(f"{self._author}: {line}\n" if self._author else f"{line}\n")

    def _write(self, text: str) -> None:
        data = text.encode(errors="replace")
        self._size += len(data)
        if self._size > KEPT_MOST:
            self._lost += 1
            return
        try:
            os.write(self._descriptor, data)
        except OSError:
            # A full disk costs the output, and not the seed.
            self._lost += 1


@contextmanager
def captured(file: Path | None) -> Iterator[SeedOutput | None]:
    """Redirect standard output and standard error of this process, below Python too, to a file for the time of a seed.

    Args:
        file: the file; removed again if nothing was printed. None leaves the output as it is.
    """
    if file is None:
        yield None
        return
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644)
    except OSError:
        descriptor = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    output = SeedOutput(descriptor)
    with _redirected(descriptor, output):
        try:
            yield output
        finally:
            output.finish()
    _settle(file)
    os.close(descriptor)


@contextmanager
def _redirected(descriptor: int, stream: SeedOutput | None) -> Iterator[None]:
    """Point descriptors 1 and 2, and Python's streams, somewhere else for a while."""
    streams = sys.stdout, sys.stderr
    for before in streams:
        before.flush()
    saved = [(number, os.dup(number)) for number in (1, 2)]
    for number, _ in saved:
        os.dup2(descriptor, number)
    if stream is not None:
        sys.stdout = sys.stderr = stream
    try:
        yield
    finally:
        for before in streams:
            # What was printed through a stream that a library kept belongs to the seed too.
            before.flush()
        sys.stdout, sys.stderr = streams
        for number, copy in saved:
            os.dup2(copy, number)
            os.close(copy)


@contextmanager
def silenced(logs: Path | None) -> Iterator[None]:
    """Discard output for a while: of a run that only repeats another, for its digest or for pictures.

    Args:
        logs: folder of what the nodes print; None leaves the output as it is.
    """
    if logs is None:
        yield
        return
    null = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        with _redirected(null, SeedOutput(null)):
            yield
    finally:
        os.close(null)


def _settle(file: Path) -> None:
    """Remove an empty file; cut a long one, and replace what is no text in it, which libraries write past Python."""
    try:
        size = file.stat().st_size
        if not size:
            file.unlink()
            return
        if size > 2 * KEPT_MOST:
            os.truncate(file, KEPT_MOST)
        data = file.read_bytes()
        text = written_out(data.decode(errors="replace")).encode()
        if text != data:
            file.write_bytes(text)
    except OSError:
        return


def tail(file: Path) -> str:
    """Read the end of a seed's output; empty if there is none."""
    try:
        with file.open("rb") as stream:
            stream.seek(max(0, file.stat().st_size - 4 * TAIL))
            text = stream.read().decode(errors="replace")
    except OSError:
        return ""
    text = written_out(text).rstrip("\n")
    return text if len(text) <= TAIL else "…" + text[-TAIL:].partition("\n")[2]
