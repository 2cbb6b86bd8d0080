"""Progress of a suite: a bar with the pass rate on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterable

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from embodied.cli.common.output import err
from embodied.suite import Result, wilson

LINE_PERIOD = 10.0
"""Time between two lines where there is no terminal [s]."""


class Bar:
    """Progress bar of a suite that counts results.

    Args:
        total: number of results when the suite is complete.
        kept: results from before the suite was resumed.
        named: whether the scenario is printed with a seed, as in suites of several.
    """

    def __init__(self, total: int, kept: Iterable[Result] = (), *, named: bool = False) -> None:
        self._total = total
        self._named = named
        before = list(kept)
        self._done, self._before = len(before), len(before)
        self._passed = sum(result.status == "passed" for result in before)
        self._begin = self._shown = time.monotonic()
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )
        self._task = self._progress.add_task("seeds", total=total, completed=self._done, rate="")

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def done(self, result: Result) -> None:
        """Count a result, and print one that did not pass."""
        self._done += 1
        self._passed += result.status == "passed"
        low, high = wilson(self._passed, self._done)
        rate = f"{self._passed}/{self._done} passed, {low:.0%} to {high:.0%}"
        self._progress.update(self._task, advance=1, rate=rate)
        label = f"{result.scenario} seed {result.seed}" if self._named else f"seed {result.seed}"
        if result.status != "passed":
            self._progress.console.print(f"{label} {result.status}: {result.reason}", markup=False)
        elif result.reruns:
            self._progress.console.print(f"{label} passed, tried again after: {result.reruns[-1]}", markup=False)
        now = time.monotonic()
        if not err.is_terminal and (now - self._shown > LINE_PERIOD or self._done == self._total):
            self._shown = now
            left = (now - self._begin) / (self._done - self._before) * (self._total - self._done)
            err.print(f"{self._done}/{self._total}: {rate}, {left:.0f} s left", markup=False)
