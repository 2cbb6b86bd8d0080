"""Many seeds of one launch file: in several processes, counted, and compared when repeated."""

from __future__ import annotations

import hashlib
import math
import multiprocessing
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from embodied import filmstrip
from embodied.clock import Time
from embodied.digest import first_difference
from embodied.errors import FOREIGN, EmbodiedError, LaunchError, told
from embodied.launch import Overrides, load
from embodied.scenario import Outcome, play


@dataclass(frozen=True, slots=True)
class Job:
    """What to run for each seed.

    Attributes:
        file, profile, overrides: as for one run.
        limit: virtual time to stop at [ns].
        repeat: how often each seed is run; every run must give the same digest.
        folder: where filmstrips of failures go.
    """

    file: Path
    profile: str | None
    overrides: Overrides
    limit: Time | None = None
    repeat: int = 1
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one seed of a suite.

    Attributes:
        status: `passed`, `failed`, `nondeterministic` or `error`.
        outcome: of its first run; None after an error.
        note: what differed, or what broke.
        filmstrip: the picture of a failure.
    """

    seed: int
    status: str
    outcome: Outcome | None = None
    note: str = ""
    filmstrip: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        made: dict[str, Any] = {"seed": self.seed, "status": self.status}
        if self.outcome is not None:
            made |= self.outcome.as_dict()
        if self.note:
            made["note"] = self.note
        if self.filmstrip:
            made["filmstrip"] = self.filmstrip
        return made


@dataclass(frozen=True, slots=True)
class Summary:
    """What came of a suite."""

    results: Sequence[Result]
    wall: float
    about: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> int:
        """How many seeds passed."""
        return sum(result.status == "passed" for result in self.results)

    @property
    def rate(self) -> float:
        """Share that passed, 0 to 1."""
        return self.passed / len(self.results) if self.results else 0.0

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all seeds, in their order."""
        lines = [f"{r.seed} {r.outcome.digest if r.outcome else r.status}\n" for r in self.results]
        return hashlib.sha256("".join(lines).encode()).hexdigest()

    @property
    def pictures(self) -> Mapping[str, str]:
        """Names and versions of what drew the pictures; all seeds have the same."""
        return next((result.outcome.about for result in self.results if result.outcome), {})

    def exit_code(self, at_least: float) -> int:
        """0 if enough passed, 1 if not, 3 if a run broke down."""
        statuses = {result.status for result in self.results}
        if "error" in statuses:
            return 3
        return 0 if self.rate >= at_least and "nondeterministic" not in statuses else 1

    def as_dict(self) -> dict[str, Any]:
        """Plain data, as `summary.json` has it."""
        low, high = wilson(self.passed, len(self.results))
        simulated = sum(r.outcome.simulated for r in self.results if r.outcome)
        return {
            **self.about,
            "passed": self.passed,
            "total": len(self.results),
            "rate": round(self.rate, 6),
            "wilson_95": [round(low, 4), round(high, 4)],
            "digest": self.digest,
            "versions": {**self.about.get("versions", {}), **self.pictures},
            "simulated_s": round(simulated, 3),
            "wall_s": round(self.wall, 3),
            "seeds": [result.as_dict() for result in self.results],
        }


def wilson(passed: int, total: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a rate (E. B. Wilson, JASA 22, 1927)."""
    if total == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share = passed / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # Rounding may push an end past the rate itself, where the two meet at 0 and at 1.
    return min(max(0.0, middle - half), share), max(min(1.0, middle + half), share)


def run_suite(job: Job, seeds: Sequence[int], jobs: int, done: Callable[[Result], None]) -> list[Result]:
    """Run all seeds.

    Args:
        job: what to run.
        seeds: in any order; each is run on its own, so order and number of processes change nothing.
        jobs: how many processes; never this one, so that a simulator which crashes takes only its own seed along.
        done: called with each result as it comes.

    Returns:
        results in the order of the seeds.

    Raises:
        LaunchError: the launch file is wrong.
    """
    found: dict[int, Result] = {}
    for result in _in_pool(job, seeds, jobs):
        found[result.seed] = result
        done(result)
    return [found[seed] for seed in seeds]


def _in_pool(job: Job, seeds: Sequence[int], jobs: int) -> Iterator[Result]:
    # Spawned, not forked: a worker starts from nothing, as a process of its own would.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(seeds)), mp_context=context, initializer=_ignore_interrupt)
    futures: dict[Future[Result], int] = {}
    try:
        futures = {pool.submit(run_seed, job, seed): seed for seed in seeds}
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                yield Result(futures[future], "error", note="its process, or another of the pool, was killed")
    except BaseException:
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _ignore_interrupt() -> None:
    # Ctrl-C reaches the whole group; only the parent answers it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def run_seed(job: Job, seed: int) -> Result:
    """One seed, as often as it is to be repeated; a failure is played again for its filmstrip.

    Raises:
        LaunchError: the launch file is wrong.
    """
    launch = load(job.file, job.overrides)
    try:
        outcomes = [
            play(launch.graph(job.profile), seed, limit=job.limit, trace=job.repeat > 1) for _ in range(job.repeat)
        ]
    except LaunchError:
        raise
    except FOREIGN as error:
        # One broken seed must not cost the others; it is counted as what it is.
        note = str(error) if isinstance(error, EmbodiedError) else told(error)
        return Result(seed, "error", note=note)
    first = outcomes[0]
    slim = replace(first, marks=None, nodes={}, topics={})
    for other in outcomes[1:]:
        if other.about != first.about:
            return Result(seed, "error", slim, f"nothing to compare: {dict(first.about)} and {dict(other.about)}")
        if other.digest != first.digest:
            where = first_difference(first.marks or [], other.marks or [])
            return Result(seed, "nondeterministic", slim, f"two runs differ first in {where}")
    if first.passed:
        return Result(seed, "passed", slim)
    picture = _film(job, seed, first)
    return Result(seed, "failed", slim, filmstrip=picture)


def _film(job: Job, seed: int, outcome: Outcome) -> str:
    """The same run again, with pictures; taking them changes nothing of it."""
    if job.folder is None:
        return ""
    graph = load(job.file, job.overrides).graph(job.profile)
    moments = np.linspace(0.0, outcome.simulated, filmstrip.FRAMES).tolist()
    again = play(graph, seed, limit=job.limit, moments=moments)
    if not again.pictures:
        return ""
    file = job.folder / f"seed-{seed}.png"
    filmstrip.save(filmstrip.strip(again.pictures, f"seed {seed}: {outcome.reason}"), file)
    return str(file)
