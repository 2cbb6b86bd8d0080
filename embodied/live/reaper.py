"""Reaper of a run: the launcher's handle on the program that cleans up after a killed launcher."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from pathlib import Path

from embodied.live import reaper_process


class Reaper:
    """Handle on the reaper process, which ends the workers if this process is killed.

    Args:
        directory: of the run, which is then removed as well.
    """

    def __init__(self, directory: Path) -> None:
        reading, self._channel = os.pipe2(os.O_CLOEXEC)
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", reaper_process.__file__, str(reading), str(directory)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(reading,),
            start_new_session=True,
        )
        os.close(reading)

    def add(self, number: int) -> None:
        """Register a process that was started."""
        self._write(f"+ {number}")

    def remove(self, number: int) -> None:
        """Remove a process that has ended with everything that it started."""
        self._write(f"- {number}")

    def close(self) -> None:
        """End the reaper after a run that ended in order."""
        self._write("bye")
        os.close(self._channel)
        self._process.wait()

    def _write(self, line: str) -> None:
        with contextlib.suppress(OSError):
            os.write(self._channel, f"{line}\n".encode())
