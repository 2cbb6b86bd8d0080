"""Session of a suite in its folder: run the missing seeds, summarise the results, write the reports."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from embodied.plain_data import dumps
from embodied.suite.baseline import Baseline
from embodied.suite.junit import junit
from embodied.suite.record import Record, SuiteSpec
from embodied.suite.report import report
from embodied.suite.seed_run import Job, Result
from embodied.suite.summary import Summary
from embodied.suite.workers import run_suite


class Session:
    """Session of a suite that is run or resumed in a folder.

    Args:
        spec: scenarios and seeds.
        folder: folder of the suite.
        kept: results from before it was resumed.
        processes: number of worker processes.
        baseline: earlier suite to compare with.
    """

    def __init__(
        self, spec: SuiteSpec, folder: Path, kept: Sequence[Result], processes: int, baseline: Baseline | None = None
    ) -> None:
        self.spec = spec
        self.folder = folder
        self.kept = {(result.scenario, result.seed): result for result in kept}
        self._fresh: dict[tuple[str, int], Result] = {}
        self._baseline = baseline
        self._processes = processes
        self._begin = time.monotonic()

    @property
    def total(self) -> int:
        """Number of results when the suite is complete."""
        return len(self.spec.scenarios) * len(self.spec.seeds)

    def run(
        self, record: Record, done: Callable[[Result], None], *, timeout: float | None = None, reruns: int = 0
    ) -> None:
        """Run the missing seeds; each result is recorded before it is passed to `done`. See `run_suite`.

        Raises:
            LaunchError: a launch file is wrong, or the baseline has another renderer.
            OSError: a result cannot be recorded.
        """

        def filmed(result: Result) -> None:
            # The last line of a seed counts: its verdict is safe before its pictures are made.
            record.add(result)
            self._fresh[result.scenario, result.seed] = result

        def keep(result: Result) -> None:
            filmed(result)
            done(result)
            if self._baseline is not None:
                self._baseline.check_renderer(result)

        spec = self.spec
        folder = None if spec.films == "none" else self.folder
        logs = self.folder / "logs"
        jobs = [Job(scenario, spec.repeat, folder, spec.films, logs) for scenario in spec.scenarios]
        skip = frozenset(self.kept)
        run_suite(jobs, spec.seeds, self._processes, keep, timeout=timeout, reruns=reruns, skip=skip, filmed=filmed)

    def summary(self, *, complete: bool = True) -> Summary:
        """Summarise the results so far; a complete suite is compared with its baseline."""
        results = self.kept | self._fresh
        order = [(scenario.name, seed) for scenario in self.spec.scenarios for seed in self.spec.seeds]
        summary = Summary(
            self.spec.scenarios,
            [results[key] for key in order if key in results],
            time.monotonic() - self._begin,
            sum(result.wall for result in self._fresh.values()),
            self._processes,
            {"repeat": self.spec.repeat, "versions": dict(self.spec.versions), "resumed": len(self.kept)},
            complete,
        )
        return summary if self._baseline is None or not complete else self._baseline.compare(summary)

    def write(self, summary: Summary) -> None:
        """Write `summary.json`, `junit.xml` and `report.html` into the folder.

        Raises:
            OSError: they cannot be written.
        """
        (self.folder / "summary.json").write_text(dumps(summary.as_dict()), encoding="utf-8")
        (self.folder / "junit.xml").write_bytes(junit(summary))
        # The name of a file need not be UTF-8, and a page is.
        page = report(summary, self.folder)
        (self.folder / "report.html").write_text(page, encoding="utf-8", errors="backslashreplace")
