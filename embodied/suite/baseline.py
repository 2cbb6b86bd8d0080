"""Baseline of a suite: read an earlier summary, check that it can be compared, and compare scenario by scenario."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embodied.errors import LaunchError, Problem, nearest
from embodied.suite.compare import compare, seed_ranges
from embodied.suite.seed_run import Result
from embodied.suite.shapes import SUMMARY
from embodied.suite.stored import read_json
from embodied.suite.summary import Summary


class Baseline:
    """Baseline of a suite: results of an earlier one, read from its `summary.json`.

    Args:
        file: summary, or the folder of the suite.
        allowed: number of newly failing seeds of a scenario that are no regression in lockstep.

    Raises:
        LaunchError: the file is no summary.
    """

    def __init__(self, file: Path, allowed: int = 0) -> None:
        self._allowed = allowed
        self._file = file = file / "summary.json" if file.is_dir() else file
        try:
            data = read_json(file, SUMMARY)
            self._complete = bool(data["complete"])
            self._scenarios = {entry["name"]: entry for entry in data["scenarios"]}
            self._statuses = {
                name: {seed["seed"]: (seed["status"], seed.get("digest", "")) for seed in entry["seeds"]}
                for name, entry in self._scenarios.items()
            }
        except OSError as error:
            raise self._error(f"cannot be read: {error.strerror}") from None
        except ValueError as error:
            help_ = "give the summary.json of an earlier 'embodied test'"
            raise self._error(f"is not the summary of a suite: {error}", help_) from None

    def _error(self, reason: str, *help_: str) -> LaunchError:
        return LaunchError([Problem("E002", f"the baseline {self._file} {reason}", help=help_)])

    def check(self, scenarios: Sequence[str], seeds: Sequence[int]) -> None:
        """Check before anything runs that the baseline has these scenarios and seeds.

        Raises:
            LaunchError: a scenario or seed is missing.
        """
        for name in scenarios:
            if name not in self._statuses:
                raise self._error(f"has no scenario '{name}'", *nearest(name, self._statuses))
            known = self._statuses[name]
            missing = [seed for seed in seeds if seed not in known]
            if missing:
                has = f"it has {seed_ranges(list(known))}" + ("" if self._complete else ", and was not finished")
                help_ = f"{has}; run those seeds, or make a baseline of these"
                raise self._error(f"has no seeds {seed_ranges(missing)} of '{name}'", help_)

    def check_renderer(self, result: Result) -> None:
        """Check a result's renderer, whose pictures decide what policies see.

        Raises:
            LaunchError: it differs from the baseline's in name or version.
        """
        mine, theirs = result.outcome.get("about"), self._scenarios[result.scenario].get("about")
        if mine and theirs and mine != theirs:
            now, before = (
                ", ".join(f"{name} {version}" for name, version in sorted(drawn.items())) for drawn in (mine, theirs)
            )
            help_ = "a renderer is pinned by --set camera.renderer=…; or make a new baseline"
            raise self._error(f"was drawn with {before}, and this suite with {now}", help_)

    def compare(self, summary: Summary) -> Summary:
        """Return the summary with a comparison for each scenario."""
        names = [scenario.name for scenario in summary.scenarios]
        return summary.with_comparisons(
            {
                name: compare([r for r in summary.results if r.scenario == name], self._statuses[name], self._allowed)
                for name in names
            }
        )
