"""Summary of a suite: pass rates with Wilson intervals, digests, time spent, exit code."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from embodied.suite.compare import Comparison
from embodied.suite.seed_run import INFRASTRUCTURE, Result, Scenario


@dataclass(frozen=True, slots=True)
class Tally:
    """Statistics in a summary over the results of one scenario, or of all, in the order of their seeds."""

    results: Sequence[Result]

    @property
    def passed(self) -> int:
        """Number of seeds that passed."""
        return sum(result.status == "passed" for result in self.results)

    @property
    def rate(self) -> float:
        """Share of seeds that passed, 0 to 1."""
        return self.passed / len(self.results) if self.results else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """95 % Wilson interval of the rate."""
        return wilson(self.passed, len(self.results))

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all seeds, in their order."""
        lines = [f"{r.scenario} {r.seed} {r.digest or r.status}\n" for r in self.results]
        return hashlib.sha256("".join(lines).encode(errors="surrogatepass")).hexdigest()

    @property
    def simulated(self) -> float:
        """Virtual time of all runs together [s]."""
        return float(sum(result.outcome.get("simulated_s", 0.0) for result in self.results))

    @property
    def dropped(self) -> int:
        """Number of messages lost to faults and full queues."""
        return int(sum(result.outcome.get("dropped", 0) for result in self.results))

    @property
    def fault_counts(self) -> dict[str, int]:
        """Number of seeds in which each injected fault changed anything, by kind and target; 0 if it came too late."""
        counts: dict[str, int] = {}
        for fault in (fault for result in self.results for fault in result.outcome.get("faults", ())):
            name = f"{fault['kind']} {fault['target']}"
            counts[name] = counts.get(name, 0) + bool(fault["steps"])
        return counts

    @property
    def about(self) -> Mapping[str, str]:
        """Name and version of the renderer, the same for all seeds."""
        return next((dict(result.outcome["about"]) for result in self.results if "about" in result.outcome), {})

    def as_dict(self) -> dict[str, Any]:
        """Describe the statistics as plain data."""
        low, high = self.interval
        return {
            "passed": self.passed,
            "total": len(self.results),
            "rate": round(self.rate, 6),
            "wilson_95": [round(low, 4), round(high, 4)],
            "digest": self.digest,
            "simulated_s": round(self.simulated, 3),
            "dropped": self.dropped,
            "struck": self.fault_counts,
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """Summary of a suite: its results with its cost and its comparison.

    Attributes:
        scenarios: scenarios in their order on the command line.
        results: results of all scenarios, in that order and that of the seeds.
        wall: wall time of the suite [s].
        busy: time that its processes spent in episodes [s].
        processes: number of worker processes.
        about: versions, repeats and number of earlier results, as plain data.
        complete: whether every seed was run.
        comparisons: comparison with the baseline, by scenario.
    """

    scenarios: Sequence[Scenario]
    results: Sequence[Result]
    wall: float
    busy: float = 0.0
    processes: int = 1
    about: Mapping[str, Any] = field(default_factory=dict)
    complete: bool = True
    comparisons: Mapping[str, Comparison] = field(default_factory=dict)

    @property
    def all(self) -> Tally:
        """Statistics over all scenarios together."""
        return Tally(self.results)

    def tally(self, scenario: Scenario) -> Tally:
        """Statistics over one scenario's results."""
        return Tally([result for result in self.results if result.scenario == scenario.name])

    @property
    def overhead(self) -> float:
        """Share of the processes' time outside episodes, 0 to 1."""
        available = self.wall * self.processes
        return max(0.0, 1.0 - self.busy / available) if available else 0.0

    def exit_code(self, at_least: float) -> int:
        """Return 0 if enough seeds passed, 1 if not or if a scenario regressed, 3 if a run broke down."""
        statuses = {result.status for result in self.results}
        if statuses & {"error", INFRASTRUCTURE}:
            return 3
        good = all(self.tally(scenario).rate >= at_least for scenario in self.scenarios)
        worse = any(comparison.regressed for comparison in self.comparisons.values())
        return 0 if good and not worse and "nondeterministic" not in statuses else 1

    def with_comparisons(self, comparisons: Mapping[str, Comparison]) -> Summary:
        """Return this summary with comparisons, by scenario."""
        return replace(self, comparisons=comparisons)

    def as_dict(self) -> dict[str, Any]:
        """Describe the summary as plain data, the content of `summary.json`."""
        data = {
            **self.about,
            "complete": self.complete,
            **self.all.as_dict(),
            "wall_s": round(self.wall, 3),
            "jobs": self.processes,
            "overhead": round(self.overhead, 4),
            "scenarios": [_describe(scenario, self.tally(scenario)) for scenario in self.scenarios],
        }
        if self.comparisons:
            data["baseline"] = {name: comparison.as_dict() for name, comparison in self.comparisons.items()}
        return data


def _describe(scenario: Scenario, tally: Tally) -> dict[str, Any]:
    seeds = [result.as_dict() for result in tally.results]
    return {**scenario.as_dict(), **tally.as_dict(), "about": dict(tally.about), "seeds": seeds}


def wilson(passed: int, total: int) -> tuple[float, float]:
    """Return the 95 % Wilson score interval of a pass rate (E. B. Wilson, JASA 22, 1927)."""
    if total == 0:
        return 0.0, 1.0
    z = 1.959963984540054
    share = passed / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # At rates of 0 and 1 an end equals the rate; rounding must not push it past.
    return min(max(0.0, middle - half), share), max(min(1.0, middle + half), share)
