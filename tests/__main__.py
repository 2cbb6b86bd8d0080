"""Run every test: `python -m tests`; those of drivers, which wait in real time, beside those that compute.

Drivers meet their virtual devices on the clock: a test of one takes a fifth of a core, and is held up by neighbours
that take whole ones. So they have workers of their own, and both cores of a small machine are busy nearly always. What
fails there is run again with nothing beside it, and that counts: a promise in real time is that of a machine which has
the time for it.
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

TESTS_FAILED = 1
"""Exit code of pytest for tests that failed, where anything else went well."""


def main() -> int:
    """Run both parts, and return the exit code of the first that failed."""
    pytest = [sys.executable, "-m", "pytest"]
    beside = ["--dist", "worksteal", "-n"]
    kept = ["-o", "cache_dir=.pytest_cache/real_time"]
    with tempfile.TemporaryFile("w+", encoding="utf-8") as said:
        waiting = subprocess.Popen(
            [*pytest, *beside, str(WAITING), *kept, REAL_TIME],
            env={**os.environ, PART: "1"},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
        try:
            code = subprocess.call([*pytest, *beside, str(COMPUTING), f"--ignore={REAL_TIME}"])
        finally:
            # After Ctrl-C, too, which both have received.
            other = waiting.wait()
        said.seek(0)
        print(said.read(), end="", flush=True)
    if other == TESTS_FAILED:
        other = subprocess.call([*pytest, *kept, "--last-failed", "--last-failed-no-failures", "none", REAL_TIME])
    return code or other


if __name__ == "__main__":
    sys.exit(main())
