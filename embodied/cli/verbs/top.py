"""`embodied top`: rates, latencies, losses and load of a run, updated every second."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.text import Text

from embodied.cli.common.formatting import format_duration, format_memory
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.cli.common.run_status import coloured, event_line, process_state, run_state, step_schedule
from embodied.cli.common.running import RunOption, connected
from embodied.cli.common.scrolled_screen import ScrolledScreen
from embodied.cli.common.tables import Cell, Column, Table, numeric
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
    """Watch a run: rates, latencies, ages, CPU, memory, losses, guards, processes that hang. Arrows scroll, q ends."""
    with exit_on_error(as_json), connected(run) as client:
        about = {"nodes": client.ask("nodes"), "topics": client.ask("topics")}
        if not as_json and not once and out.is_terminal:
            try:
                ended = _watch(client, about)
            except KeyboardInterrupt:
                # Ctrl-C is another way to end it.
                return
            if ended:
                err.print(f"{client.directory.name} has ended", markup=False)
            return
        before = Sample.take(client)
        if client.gone(EVERY):
            raise LaunchError([Problem("E005", f"{client.directory.name} has ended", help=("embodied ps",))])
        now = Sample.take(client)
        rates = measure(before, now)
        if as_json:
            print_json({"run": client.directory.name, **rates})
            return
        width = out.width if out.is_terminal else None
        for line in head(now, rates):
            out.print(line)
        for section in sections(rates, about, width):
            out.print()
            for line in section:
                out.print(line)


def _watch(client: Client, about: dict[str, Any]) -> bool:
    """Draw the state of a run every second; return True once it has ended, False when its person has seen enough."""
    before = Sample.take(client)
    due = time.monotonic() + EVERY
    with ScrolledScreen() as screen:
        while not client.gone(0.0):
            screen.wait(client, due - time.monotonic())
            if screen.closed:
                return False
            if time.monotonic() >= due:
                now = Sample.take(client)
                rates = measure(before, now)
                screen.show(head(now, rates), sections(rates, about, out.width))
                before, due = now, time.monotonic() + EVERY
    return True


def head(sample: Sample, rates: dict[str, Any]) -> list[Text]:
    """Return the first lines of `embodied top`: the run, its guards and its last events.

    Args:
        sample: state at one time.
        rates: rates and losses since the time before.
    """
    return [
        _head(sample.status, rates),
        *(_guard(name, report) for name, report in rates["guards"].items()),
        *(event_line(event) for event in rates["events"][-EVENTS_SHOWN:]),
    ]


def sections(rates: dict[str, Any], about: dict[str, Any], width: int | None) -> list[list[Text]]:
    """Return the tables of `embodied top`, as lines.

    Args:
        rates: rates and losses since the time before.
        about: nodes and topics of the run, which do not change.
        width: greatest length of a line [characters]; None: without limit.
    """
    tables = (_nodes(rates, about["nodes"]), _topics(rates, about))
    return [list(table.lines(width)) for table in tables]


def _head(status: dict[str, Any], rates: dict[str, Any]) -> Text:
    profile = f" ({status['profile']})" if status.get("profile") else ""
    pace = "" if rates["pace"] is None else f", the world at {rates['pace']:.2f} of the clock's time"
    text = f"  {status.get('file', '')}{profile}  {run_state(status)}, up {format_duration(status['up_s'])}{pace}"
    return Text.assemble((status["name"], "bold"), text)


def _guard(name: str, report: dict[str, Any]) -> Text:
    colour = {"following": "green", "holding": "yellow"}.get(report["state"], "bold red")
    why = f"  {'; '.join(report['why'])}" if report["why"] else ""
    return Text.assemble("guard ", name, "  ", (report["state"], colour), why)


def _nodes(rates: dict[str, Any], nodes: dict[str, Any]) -> Table:
    """Return a table with a row for each node; columns of the process are filled in its first row only."""
    rows = Table(
        Column("process", 8),
        Column("state"),
        numeric("CPU", 6),
        numeric("memory", 2),
        numeric("restarts", 1),
        Column("node"),
        numeric("steps", 9),
        numeric("wanted", 3),
        numeric("skipped", 5),
        numeric("starved", 4),
        numeric("dropped", 7),
    )
    for name, process in rates["processes"].items():
        cpu = "" if process["cpu"] is None else f"{process['cpu']:.0%}"
        size = format_memory(process["rss_B"]) if "rss_B" in process else ""
        restarts = str(max(0, process["starts"] - 1))
        first: list[Cell] = [Text(name, "bold"), coloured(process_state(process)), cpu, size, restarts]
        # The world has a process without nodes where no camera or body lives in it.
        for node in process["nodes"] or [""]:
            rows.add(*first, node, *_steps(node, rates["nodes"].get(node), nodes))
            first = [""] * 5
    return rows


def _steps(node: str, counts: dict[str, Any] | None, nodes: dict[str, Any]) -> list[Cell]:
    """Return the columns of a node's steps: rate, schedule and losses; ? where its process does not answer."""
    if not node:
        return []
    schedule = step_schedule(nodes[node]) if node in nodes else ""
    if counts is None:
        return ["?", schedule, "?", "?", "?"]
    losses = (_loss(counts[key], counts["since"].get(key, 0)) for key in ("skipped", "starved", "dropped"))
    return [_hertz(counts["hz"]), schedule, *losses]


def _topics(rates: dict[str, Any], about: dict[str, Any]) -> Table:
    """Return a table with a row for each topic; its latency is that of the slowest subscribing process."""
    rows = Table(
        Column("topic"),
        numeric("rate"),
        numeric("age", 5),
        numeric("p50", 2),
        numeric("p99", 4),
        numeric("dropped", 6),
        numeric("passed over", 1),
        Column("taken by", 3),
    )
    for name, topic in about["topics"].items():
        counts = rates["topics"].get(name)
        homes = {about["nodes"][port.rpartition(".")[0]]["process"] for port in topic["takers"]}
        links = [link for link in rates["links"] if link["from"] == topic["node"] and link["to"] in homes]
        rows.add(
            name,
            "?" if counts is None else _hertz(counts["hz"]),
            "?" if counts is None else _age(counts["age_ns"]),
            *(_longest(link[key] for link in links) for key in ("p50_s", "p99_s")),
            *(_lost(links, key) for key in ("dropped", "skipped")),
            topic["takers"],
        )
    return rows


def _age(age: int | None) -> str:
    return "never" if age is None else format_duration(age / SECOND)


def _longest(values: Iterator[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{max(known) * 1e3:.2f} ms" if known else ""


def _hertz(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.4g} Hz"


def _lost(links: list[dict[str, Any]], key: str) -> Cell:
    count = sum(link[key] for link in links)
    return _loss(count, count) if links else ""


def _loss(count: int, lately: int) -> Text:
    """Format a number of losses; red while it grows."""
    return Text(str(count), "red" if lately else "")
