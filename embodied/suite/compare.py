"""A suite beside an earlier one, seed by seed.

Both ran the same seeds, so what counts is the seeds that changed sides. By McNemar's exact test (Q. McNemar,
Psychometrika 12, 1947): if nothing had become worse, each of them would be as likely to have got better.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embodied.errors import LaunchError, Problem, nearest
from embodied.suite.seed_run import Result

if TYPE_CHECKING:
    from embodied.suite.summary import Summary

ALPHA = 0.05
"""Worse is what would come about by chance less often than this."""

FEW = 5
"""Of fewer seeds no outcome is that seldom, so there each that newly fails counts."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One scenario beside its baseline.

    Attributes:
        failing: seeds that passed and do not any more.
        passing: seeds that did not pass, and do.
        same: whether equal seeds had equal digests throughout: the very same runs.
        compared: how many seeds were judged on both sides.
    """

    failing: Sequence[int]
    passing: Sequence[int]
    same: bool
    compared: int

    @property
    def probability(self) -> float:
        """That at least so many of the changed seeds fail by chance: the one-sided exact McNemar test."""
        changed = len(self.failing) + len(self.passing)
        return float(sum(math.comb(changed, k) for k in range(len(self.failing), changed + 1)) / 2**changed)

    @property
    def regressed(self) -> bool:
        """Whether it got worse: beyond chance, or at all where chance cannot be told from it."""
        few = self.compared < FEW and len(self.failing) > len(self.passing)
        return few or self.probability < ALPHA

    def __str__(self) -> str:
        changed = f"newly failing {named(self.failing)}; newly passing {named(self.passing)}"
        return f"{changed}; {self._word()} (p = {self.probability:.3g})"

    def _word(self) -> str:
        if self.regressed:
            return "worse" if self.compared < FEW else "worse beyond chance"
        if self.same:
            return "the very same runs"
        return "worse, but not beyond chance" if len(self.failing) > len(self.passing) else "no worse"

    def as_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "newly_failing": list(self.failing),
            "newly_passing": list(self.passing),
            "p": round(self.probability, 6),
            "regressed": self.regressed,
            "same_digests": self.same,
            "compared": self.compared,
        }


class Baseline:
    """The `summary.json` of an earlier suite.

    Raises:
        LaunchError: it is not one.
    """

    def __init__(self, file: Path) -> None:
        # The folder of a suite will do, as for --resume.
        self._file = file = file / "summary.json" if file.is_dir() else file
        try:
            data = json.loads(file.read_text(encoding="utf-8"))
            self._complete = bool(data["complete"])
            self._scenarios = {entry["name"]: entry for entry in data["scenarios"]}
            self._statuses = {
                name: {seed["seed"]: (seed["status"], seed.get("digest", "")) for seed in entry["seeds"]}
                for name, entry in self._scenarios.items()
            }
        except OSError as error:
            raise self._wrong(f"cannot be read: {error.strerror}") from None
        except (ValueError, KeyError, TypeError):
            help_ = "give the summary.json of an earlier 'embodied test'"
            raise self._wrong("is not the summary of a suite", help_) from None

    def _wrong(self, what: str, *help_: str) -> LaunchError:
        return LaunchError([Problem("E002", f"the baseline {self._file} {what}", help=help_)])

    def check(self, scenarios: Sequence[str], seeds: Sequence[int]) -> None:
        """Say before anything runs whether it can be compared.

        Raises:
            LaunchError: it has other scenarios or other seeds, or was not finished.
        """
        for name in scenarios:
            if name not in self._statuses:
                raise self._wrong(f"has no scenario '{name}'", *nearest(name, self._statuses))
            known = self._statuses[name]
            missing = [seed for seed in seeds if seed not in known]
            if missing:
                has = f"it has {named(list(known))}" + ("" if self._complete else ", and was not finished")
                help_ = f"{has}; run those seeds, or make a baseline of these"
                raise self._wrong(f"has no seeds {named(missing)} of '{name}'", help_)

    def check_drawn(self, result: Result) -> None:
        """Say as soon as there is a result whether it can be compared.

        Raises:
            LaunchError: its pictures were drawn by another renderer, or another version of it.
        """
        mine, theirs = result.outcome.get("about"), self._scenarios[result.scenario].get("about")
        if mine and theirs and mine != theirs:
            told = [
                ", ".join(f"{name} {version}" for name, version in sorted(drawn.items())) for drawn in (mine, theirs)
            ]
            help_ = "a renderer is pinned by --set camera.renderer=…; or make a new baseline"
            raise self._wrong(f"was drawn with {told[1]}, and this suite with {told[0]}", help_)

    def beside(self, summary: Summary) -> Summary:
        """A suite, compared with it scenario by scenario."""
        names = [scenario.name for scenario in summary.scenarios]
        return summary.beside(
            {n: compare([r for r in summary.results if r.scenario == n], self._statuses[n]) for n in names}
        )


def compare(results: Sequence[Result], before: Mapping[int, tuple[str, str]]) -> Comparison:
    """Results beside the status and digest that each seed had before.

    A seed that broke down on either side says nothing about either.
    """
    failing: list[int] = []
    passing: list[int] = []
    same, compared = True, 0
    for result in results:
        was, digest = before[result.seed]
        judged = {"passed", "failed", "nondeterministic"}
        if was not in judged or result.status not in judged:
            same = False
            continue
        same, compared = same and digest == result.digest, compared + 1
        if (was == "passed") != (result.status == "passed"):
            (failing if was == "passed" else passing).append(result.seed)
    return Comparison(failing, passing, same, compared)


def named(seeds: Sequence[int]) -> str:
    """Seeds as a person writes them: `0:5, 7`."""
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
