"""The folder of a suite: what was asked, each result as soon as there is one, and how to go on after a death.

suite.json       what was asked
results.jsonl    a line a seed, written when it is finished
summary.json     all of it, written at the end
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
from embodied.suite.seed_run import Films, Result, Scenario

ASKED, RESULTS = "suite.json", "results.jsonl"


@dataclass(frozen=True, slots=True)
class Asked:
    """What a suite is to run.

    Attributes:
        scenarios, seeds, repeat, films: see `Job`.
        graphs: by scenario, the fingerprint it had when the suite began.
        versions: of everything that a result depends on.
    """

    scenarios: Sequence[Scenario]
    seeds: Sequence[int]
    repeat: int
    films: Films
    graphs: Mapping[str, str]
    versions: Mapping[str, str]

    def as_dict(self) -> dict[str, Any]:
        """Plain data, from which `from_dict` makes an equal one."""
        return {
            "scenarios": [scenario.as_dict() for scenario in self.scenarios],
            "seeds": list(self.seeds),
            "repeat": self.repeat,
            "films": self.films,
            "graphs": dict(self.graphs),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Asked:
        """What `as_dict` described."""
        scenarios = [Scenario.from_dict(entry) for entry in data["scenarios"]]
        return cls(scenarios, data["seeds"], data["repeat"], data["films"], data["graphs"], data["versions"])


def prove(scenarios: Sequence[Scenario]) -> dict[str, str]:
    """Check every scenario once, so that a wrong file is one error and not one a process.

    Returns:
        by scenario, the fingerprint of its graph, code and files: those with the same one run the same.

    Raises:
        LaunchError: a launch file is wrong.
    """
    found = {}
    for scenario in scenarios:
        graph = load(scenario.file, scenario.overrides).graph(scenario.profile)
        graph.check()
        if graph.world is None and scenario.limit is None:
            text = f"nothing would ever end a run of {scenario.file}: it has no world that judges"
            raise LaunchError([Problem("E701", text, help=("say how long to run: --for 10s",))])
        found[scenario.name] = fingerprint(graph)
    return found


class Record:
    """Writes each result as it comes; whatever ends the process, what has been written is there.

    Args:
        folder: of the suite.
        asked: what it runs; None when it goes on with what was asked before.

    Raises:
        OSError: it cannot be written.
    """

    def __init__(self, folder: Path, asked: Asked | None = None) -> None:
        if asked is not None:
            (folder / ASKED).write_text(json.dumps(asked.as_dict(), indent=2) + "\n", encoding="utf-8")
        file = folder / RESULTS
        # A death in the middle of a line leaves one without an end, which must not swallow the next.
        torn = file.exists() and not file.read_bytes().endswith(b"\n") and file.stat().st_size > 0
        self._file: TextIO = file.open("a", encoding="utf-8")
        if torn:
            self._file.write("\n")

    def add(self, result: Result) -> None:
        """Keep a result."""
        self._file.write(json.dumps(result.as_dict(), allow_nan=True) + "\n")
        self._file.flush()

    def __enter__(self) -> Record:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def resume(folder: Path, versions: Mapping[str, str]) -> tuple[Asked, list[Result]]:
    """What a suite was asked, and the results it has already; what broke down is to be run again.

    Args:
        folder: of the suite.
        versions: of everything that a result depends on, now.

    Raises:
        LaunchError: there is no suite, or its rest would not be the same suite any more.
    """
    try:
        asked = Asked.from_dict(json.loads((folder / ASKED).read_text(encoding="utf-8")))
    except OSError as error:
        raise _wrong(f"{folder} is no suite to go on with: {ASKED}: {error.strerror}", "give runs/<id>") from None
    except (ValueError, KeyError, TypeError):
        raise _wrong(f"{folder / ASKED} cannot be read", "start the suite anew") from None
    changed = [n for n, graph in prove(asked.scenarios).items() if asked.graphs[n] != graph]
    if changed:
        text = (
            f"'{changed[0]}', its code or a file it names is not what it was when the suite began; half of each is none"
        )
        raise _wrong(text, "undo the change, or start the suite anew")
    other = [name for name in {**asked.versions, **versions} if asked.versions.get(name) != versions.get(name)]
    if other:
        text = f"{other[0]} was {asked.versions.get(other[0])}, and is {versions.get(other[0])}"
        raise _wrong(f"the suite began with other versions: {text}", "start the suite anew")
    return asked, [result for result in _results(folder) if result.status in ("passed", "failed", "nondeterministic")]


def _results(folder: Path) -> list[Result]:
    try:
        lines = (folder / RESULTS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []
    found: dict[tuple[str, int], Result] = {}
    for line in lines:
        try:
            result = Result.from_dict(json.loads(line))
        except (ValueError, KeyError, TypeError):
            # The line that was being written when the process died.
            continue
        found[result.scenario, result.seed] = result
    return list(found.values())


def _wrong(what: str, *help_: str) -> LaunchError:
    return LaunchError([Problem("E003", what, help=help_)])
