"""Reaper: the launcher's handle on the program that cleans up after a launcher that was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator

from embodied.live import reaper_process
from embodied.live.process import LEFT_TO_LAUNCHER, blocked
from embodied.live.reaper_process import end_marked
from embodied.live.run_directory import RunDirectory

VARIABLE = "EMBODIED_RUN"
"""Variable in the environment of whatever a run starts."""

CLOSE_TIMEOUT = 1.0
"""Time that the reaper has to end after a run that ended in order [s]; one that was suspended is killed."""


@contextlib.contextmanager
def marked_environment() -> Iterator[None]:
    """Mark the environment of this process, and kill at the end what was started meanwhile and is still there."""
    before = os.environ.get(VARIABLE)
    mark = os.environ[VARIABLE] = f"{os.getpid()}-{os.urandom(8).hex()}/"
    try:
        yield
    finally:
        end_marked(f"{VARIABLE}={mark}")
        del os.environ[VARIABLE]
        if before is not None:
            os.environ[VARIABLE] = before


class Reaper:
    """Reaper of a launcher: knows which processes there are, and sees to them should the launcher be killed.

    Args:
        directory: of the run, which goes then too; it may come to be elsewhere.

    Attributes:
        mark: entry in the environment of a process of the run, but for the name of the process.
    """

    def __init__(self, directory: RunDirectory) -> None:
        self.mark = f"{VARIABLE}={directory.name}-{os.urandom(8).hex()}/"
        self._directory = directory
        self._start()

    def _start(self) -> None:
        reading, self._channel = os.pipe2(os.O_CLOEXEC)
        # A reaper that was suspended reads nothing, and its launcher goes on.
        os.set_blocking(self._channel, False)
        with blocked(LEFT_TO_LAUNCHER):
            path = str(self._directory.path)
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", reaper_process.__file__, str(reading), path, self.mark],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                pass_fds=(reading,),
                start_new_session=True,
            )
        os.close(reading)

    def gone(self) -> bool:
        """Return whether it was killed."""
        return self._process.poll() is not None

    def restart(self, processes: Iterable[int]) -> None:
        """Start it again, as after it was killed, for the processes that run now."""
        self._end()
        self._start()
        for number in processes:
            self.add(number)

    def add(self, number: int) -> None:
        """Add a process that was started."""
        self._tell(f"+ {number}")

    def remove(self, number: int) -> None:
        """A process has ended, and everything that it started."""
        self._tell(f"- {number}")

    def environment(self, process: str) -> dict[str, str]:
        """Return the environment of a process of the run, which whatever it starts inherits."""
        return {**os.environ, VARIABLE: f"{self.mark.partition('=')[2]}{process}/"}

    def sweep(self, process: str) -> None:
        """Kill what a process that has ended has left: its group is known to be gone."""
        end_marked(f"{self.mark}{process}/")

    def close(self) -> None:
        """The run has ended in order: only what nodes have left behind is cleaned."""
        end_marked(self.mark)
        self._end()

    def _end(self) -> None:
        self._tell("bye")
        os.close(self._channel)
        try:
            self._process.wait(CLOSE_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._channel, f"{line}\n".encode())
