"""Record of a suite on disk, written seed by seed, from which an interrupted suite is resumed.

suite.json       specification: scenarios, seeds, versions
results.jsonl    one line a seed, appended when it is finished
summary.json     everything, written at the end
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

from embodied.errors import LaunchError, Problem
from embodied.launch import load
from embodied.suite.fingerprint import fingerprint
from embodied.suite.seed_run import JUDGED, Films, Result, Scenario
from embodied.suite.shapes import RESULT, SPEC
from embodied.suite.stored import MAX_SIZE, Bent, parse_json, read_json
from embodied.untrusted.files import read_bytes

SPEC_FILE = "suite.json"
"""File with the specification of a suite."""

REPEAT_MOST = 100
"""Maximum number of runs of each seed."""

RESULTS_FILE = "results.jsonl"
"""File with one result a line."""


@dataclass(frozen=True, slots=True)
class SuiteSpec:
    """Specification of a suite in its record: scenarios, seeds, and the code and versions that its results depend on.

    Attributes:
        scenarios, seeds, repeat, films: see `Job`.
        graphs: by scenario, its fingerprint at the beginning of the suite.
        versions: versions of the packages that a result depends on.
    """

    scenarios: Sequence[Scenario]
    seeds: Sequence[int]
    repeat: int
    films: Films
    graphs: Mapping[str, str]
    versions: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Describe the specification as plain data, the inverse of `from_dict`."""
        return {
            "scenarios": [scenario.as_dict() for scenario in self.scenarios],
            "seeds": list(self.seeds),
            "repeat": self.repeat,
            "films": self.films,
            "graphs": dict(self.graphs),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> SuiteSpec:
        """Restore a specification from plain data.

        Raises:
            Bent: no suite can have it.
        """
        scenarios = [Scenario.from_dict(entry) for entry in data["scenarios"]]
        names = [scenario.name for scenario in scenarios]
        if not (scenarios and data["seeds"] and 1 <= data["repeat"] <= REPEAT_MOST):
            raise Bent("it has no scenarios, no seeds, or no number of runs")
        if len({*names}) < len(names) or len({*data["seeds"]}) < len(data["seeds"]) or min(data["seeds"]) < 0:
            raise Bent("it names a scenario or a seed twice, or a seed below 0")
        return cls(scenarios, data["seeds"], data["repeat"], data["films"], data["graphs"], data["versions"])


def check_scenarios(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Check every scenario once for the record, before workers start: a wrong file is one error, not one a process.

    Returns:
        by scenario, the fingerprint of its graph, code and files.

    Raises:
        LaunchError: a launch file is wrong.
    """
    fingerprints = {}
    for scenario in scenarios:
        graph = load(scenario.file, scenario.overrides).graph(scenario.profile)
        graph.check()
        if graph.world is None and scenario.limit is None:
            text = f"nothing would ever end a run of {scenario.file}: it has no world that judges"
            raise LaunchError([Problem("E701", text, help=("say how long to run: --for 10s",))])
        fingerprints[scenario.name] = fingerprint(graph)
    return fingerprints


class Record:
    """Record of a suite, appended to and flushed line by line, so that whatever ends the process loses no result.

    Args:
        folder: folder of the suite.
        spec: specification to write; None when the suite is resumed.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, spec: SuiteSpec | None = None) -> None:
        if spec is not None:
            (folder / SPEC_FILE).write_text(json.dumps(spec.as_dict(), indent=2) + "\n", encoding="utf-8")
        file = folder / RESULTS_FILE
        # A process that died while writing leaves a line without an end, which must not swallow the next one.
        torn = file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size > 0
        self._file: TextIO = file.open("a", encoding="utf-8")
        if torn:
            self._file.write("\n")

    def add(self, result: Result) -> None:
        """Append a result and flush it to the file."""
        self._file.write(json.dumps(result.as_dict(), allow_nan=True) + "\n")
        self._file.flush()

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def resume(folder: Path, versions: Mapping[str, str]) -> tuple[SuiteSpec, list[Result]]:
    """Read the record of a suite: its specification and results; seeds without a verdict are left out, to be run again.

    Args:
        folder: folder of the suite.
        versions: present versions of the packages that a result depends on.

    Raises:
        LaunchError: there is no suite, or its graph, code, files or versions have changed.
    """
    try:
        spec = SuiteSpec.from_dict(read_json(folder / SPEC_FILE, SPEC))
    except OSError as error:
        raise _wrong(f"{folder} is no suite to resume: {SPEC_FILE}: {error.strerror}", "give runs/<id>") from None
    except ValueError as error:
        raise _wrong(f"{folder / SPEC_FILE} cannot be read: {error}", "start a new suite") from None
    changed = [n for n, graph in check_scenarios(spec.scenarios).items() if spec.graphs.get(n) != graph]
    if changed:
        text = (
            f"'{changed[0]}', its code or a file it names changed since the suite began; results would mix two versions"
        )
        raise _wrong(text, "undo the change, or start a new suite")
    other = [name for name in {**spec.versions, **versions} if spec.versions.get(name) != versions.get(name)]
    if other:
        text = f"{other[0]} was {spec.versions.get(other[0])}, and is {versions.get(other[0])}"
        raise _wrong(f"the suite began with other versions: {text}", "start a new suite")
    wanted = {(scenario.name, seed) for scenario in spec.scenarios for seed in spec.seeds}
    results = [result for result in _results(folder) if (result.scenario, result.seed) in wanted]
    return spec, [result for result in results if result.status in JUDGED]


def _results(folder: Path) -> list[Result]:
    try:
        lines = read_bytes(folder / RESULTS_FILE, MAX_SIZE).decode("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise _wrong(f"{folder / RESULTS_FILE} cannot be read: {error.strerror}", "start a new suite") from None
    results: dict[tuple[str, int], Result] = {}
    for line in lines:
        try:
            result = Result.from_dict(parse_json(line, RESULT))
        except ValueError:
            # A line that was being written when the process died, or was changed since: the seed is run again.
            continue
        results[result.scenario, result.seed] = result
    return list(results.values())


def _wrong(message: str, *help_: str) -> LaunchError:
    return LaunchError([Problem("E003", message, help=help_)])
