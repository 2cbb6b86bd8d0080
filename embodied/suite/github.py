"""A suite told to GitHub Actions: one annotation a scenario, and a page for the step's summary.

Docs: GitHub, "Workflow commands for GitHub Actions"; a step may give ten annotations, and a summary of 1 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from embodied.suite.annotations import annotation
from embodied.suite.seed_run import Scenario
from embodied.suite.summary import Summary

SUMMARY = "GITHUB_STEP_SUMMARY"
LARGEST = 1_000_000  # [B]
SHOWN = 20
"""How many seeds that did not pass are named for each scenario."""


def annotate(summary: Summary) -> Iterator[str]:
    """A workflow command for each scenario that did not pass whole, or got worse."""
    for scenario in summary.scenarios:
        bad = [result for result in summary.of(scenario).results if result.status != "passed"]
        if not bad:
            continue
        first = bad[0]
        lines = [
            f"{len(bad)} of {len(summary.of(scenario).results)} seeds did not pass.",
            f"seed {first.seed} {first.status}: {first.reason}",
            *(f"fault: {fault}" for fault in first.struck),
            f"run it again: {scenario.command(first.seed)}",
        ]
        yield annotation("\n".join(lines), file=scenario.file, line=1, title=scenario.name)


def page(summary: Summary) -> str:
    """Markdown: a table of scenarios, and what did not pass, each with the command that runs it again."""
    lines = ["| scenario | passed | rate | 95 % interval | digest |", "|---|---|---|---|---|"]
    for scenario in summary.scenarios:
        tally = summary.of(scenario)
        low, high = tally.interval
        rate = f"{tally.passed} of {len(tally.results)} | {tally.rate:.1%} | {low:.1%} to {high:.1%}"
        lines.append(f"| {_cell(scenario.name)} | {rate} | `{tally.digest[:16]}` |")
    for scenario in summary.scenarios:
        lines += _bad(summary, scenario)
    text = "\n".join(lines) + "\n"
    return text if len(text.encode()) < LARGEST else text[: LARGEST // 4] + "\n\n… cut\n"


def _bad(summary: Summary, scenario: Scenario) -> Iterator[str]:
    comparison = summary.comparisons.get(scenario.name)
    if comparison is not None:
        yield ""
        yield f"**{_cell(scenario.name)}** beside its baseline: {comparison}"
    bad = [result for result in summary.of(scenario).results if result.status != "passed"]
    if bad:
        yield ""
        yield f"**{_cell(scenario.name)}**: {len(bad)} did not pass"
        yield ""
    for result in bad[:SHOWN]:
        yield f"- seed {result.seed} {result.status}: {_cell(result.reason)}  "
        yield f"  `{scenario.command(result.seed)}`"
    if len(bad) > SHOWN:
        yield f"- … and {len(bad) - SHOWN} more, in the report"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def write_page(summary: Summary) -> None:
    """Add the page to the step's summary, where GitHub gives a file for it.

    Raises:
        OSError: it cannot be written.
    """
    file = os.environ.get(SUMMARY)
    if file:
        with Path(file).open("a", encoding="utf-8") as stream:
            stream.write(page(summary))
