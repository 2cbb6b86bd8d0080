"""HTML report of a suite on one page: tables, and a video and a timeline of each failure."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from embodied.suite.drawing import interval, timeline
from embodied.suite.seed_run import Result, Scenario
from embodied.suite.summary import Summary

STYLE = Path(__file__).with_name("report.css")

EMBEDDED_MOST = 20_000_000
"""Total size of videos and filmstrips that are embedded in the page; others are linked [B]."""

LEGEND = (
    ("--alive", "a node publishes"),
    ("--good", "the guard follows"),
    ("--odd", "it clips"),
    ("--bad", "it holds"),
    ("--ink", "it is stopped"),
    ("--infra", "a fault"),
)


def report(summary: Summary, folder: Path) -> str:
    """Render the report of a suite as one HTML page.

    Args:
        summary: summary of the suite.
        folder: folder with its videos and filmstrips.
    """
    parts = [*_head(summary), *_scenarios(summary)]
    budget = EMBEDDED_MOST
    for scenario in summary.scenarios:
        parts += _seeds(summary, scenario)
        results = summary.tally(scenario).results
        passed = [result for result in results if result.status == "passed"]
        for result in results:
            if result.status != "passed" or result.pictured:
                picture, used = _picture(result, folder, budget)
                budget -= used
                parts.append(_episode(scenario, result, picture, passed))
    parts += _machine(summary)
    style = STYLE.read_text(encoding="utf-8")
    title = escape(", ".join(scenario.name for scenario in summary.scenarios))
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{summary.all.passed} of {len(summary.results)} passed: {title}</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n" + "\n".join(parts) + "\n</body>\n</html>\n"
    )


def _head(summary: Summary) -> Iterator[str]:
    everything = summary.all
    status = "passed" if everything.passed == len(summary.results) else "failed"
    yield f'<h1 class="{status}">{everything.passed} of {len(summary.results)} passed</h1>'
    if not summary.complete:
        yield '<p class="infrastructure">The suite was interrupted before all seeds were run.</p>'
    by = f"{summary.processes} process{'es' if summary.processes > 1 else ''}"
    took = f"{everything.simulated:.1f} s simulated in {summary.wall:.1f} s by {by}"
    yield f'<p class="quiet">{took}; {summary.overhead:.1%} of it outside episodes{_resumed(summary)}</p>'
    yield f'<p class="quiet">digest <code>{everything.digest}</code></p>'


def _resumed(summary: Summary) -> str:
    count = summary.about.get("resumed", 0)
    return f"; {count} results are from before it was resumed" if count else ""


def _scenarios(summary: Summary) -> Iterator[str]:
    yield "<h2>Scenarios</h2>"
    compared = bool(summary.comparisons)
    heads = ["scenario", "passed", "rate", "95 % interval (Wilson)", "simulated", "dropped"]
    heads += ["beside the baseline"] if compared else []
    yield f'<div class="wide"><table><thead><tr>{"".join(f"<th>{head}</th>" for head in heads)}</tr></thead><tbody>'
    for scenario in summary.scenarios:
        tally = summary.tally(scenario)
        low, high = tally.interval
        cells = [
            f'<td><a href="#{_anchor(scenario)}">{escape(scenario.name)}</a></td>',
            f'<td class="number">{tally.passed} of {len(tally.results)}</td>',
            f'<td class="number">{tally.rate:.1%}</td>',
            f'<td class="number">{interval(low, high, tally.rate)} {low:.1%} to {high:.1%}</td>',
            f'<td class="number">{tally.simulated:.1f} s</td>',
            f'<td class="number">{tally.dropped}</td>',
        ]
        if compared:
            comparison = summary.comparisons[scenario.name]
            word = "failed" if comparison.regressed else ""
            cells.append(f'<td class="{word}">{escape(str(comparison))}</td>')
        yield f"<tr>{''.join(cells)}</tr>"
    yield "</tbody></table></div>"


def _seeds(summary: Summary, scenario: Scenario) -> Iterator[str]:
    tally = summary.tally(scenario)
    yield f'<h2 id="{_anchor(scenario)}">{escape(scenario.name)}</h2>'
    yield f'<p class="quiet"><code>{escape(str(scenario.file))}</code>{_overrides(scenario)}</p>'
    yield f'<p class="quiet">digest of its seeds <code>{tally.digest}</code></p>'
    yield '<div class="seeds">'
    for result in tally.results:
        title = escape(f"seed {result.seed} {result.status}: {result.reason}", quote=True)
        tag, link = "span", ""
        if result.status != "passed" or result.pictured:
            tag, link = "a", f' href="#{_anchor(scenario, result)}"'
        yield f'<{tag} class="{result.status}" title="{title}"{link}></{tag}>'
    yield "</div>"


def _overrides(scenario: Scenario) -> str:
    over = scenario.overrides
    words = [] if scenario.profile is None else [f"profile {scenario.profile}"]
    words += [] if over.world is None else [f"world {over.world}"]
    words += [] if over.site is None else [f"site {over.site}"]
    words += [f"swap {text}" for text in over.swaps] + [f"set {text}" for text in over.sets]
    return "".join(f" · {escape(word)}" for word in words)


def _episode(scenario: Scenario, result: Result, picture: str, passed: Sequence[Result]) -> str:
    lines = [f'<article id="{_anchor(scenario, result)}">']
    lines.append(f'<h3 class="{result.status}">seed {result.seed}: {result.status}</h3>')
    first, *rest = result.reason.splitlines() or [""]
    lines.append(f"<p>{escape(first)}</p>")
    lines += [f'<p class="infrastructure">fault: {escape(fault)}</p>' for fault in result.effective_faults]
    if rest:
        lines.append(f"<pre>{escape(chr(10).join(rest))}</pre>")
    lines += [f'<p class="infrastructure">tried again after: {escape(note)}</p>' for note in result.reruns]
    lines.append(f"<pre>{escape(scenario.command(result.seed))}</pre>")
    if result.output:
        link = (
            f'<a href="{escape(result.files["logs"], quote=True)}">printed</a>' if "logs" in result.files else "printed"
        )
        lines.append(f'<p class="quiet">{link}</p><pre>{escape(result.output)}</pre>')
    if result.digest:
        lines.append(f'<p class="quiet">digest <code>{result.digest}</code></p>')
    tallies = result.outcome.get("guards", {}).items()
    lines += [f'<p class="quiet">{_guard(name, tally, passed)}</p>' for name, tally in tallies]
    lines += _beside(result.timeline)
    drawn = timeline(result.timeline, result.outcome.get("faults", ())) if result.timeline else ""
    legend = "".join(f'<span><i style="background:var({colour})"></i>{word}</span>' for colour, word in LEGEND)
    drawn = drawn and f'<div class="timeline">{drawn}<div class="legend">{legend}</div></div>'
    lines.append(f'<div class="seen">{picture}{drawn}</div>')
    lines += [*_last_messages(result.timeline), "</article>"]
    return "\n".join(lines)


def _guard(name: str, tally: Mapping[str, Any], passed: Sequence[Result]) -> str:
    """Describe what a guard did in a run, beside what it does in runs that pass, where a reason may be as common."""
    others = [other for result in passed if (other := result.outcome.get("guards", {}).get(name)) is not None]
    often = tally.get("refusal") or tally.get("clip")
    common = sum((other.get("refusal") or other.get("clip")) == often for other in others)
    suffix = f"; most often: {often}" if often else ""
    if often and common:
        suffix += f", as in {common} of {len(others)} that passed"
    held = f"{tally['refusals']} held"
    if others:
        counts = sorted(other["refusals"] for other in others)
        held += f" ({counts[0]} to {counts[-1]} in those that passed)"
    return escape(f"{name}: {tally['clips']} steps clipped, {held}{suffix}")


def _beside(timeline: Mapping[str, Any]) -> Iterator[str]:
    """List where a run went another way than one that passed, the earliest first."""
    beside = timeline.get("beside")
    if beside is None:
        return
    differences = "".join(f"<li>{escape(text)}</li>" for text in beside["differences"])
    yield f'<p class="quiet">beside seed {beside["seed"]}, which passed:</p>'
    yield f"<ul>{differences or '<li>the same phases and words, the same guards</li>'}</ul>"


def _last_messages(timeline: Mapping[str, Any]) -> Iterator[str]:
    """List the last message of each topic, as the run ended with it."""
    last = timeline.get("last", {})
    if not last:
        return
    yield '<details><summary>the last message of each topic</summary><div class="wide"><table><tbody>'
    for topic, message in last.items():
        at, text = ("never", "") if message is None else (f"{message[0]:.2f} s", message[1])
        yield f'<tr><td>{escape(topic)}</td><td class="number">{at}</td><td>{escape(text)}</td></tr>'
    yield "</tbody></table></div></details>"


def _picture(result: Result, folder: Path, budget: int) -> tuple[str, int]:
    """Render the video of an episode, or else its filmstrip; also return the embedded size [B]."""
    for kind, mime in (("video", "video/mp4"), ("filmstrip", "image/png")):
        name = result.files.get(kind)
        if name is None:
            continue
        try:
            data = (folder / name).read_bytes()
        except OSError:
            continue
        embedded = len(data) <= budget
        source = f"data:{mime};base64,{base64.b64encode(data).decode()}" if embedded else escape(name, quote=True)
        used = len(data) if embedded else 0
        if kind == "video":
            return f'<video controls muted playsinline preload="metadata" src="{source}"></video>', used
        return f'<img alt="moments of seed {result.seed}" src="{source}">', used
    return "", 0


def _machine(summary: Summary) -> Iterator[str]:
    yield "<h2>Machine and versions</h2><dl>"
    versions = {**summary.about.get("versions", {}), **summary.all.about}
    for name, version in versions.items():
        yield f"<dt>{escape(name)}</dt><dd>{escape(str(version))}</dd>"
    yield "</dl>"


def _anchor(scenario: Scenario, result: Result | None = None) -> str:
    return escape(scenario.name if result is None else f"{scenario.name}-{result.seed}", quote=True)
