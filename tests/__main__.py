"""Run every test: `python -m tests`; those of drivers, which wait in real time, beside those that compute.

Drivers meet their virtual devices on the clock: a test of one takes a fifth of a core, and is held up by neighbours
that take whole ones. So they have workers of their own, and both cores of a small machine are busy all the time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile

from tests.processes import PART

REAL_TIME = "tests/drivers"
"""Folder of the tests that wait in real time."""

WAITING, COMPUTING = 3, 3
"""Number of workers for the tests that wait, and for all others."""


def main() -> int:
    """Run both parts, and return the exit code of the first that failed."""
    pytest = [sys.executable, "-m", "pytest", "--dist", "worksteal"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        waiting = subprocess.Popen(
            [*pytest, "-n", str(WAITING), REAL_TIME],
            env={**os.environ, PART: "1"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            code = subprocess.call([*pytest, "-n", str(COMPUTING), f"--ignore={REAL_TIME}"])
        finally:
            # After Ctrl-C, too, which both have received.
            other = waiting.wait()
        said.seek(0)
        print(said.read(), end="", flush=True)
    return code or other


if __name__ == "__main__":
    sys.exit(main())
