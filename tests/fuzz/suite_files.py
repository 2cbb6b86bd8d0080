"""Fuzzers of the files of a suite: the baseline of `test --baseline`, and the record that `--resume` goes on with."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from embodied.clock import SECOND, Time
from embodied.errors import LaunchError
from embodied.suite import Result, Scenario, Summary
from embodied.suite.baseline import Baseline
from embodied.suite.junit import junit
from embodied.suite.record import RESULTS_FILE, SPEC_FILE, SuiteSpec, resume
from embodied.suite.report import report
from embodied.suite.shapes import RESULT
from embodied.suite.stored import parse_json
from tests.fuzz.harness import Kind

CELL = 'embodied: 1\nclock: lockstep\nnodes: {clock: {use: "tests.embodied.nodes:Clock"}}\n'

OUTCOME: dict[str, Any] = {
    "passed": True,
    "reason": "a second has passed",
    "digest": "3f1a",
    "simulated_s": 1.0,
    "guards": {"guard": {"clips": 1, "refusals": 0, "clip": "too fast"}},
    "faults": [{"fault": "silence", "kind": "silence", "target": "a", "at_s": 0.1, "for_s": None, "steps": 2}],
    "about": {"renderer": "opencv 5"},
    "dropped": 0,
}

TIMELINE = {"end": 1.0, "nodes": {"clock": [[0.0, 1.0]]}, "guards": {"guard": [[0.0, 1.0, "following", ""]]}}


def results() -> list[Result]:
    return [
        Result("cell", 0, "passed", OUTCOME, wall=0.1),
        Result(
            "cell", 1, "failed", {**OUTCOME, "passed": False}, timeline=TIMELINE, files={"video": "cell/seed-1.mp4"}
        ),
    ]


def scenario(folder: Path) -> Scenario:
    return Scenario("cell", folder / "cell.yaml", None, limit=None)


def read_baseline(data: bytes, folder: Path) -> str:
    """Compare a suite with a baseline."""
    file = folder / "summary.json"
    file.write_bytes(data)
    summary = Summary([scenario(folder)], results(), 1.0)
    try:
        baseline = Baseline(file)
        baseline.check(["cell"], [0, 1])
        baseline.check_renderer(summary.results[0])
        summary = baseline.compare(summary)
    except LaunchError as error:
        return str(error)
    json.dumps(summary.as_dict())
    summary.exit_code(0.0)
    return ""


def read_record(data: bytes, folder: Path) -> str:
    """Go on with a suite, whose specification and results an empty line separates, and report the results."""
    (folder / "cell.yaml").write_text(CELL)
    spec, _, lines = data.partition(b"\n\n")
    (folder / SPEC_FILE).write_bytes(spec.replace(b'"cell.yaml"', json.dumps(str(folder / "cell.yaml")).encode()))
    (folder / RESULTS_FILE).write_bytes(lines)
    found = []
    for line in lines.decode("utf-8", "replace").splitlines():
        with suppress(ValueError):
            found.append(Result.from_dict(parse_json(line, RESULT)))
    summary = Summary([scenario(folder)], found, 1.0)
    json.dumps(summary.as_dict())
    report(summary, folder)
    junit(summary)
    try:
        resume(folder, {})
    except LaunchError as error:
        # Nobody knows the fingerprint of the code that is tested.
        return "" if "changed since" in str(error) else str(error)
    return ""


def baselines() -> list[bytes]:
    summary = Summary([scenario(Path())], results(), 1.0)
    return [json.dumps(summary.as_dict()).encode()]


def records() -> list[bytes]:
    suite = SuiteSpec([replace(scenario(Path()), limit=Time(SECOND))], [0, 1], 1, "failures", {"cell": "3f"}, {})
    lines = "".join(json.dumps(result.as_dict()) + "\n" for result in results())
    return [f"{json.dumps(suite.as_dict())}\n\n{lines}".encode()]


WORDS = (
    *(
        b"null",
        b"[]",
        b"{}",
        b"[" * 2000,
        b"1e999",
        b"NaN",
        b"-1",
        b"true",
        b'"',
        b",",
        b":",
        b'"seed": 0',
        b'"passed"',
    ),
    *(
        b'"status"',
        b'"digest"',
        b'"scenarios"',
        b'"complete"',
        b'"seeds"',
        b'"name"',
        b'"faults"',
        b'"timeline"',
        b"\n\n",
    ),
    *(b"\\ud800", b"\\u0000", b'"for_ns": 5', b'"set": ["a=b"]', b'"site": "x"', b'"repeat": 2', b"\xff"),
)

MODULES = ("embodied.suite",)

BASELINE = Kind("baseline", baselines, WORDS, read_baseline, MODULES)

RECORD = Kind("record", records, WORDS, read_record, MODULES)
