"""Reaper: the launcher's handle on the program that cleans up after a launcher that was killed."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from embodied.live import reaper_process


class Reaper:
    """Reaper of a launcher: knows which processes there are, and sees to them should the launcher be killed.

    Args:
        folder: of the run, which goes then too.
    """

    def __init__(self, folder: Path) -> None:
        reading, self._channel = os.pipe2(os.O_CLOEXEC)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper_process.__file__, str(reading), str(folder)],
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

    def close(self) -> None:
        """The run has ended in order: there is nothing to clean."""
        self._tell("bye")
        os.close(self._channel)
        self._process.wait()

    def _tell(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._channel, f"{line}\n".encode())
