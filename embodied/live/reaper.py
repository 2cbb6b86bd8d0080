"""Reaper: the launcher's handle on the program that cleans up after a launcher that was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from embodied.live import reaper_process
from embodied.live.reaper_process import end_marked

VARIABLE = "EMBODIED_RUN"
"""Variable in the environment of whatever a run starts."""


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
        folder: of the run, which goes then too.

    Attributes:
        mark: entry in the environment of a process of the run, but for the name of the process.
    """

    def __init__(self, folder: Path) -> None:
        self.mark = f"{VARIABLE}={folder.name}-{os.urandom(8).hex()}/"
        reading, self._channel = os.pipe2(os.O_CLOEXEC)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper_process.__file__, str(reading), str(folder), self.mark],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(reading,),
            start_new_session=True,
        )
        os.close(reading)

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
        self._tell("bye")
        os.close(self._channel)
        self._process.wait()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._channel, f"{line}\n".encode())
