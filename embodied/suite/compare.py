"""Comparison of two suites over the same seeds.

In lockstep a seed runs the same bytes each time: what fails newly fails for a reason, and chance has no part in it.
Live runs are compared by McNemar's exact test (Q. McNemar, Psychometrika 12, 1947). Only seeds that changed sides
count: under the null hypothesis each is as likely to have got better as worse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embodied.suite.seed_run import JUDGED, Result

SIGNIFICANCE = 0.05
"""Probability by chance below which a suite has regressed."""

SEEDS_LEAST = 5
"""Number of seeds below which no outcome reaches that significance: there each newly failing seed counts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Comparison of one scenario with its baseline.

    Attributes:
        failing: seeds that passed in the baseline and fail now.
        passing: seeds that failed in the baseline and pass now.
        same: whether all digests are equal: the very same runs.
        compared: number of seeds with a verdict on both sides.
        lockstep: whether the runs are deterministic, so that each newly failing seed is a regression.
        allowed: number of newly failing seeds that are none, for runs in lockstep.
    """

    failing: Sequence[int]
    passing: Sequence[int]
    same: bool
    compared: int
    lockstep: bool = False
    allowed: int = 0

    @property
    def probability(self) -> float:
        """P value of the one-sided exact McNemar test: chance of at least as many failing among the changed seeds."""
        changed = len(self.failing) + len(self.passing)
        return float(sum(math.comb(changed, k) for k in range(len(self.failing), changed + 1)) / 2**changed)

    @property
    def regressed(self) -> bool:
        """Whether results got worse: by more seeds than allowed in lockstep; live beyond chance, or at all of few."""
        if self.lockstep:
            return len(self.failing) > self.allowed
        few = self.compared < SEEDS_LEAST and len(self.failing) > len(self.passing)
        return few or self.probability < SIGNIFICANCE

    def __str__(self) -> str:
        changed = f"newly failing {seed_ranges(self.failing)}; newly passing {seed_ranges(self.passing)}"
        if self.lockstep:
            return f"{changed}; {self._judgement_in_lockstep()}"
        return f"{changed}; {self._judgement()} (p = {self.probability:.3g})"

    def _judgement_in_lockstep(self) -> str:
        if self.regressed:
            return "worse" + (f", with {self.allowed} allowed" if self.allowed else "")
        if self.failing:
            return f"within the {self.allowed} that may fail newly"
        return "the very same runs" if self.same else "no worse"

    def _judgement(self) -> str:
        if self.regressed:
            return "worse" if self.compared < SEEDS_LEAST else "worse beyond chance"
        if self.same:
            return "the very same runs"
        return "worse, but not beyond chance" if len(self.failing) > len(self.passing) else "no worse"

    def as_dict(self) -> dict[str, Any]:
        """Describe the comparison as plain data."""
        return {
            "newly_failing": list(self.failing),
            "newly_passing": list(self.passing),
            "p": None if self.lockstep else round(self.probability, 6),
            "allowed": self.allowed,
            "regressed": self.regressed,
            "same_digests": self.same,
            "compared": self.compared,
        }


def compare(results: Sequence[Result], before: Mapping[int, tuple[str, str]], allowed: int = 0) -> Comparison:
    """Compare a suite's results with the status and digest that each seed had before.

    A seed without a verdict on either side is left out. Runs with digests on both sides are those of lockstep.

    Args:
        results: of one scenario.
        before: by seed.
        allowed: number of newly failing seeds that are no regression in lockstep.
    """
    failing: list[int] = []
    passing: list[int] = []
    same, lockstep, compared = True, True, 0
    for result in results:
        was, digest = before[result.seed]
        if was not in JUDGED or result.status not in JUDGED:
            same = False
            continue
        same, compared = same and digest == result.digest != "", compared + 1
        lockstep = lockstep and bool(digest and result.digest)
        if (was == "passed") != (result.status == "passed"):
            (failing if was == "passed" else passing).append(result.seed)
    return Comparison(failing, passing, same, compared, lockstep and compared > 0, allowed)


def seed_ranges(seeds: Sequence[int]) -> str:
    """Format the seeds of a comparison as ranges, up to six of them: `0:5, 7`."""
    parts: list[str] = []
    start = before = None
    for seed in [*sorted(seeds), None]:
        if start is not None and (seed is None or before is None or seed != before + 1):
            parts.append(str(start) if start == before else f"{start}:{(before or 0) + 1}")
            start = None
        if start is None:
            start = seed
        before = seed
    return ", ".join(parts[:6]) + (", …" if len(parts) > 6 else "") if parts else "none"
