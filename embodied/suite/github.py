"""Report of a suite to GitHub Actions: one annotation a scenario, and a Markdown page for the step's summary.

Docs: GitHub, "Workflow commands for GitHub Actions"; a step may give ten annotations, and a summary of 1 MiB.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from embodied.suite.annotations import annotation, repository_path
from embodied.suite.seed_run import Scenario
from embodied.suite.summary import Summary

SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"
"""Environment variable with the path of the step's summary."""

PAGE_MOST = 1_000_000
"""Size at which a page is cut, below GitHub's limit [B]."""

SEEDS_SHOWN = 20
"""Number of seeds that did not pass that are listed for each scenario."""


def annotate(summary: Summary) -> Iterator[str]:
    """Yield GitHub's annotation for each scenario of a suite of which a seed did not pass."""
    for scenario in summary.scenarios:
        bad = [result for result in summary.tally(scenario).results if result.status != "passed"]
        if not bad:
            continue
        first = bad[0]
        lines = [
            f"{len(bad)} of {len(summary.tally(scenario).results)} seeds did not pass.",
            f"seed {first.seed} {first.status}: {first.reason}",
            *(f"fault: {fault}" for fault in first.effective_faults),
            f"run it again: {scenario.command(first.seed)}",
        ]
        yield annotation("\n".join(lines), file=repository_path(str(scenario.file)), line=1, title=scenario.name)


def page(summary: Summary) -> str:
    """Render the Markdown page for GitHub: a table of scenarios, and the seeds that did not pass, with commands."""
    lines = ["| scenario | passed | rate | 95 % interval | digest |", "|---|---|---|---|---|"]
    for scenario in summary.scenarios:
        tally = summary.tally(scenario)
        low, high = tally.interval
        rate = f"{tally.passed} of {len(tally.results)} | {tally.rate:.1%} | {low:.1%} to {high:.1%}"
        lines.append(f"| {_cell(scenario.name)} | {rate} | `{tally.digest[:16]}` |")
    for scenario in summary.scenarios:
        lines += _bad(summary, scenario)
    text = "\n".join(lines) + "\n"
    return text if len(text.encode(errors="replace")) < PAGE_MOST else text[: PAGE_MOST // 4] + "\n\n… cut\n"


def _bad(summary: Summary, scenario: Scenario) -> Iterator[str]:
    comparison = summary.comparisons.get(scenario.name)
    if comparison is not None:
        yield ""
        yield f"**{_cell(scenario.name)}** against its baseline: {comparison}"
    bad = [result for result in summary.tally(scenario).results if result.status != "passed"]
    if bad:
        yield ""
        yield f"**{_cell(scenario.name)}**: {len(bad)} did not pass"
        yield ""
    for result in bad[:SEEDS_SHOWN]:
        yield f"- seed {result.seed} {result.status}: {_cell(result.reason)}  "
        yield f"  `{scenario.command(result.seed)}`"
    if len(bad) > SEEDS_SHOWN:
        yield f"- … and {len(bad) - SEEDS_SHOWN} more, in the report"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")


def write_page(summary: Summary) -> None:
    """Append the page to the summary of GitHub's step, if GitHub names a file for it.

    Raises:
        OSError: it cannot be written.
    """
    file = os.environ.get(SUMMARY_VARIABLE)
    if file:
        with Path(file).open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(page(summary))
