"""Processes of tests: which worker this is, and children that are killed where their test fails.

No test waits for a child that waits for its test.
"""

from __future__ import annotations

import os
import subprocess
from types import TracebackType

PART = "EMBODIED_TESTS_PART"
"""Environment variable: number of the part of the tests that runs here, where several run beside each other."""

PART_WORKERS = 5
"""Largest number of workers of one part whose addresses differ from those of another."""


def worker() -> int:
    """Return the number of this worker among those that run tests beside each other."""
    part = int(os.environ.get(PART, "0"))
    return PART_WORKERS * part + int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))


class Child(subprocess.Popen[str]):
    """Process that a failing `with` block kills; `subprocess` itself would wait until it ends by itself."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
