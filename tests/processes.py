"""Child processes of tests: killed where their test fails, so that no test waits for one that waits for its test."""

from __future__ import annotations

import subprocess
from types import TracebackType


class Child(subprocess.Popen[str]):
    """Process that a failing `with` block kills; `subprocess` itself would wait until it ends by itself."""

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is not None:
            self.kill()
        super().__exit__(kind, value, traceback)
