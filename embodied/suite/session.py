"""A suite under way, in its folder: run what is missing, count what there is, and write it down."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path

from embodied.plain_data import dumps
from embodied.suite.compare import Baseline
from embodied.suite.junit import junit
from embodied.suite.record import Asked, Record
from embodied.suite.report import report
from embodied.suite.seed_run import Job, Result
from embodied.suite.summary import Summary
from embodied.suite.workers import run_suite


class Session:
    """A suite under way.

    Args:
        asked: what it runs.
        folder: where it is kept.
        kept: results that there are already.
        processes: how many work at once.
        baseline: what it is compared with.
    """

    def __init__(
        self, asked: Asked, folder: Path, kept: Sequence[Result], processes: int, baseline: Baseline | None = None
    ) -> None:
        self.asked = asked
        self.folder = folder
        self.kept = {(result.scenario, result.seed): result for result in kept}
        self._fresh: list[Result] = []
        self._baseline = baseline
        self._processes = processes
        self._begin = time.monotonic()

    @property
    def total(self) -> int:
        """How many results there will be."""
        return len(self.asked.scenarios) * len(self.asked.seeds)

    def run(
        self, record: Record, done: Callable[[Result], None], *, timeout: float | None = None, reruns: int = 0
    ) -> None:
        """Run what is missing; each result is recorded before `done` is told. See `run_suite`.

        Raises:
            LaunchError: a launch file is wrong, or the baseline's pictures were drawn by another renderer.
            OSError: a result cannot be recorded.
        """

        def keep(result: Result) -> None:
            record.add(result)
            self._fresh.append(result)
            done(result)
            if self._baseline is not None:
                self._baseline.check_drawn(result)

        asked = self.asked
        folder = None if asked.films == "none" else self.folder
        jobs = [Job(scenario, asked.repeat, folder, asked.films) for scenario in asked.scenarios]
        skip = frozenset(self.kept)
        run_suite(jobs, asked.seeds, self._processes, keep, timeout=timeout, reruns=reruns, skip=skip)

    def summary(self, *, complete: bool = True) -> Summary:
        """Count what there is, and compare it if it is whole."""
        found = self.kept | {(result.scenario, result.seed): result for result in self._fresh}
        order = [(scenario.name, seed) for scenario in self.asked.scenarios for seed in self.asked.seeds]
        summary = Summary(
            self.asked.scenarios,
            [found[key] for key in order if key in found],
            time.monotonic() - self._begin,
            sum(result.wall for result in self._fresh),
            self._processes,
            {"repeat": self.asked.repeat, "versions": dict(self.asked.versions), "resumed": len(self.kept)},
            complete,
        )
        return summary if self._baseline is None or not complete else self._baseline.beside(summary)

    def write(self, summary: Summary) -> None:
        """Write summary, JUnit XML and page into the folder.

        Raises:
            OSError: they cannot be written.
        """
        (self.folder / "summary.json").write_text(dumps(summary.as_dict()), encoding="utf-8")
        (self.folder / "junit.xml").write_bytes(junit(summary))
        (self.folder / "report.html").write_text(report(summary, self.folder), encoding="utf-8")
