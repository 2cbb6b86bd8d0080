"""Reader of what the processes of a run print: a bounded share at a time, so that a flood takes no time from a stop."""

from __future__ import annotations

import os
from functools import partial

from embodied.live.event_loop import EventLoop
from embodied.live.logs import Logs
from embodied.live.process import Process

OUTPUT_SHARE = 16 * 1024
"""Most that is read of what a process prints at a time [B]; one that prints more is read again with the heartbeats."""

PIPE_SIZE = 64 * 1024
"""Size of the pipe that a process prints into [B]: pipe(7)."""


class OutputReader:
    """Reader of the output of a run's processes into its logs.

    Args:
        loop: that waits for the output.
        logs: take what was read.
    """

    def __init__(self, loop: EventLoop, logs: Logs) -> None:
        self._loop = loop
        self._logs = logs
        self._flooding: list[Process] = []

    def start(self, process: Process) -> None:
        """Read what a process prints from now on."""
        self._loop.wait(process.output, partial(self._read, process))

    def resume(self) -> None:
        """Read on where a share was used up; the rest has waited in the pipe, or was dropped before it."""
        flooding, self._flooding = self._flooding, []
        for process in flooding:
            self.start(process)

    def finish(self, process: Process) -> None:
        """Read what a process that has ended has left in its pipe."""
        self._loop.forget(process.output)
        if process in self._flooding:
            self._flooding.remove(process)
        for _ in range(PIPE_SIZE // OUTPUT_SHARE):
            if not self._take(process):
                return

    def _read(self, process: Process) -> None:
        size = self._take(process)
        if size in (0, OUTPUT_SHARE):
            self._loop.forget(process.output)
        if size == OUTPUT_SHARE:
            self._flooding.append(process)

    def _take(self, process: Process) -> int | None:
        """Read one share; returns its size, 0 at the end of the pipe and None where there is nothing now."""
        try:
            data = os.read(process.output, OUTPUT_SHARE)
        except BlockingIOError:
            return None
        if data:
            self._logs.add(process.name, data)
        return len(data)
