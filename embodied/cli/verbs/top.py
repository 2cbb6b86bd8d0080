"""`embodied top`: rates, latencies, losses and load of a run, updated every second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from embodied.cli.common.formatting import format_duration, format_memory, table
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json, table_console
from embodied.cli.common.run_status import coloured, process_state, run_state, step_schedule
from embodied.cli.common.running import RunOption, connected
from embodied.clock import SECOND
from embodied.errors import LaunchError, Problem
from embodied.live.client import Client
from embodied.live.statistics import EVERY, Sample, measure

EVENTS_SHOWN = 3
"""Number of the latest events that are shown."""


def top(
    run: RunOption = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="print once and end, as where there is no terminal")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch a run: rates, latencies, ages, CPU, memory, losses, guards, and processes that hang. Ctrl-C ends it."""
    with exit_on_error(as_json), connected(run) as client:
        about = {"nodes": client.ask("nodes"), "topics": client.ask("topics")}
        pictures = _pictures(client)
        if as_json or once or not out.is_terminal:
            picture = next(pictures, None)
            if picture is None:
                raise LaunchError([Problem("E005", f"{client.directory.name} has ended", help=("embodied ps",))])
            look, rates = picture
            if as_json:
                print_json({"run": client.directory.name, **rates})
            else:
                table_console().print(draw(look, rates, about))
            return
        try:
            with Live(console=out, screen=True, auto_refresh=False) as live:
                for look, rates in pictures:
                    live.update(draw(look, rates, about), refresh=True)
        except KeyboardInterrupt:
            # Ctrl-C is the way to end it.
            return
        err.print(f"{client.directory.name} has ended", markup=False)


def _pictures(client: Client) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """Yield the state of the run every second, with rates since the time before, until it ends."""
    before = Sample.take(client)
    while not client.gone(EVERY):
        after = Sample.take(client)
        yield after, measure(before, after)
        before = after


def draw(look: Sample, rates: dict[str, Any], about: dict[str, Any]) -> RenderableType:
    """Draw the state of a run for `embodied top`.

    Args:
        look: state at one time.
        rates: rates and losses since the time before.
        about: nodes and topics of the run, which do not change.
    """
    events = rates["events"][-EVENTS_SHOWN:]
    return Group(
        _head(look.status, rates),
        *(_guard(name, report) for name, report in rates["guards"].items()),
        Text(),
        _nodes(rates, about["nodes"]),
        Text(),
        _topics(rates, about),
        *([Text()] if events else []),
        *(Text(f"{format_duration(event['ago_s'])} ago: {event['text'].splitlines()[0]}", "red") for event in events),
    )


def _head(status: dict[str, Any], rates: dict[str, Any]) -> Text:
    profile = f" ({status['profile']})" if status.get("profile") else ""
    pace = "" if rates["pace"] is None else f", the world at {rates['pace']:.2f} of the clock's time"
    text = f"  {status.get('file', '')}{profile}  {run_state(status)}, up {format_duration(status['up_s'])}{pace}"
    return Text.assemble((status["name"], "bold"), text)


def _guard(name: str, report: dict[str, Any]) -> Text:
    colour = {"following": "green", "holding": "yellow"}.get(report["state"], "bold red")
    why = f"  {'; '.join(report['why'])}" if report["why"] else ""
    return Text.assemble("guard ", name, "  ", (report["state"], colour), why)


def _nodes(rates: dict[str, Any], nodes: dict[str, Any]) -> RenderableType:
    """Draw a row for each node; columns of the process are filled in its first row only."""
    titles = ("process", "state", " CPU", " memory", " restarts", "node", " steps", "wanted", " skipped", " starved")
    rows = table(*titles, " dropped")
    for name, process in rates["processes"].items():
        cpu = "" if process["cpu"] is None else f"{process['cpu']:.0%}"
        size = format_memory(process["rss_B"]) if "rss_B" in process else ""
        first = [
            f"[bold]{escape(name)}[/]",
            coloured(process_state(process)),
            cpu,
            size,
            str(max(0, process["starts"] - 1)),
        ]
        for node in process["nodes"]:
            counts = rates["nodes"].get(node)
            numbers = ["?"] * 4 if counts is None else [_hertz(counts["hz"])]
            numbers[1:1] = [step_schedule(nodes[node])] if node in nodes else [""]
            if counts is not None:
                numbers += [
                    _loss(counts[key], counts["since"].get(key, 0)) for key in ("skipped", "starved", "dropped")
                ]
            rows.add_row(*first, node, *numbers)
            first = [""] * 5
    return rows


def _topics(rates: dict[str, Any], about: dict[str, Any]) -> RenderableType:
    """Draw a row for each subscribed topic; its latency is that of the slowest subscribing process."""
    rows = table("topic", " rate", " age", " latency p50", " p99", " dropped", " passed over", "taken by")
    for name, topic in about["topics"].items():
        if not topic["takers"]:
            continue
        counts = rates["topics"].get(name)
        homes = {about["nodes"][port.rpartition(".")[0]]["process"] for port in topic["takers"]}
        links = [link for link in rates["links"] if link["from"] == topic["node"] and link["to"] in homes]
        age = (
            "?"
            if counts is None
            else "never"
            if counts["age_ns"] is None
            else format_duration(counts["age_ns"] / SECOND)
        )
        rows.add_row(
            name,
            "?" if counts is None else _hertz(counts["hz"]),
            age,
            *(_longest(link[key] for link in links) for key in ("p50_s", "p99_s")),
            *(_lost(links, key) for key in ("dropped", "skipped")),
            ", ".join(topic["takers"]),
        )
    return rows


def _longest(values: Iterator[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{max(known) * 1e3:.2f} ms" if known else ""


def _hertz(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.4g} Hz"


def _lost(links: list[dict[str, Any]], key: str) -> str:
    count = sum(link[key] for link in links)
    return _loss(count, count) if links else ""


def _loss(count: int, lately: int) -> str:
    """Format a number of losses; red while it grows."""
    return f"[red]{count}[/]" if lately else str(count)
