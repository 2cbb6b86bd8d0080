"""Output of a live run that never waits for its reader: what is not read in time is dropped, and counted.

Whoever writes to a terminal that is held by Ctrl-S, or to a full pipe, stands still, and a launcher that stands still
stops nothing. So a thread writes, from a bounded buffer. Once the run has ended nothing moves, and its result waits for
the reader.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from embodied.cli.common import output

BUFFER = 256 * 1024
"""Most bytes that wait for their reader [B]."""

PATIENCE = 2.0
"""Time without progress after which a run that is to stop ends without its last output being read [s]."""

CHUNK = 4096
"""Most bytes of one write [B]: a pipe takes them whole."""

NO_READER = (errno.EPIPE, errno.EIO)
"""Errors of a pipe whose reader has gone, and of a terminal that was closed."""


class QueuedStream(io.TextIOBase):
    """Text stream to a descriptor whose `write` returns at once.

    Args:
        stream: in whose place it stands.
        descriptor: that is written to; None for that of the stream.

    Attributes:
        broken: the error that ended the output; None while there is none.
        dropped: how much was dropped since nobody read it in time [B].
    """

    def __init__(self, stream: TextIO, descriptor: int | None = None) -> None:
        self._stream = stream
        self._descriptor = stream.fileno() if descriptor is None else descriptor
        self._waiting: deque[bytes] = deque()
        self._size = self._untold = 0
        self._busy = False
        self._written = time.monotonic()
        self._changed = threading.Condition()
        self._waits = self._ended = False
        self._patience: float | None = PATIENCE
        self.broken: OSError | None = None
        self.dropped = 0
        threading.Thread(target=self._pass_on, name="terminal", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Encoding of the stream in whose place it stands."""
        return self._stream.encoding

    def writable(self) -> bool:
        """Return True: the stream takes text."""
        return True

    def isatty(self) -> bool:
        """Return whether a person reads along."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor that is written to."""
        return self._descriptor

    def write(self, text: str) -> int:
        """Take text, to be written when its reader takes it."""
        self.write_bytes(text.encode(self.encoding, errors="replace"))
        return len(text)

    def write_bytes(self, data: bytes) -> None:
        """Take bytes, to be written when their reader takes them."""
        with self._changed:
            for start in range(0, len(data), CHUNK):
                part = data[start : start + CHUNK]
                if self._size + len(part) > BUFFER and not (self._waits and self._await(BUFFER - len(part))):
                    self.dropped += len(part)
                    self._untold += len(part)
                    continue
                self._waiting.append(part)
                self._size += len(part)
            self._changed.notify_all()

    def wait_from_now_on(self, patience: float | None) -> None:
        """Wait for the reader from now on, since nothing moves any more.

        Args:
            patience: time without progress after which output is dropped all the same [s]; None: never.
        """
        with self._changed:
            self._waits, self._patience = True, patience

    def finish(self) -> None:
        """Wait until everything is written, or the reader has been too slow for too long."""
        with self._changed:
            self._written = time.monotonic()
            self._await(0)
            self._ended = True
            self._changed.notify_all()

    def _await(self, size: int) -> bool:
        """Wait until at most that much waits to be written [B]; return whether it is so."""
        while self.broken is None and (self._size > size or (self._busy and not size)):
            left = None if self._patience is None else self._written + self._patience - time.monotonic()
            if left is not None and left <= 0:
                return False
            self._changed.wait(left)
        return self.broken is None

    def _pass_on(self) -> None:
        """Write what waits, in a thread of its own."""
        while self.broken is None:
            with self._changed:
                while not self._waiting and not self._ended:
                    self._changed.wait()
                if not self._waiting:
                    return
                part = self._waiting.popleft()
                self._size -= len(part)
                self._busy = True
                if self._untold:
                    part = f"\n[{self._untold} B of output were dropped: nobody read them]\n".encode() + part
                    self._untold = 0
            try:
                while part:
                    part = part[os.write(self._descriptor, part) :]
            except OSError as error:
                self.broken = error
            with self._changed:
                self._busy = False
                self._written = time.monotonic()
                self._changed.notify_all()


class TerminalOutput:
    """Standard output and standard error of a live run, which never hold it up.

    Attributes:
        streams: that are written to by threads of their own.
    """

    def __init__(self) -> None:
        self.streams: list[QueuedStream] = []

    @property
    def reader_gone(self) -> bool:
        """Whether a pipe was closed by its reader: nobody looks at this run any more."""
        return any(stream.broken is not None and stream.broken.errno == errno.EPIPE for stream in self.streams)

    def wait_from_now_on(self, patience: float | None) -> None:
        """Wait for the reader of the result from now on, since the run has ended: see `QueuedStream`."""
        for stream in self.streams:
            stream.wait_from_now_on(patience)


@contextmanager
def queued_output() -> Iterator[TerminalOutput]:
    """Put threads between this process and the readers of its standard output and standard error.

    Raises:
        OSError: something could not be written though its reader is still there, as on a full disk.
    """
    terminal = TerminalOutput()
    stdout, stderr, result = sys.stdout, sys.stderr, output.result_stream
    with contextlib.ExitStack() as stack:
        for name, stream in (("stdout", stdout), ("stderr", stderr)):
            # A stream that was closed before the start is None, or has no descriptor.
            with contextlib.suppress(AttributeError, OSError, ValueError):
                stream.flush()
                queued = QueuedStream(stream)
                setattr(sys, name, queued)
                stack.callback(setattr, sys, name, stream)
                terminal.streams.append(queued)
        if output.real_stdout is not None:
            output.result_stream = QueuedStream(stdout, output.real_stdout)
            terminal.streams.append(output.result_stream)
        try:
            yield terminal
        finally:
            output.result_stream = result
            for queued in terminal.streams:
                queued.finish()
    for queued in terminal.streams:
        if queued.broken is not None and queued.broken.errno not in NO_READER:
            raise OSError(queued.broken.errno, queued.broken.strerror, "output of the run")
