"""`embodied top`: how a run fares, a picture a second."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from embodied.cli.common.output import JsonOption, ending, err, out, print_json, wide
from embodied.cli.common.running import RunOption, connected, lasting, memory, table
from embodied.cli.verbs.node import when
from embodied.cli.verbs.ps import coloured, condition, state
from embodied.clock import SECOND
from embodied.errors import LaunchError, Problem
from embodied.live.client import Client
from embodied.live.statistics import EVERY, Sample, measure

EVENTS = 3
"""So many of the last events are shown."""


def top(
    run: RunOption = None,
    *,
    once: Annotated[bool, typer.Option("--once", help="one picture, as where there is no terminal")] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch a run: rates, latencies, ages, processors, memory, what was lost, guards, and who hangs. Ctrl-C ends it."""
    with ending(as_json), connected(run) as client:
        about = {"nodes": client.ask("nodes"), "topics": client.ask("topics")}
        pictures = _pictures(client)
        if as_json or once or not out.is_terminal:
            picture = next(pictures, None)
            if picture is None:
                raise LaunchError([Problem("E005", f"{client.directory.name} has ended", help=("embodied ps",))])
            look, found = picture
            if as_json:
                print_json({"run": client.directory.name, **found})
            else:
                wide().print(draw(look, found, about))
            return
        try:
            with Live(console=out, screen=True, auto_refresh=False) as live:
                for look, found in pictures:
                    live.update(draw(look, found, about), refresh=True)
        except KeyboardInterrupt:
            # So it is ended.
            return
        err.print(f"{client.directory.name} has ended", markup=False)


def _pictures(client: Client) -> Iterator[tuple[Sample, dict[str, Any]]]:
    """Looks, with what went on since the one before, until the run ends."""
    before = Sample.take(client)
    while not client.gone(EVERY):
        after = Sample.take(client)
        yield after, measure(before, after)
        before = after


def draw(look: Sample, found: dict[str, Any], about: dict[str, Any]) -> RenderableType:
    """A picture of a run.

    Args:
        look: at it.
        found: what went on before.
        about: its nodes and topics, which stay.
    """
    events = found["events"][-EVENTS:]
    return Group(
        _head(look.status, found),
        *(_guard(name, said) for name, said in found["guards"].items()),
        Text(),
        _nodes(found, about["nodes"]),
        Text(),
        _topics(found, about),
        *([Text()] if events else []),
        *(Text(f"{lasting(event['ago_s'])} ago: {event['text'].splitlines()[0]}", "red") for event in events),
    )


def _head(status: dict[str, Any], found: dict[str, Any]) -> Text:
    profile = f" ({status['profile']})" if status.get("profile") else ""
    pace = "" if found["pace"] is None else f", the world at {found['pace']:.2f} of the clock's time"
    text = f"  {status.get('file', '')}{profile}  {state(status)}, up {lasting(status['up_s'])}{pace}"
    return Text.assemble((status["name"], "bold"), text)


def _guard(name: str, said: dict[str, Any]) -> Text:
    colour = {"following": "green", "holding": "yellow"}.get(said["state"], "bold red")
    why = f"  {'; '.join(said['why'])}" if said["why"] else ""
    return Text.assemble("guard ", name, "  ", (said["state"], colour), why)


def _nodes(found: dict[str, Any], nodes: dict[str, Any]) -> RenderableType:
    """A row for each node; what belongs to its process stands with the first of it."""
    titles = ("process", "state", " CPU", " memory", " restarts", "node", " steps", "wanted", " skipped", " starved")
    made = table(*titles, " dropped")
    for name, process in found["processes"].items():
        cpu = "" if process["cpu"] is None else f"{process['cpu']:.0%}"
        size = memory(process["rss_B"]) if "rss_B" in process else ""
        first = [
            f"[bold]{escape(name)}[/]",
            coloured(condition(process)),
            cpu,
            size,
            str(max(0, process["starts"] - 1)),
        ]
        for node in process["nodes"]:
            counts = found["nodes"].get(node)
            numbers = ["?"] * 4 if counts is None else [_hertz(counts["hz"])]
            numbers[1:1] = [when(nodes[node])] if node in nodes else [""]
            if counts is not None:
                numbers += [
                    _loss(counts[key], counts["since"].get(key, 0)) for key in ("skipped", "starved", "dropped")
                ]
            made.add_row(*first, node, *numbers)
            first = [""] * 5
    return made


def _topics(found: dict[str, Any], about: dict[str, Any]) -> RenderableType:
    """A row for each topic that is taken; its latency is that of the slowest process that takes it."""
    made = table("topic", " rate", " age", " latency p50", " p99", " dropped", " passed over", "taken by")
    for name, topic in about["topics"].items():
        if not topic["takers"]:
            continue
        counts = found["topics"].get(name)
        homes = {about["nodes"][taker.rpartition(".")[0]]["process"] for taker in topic["takers"]}
        links = [link for link in found["links"] if link["from"] == topic["node"] and link["to"] in homes]
        age = "?" if counts is None else "never" if counts["age_ns"] is None else lasting(counts["age_ns"] / SECOND)
        made.add_row(
            name,
            "?" if counts is None else _hertz(counts["hz"]),
            age,
            *(_longest(link[key] for link in links) for key in ("p50_s", "p99_s")),
            *(_lost(links, key) for key in ("dropped", "skipped")),
            ", ".join(topic["takers"]),
        )
    return made


def _longest(values: Iterator[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{max(known) * 1e3:.2f} ms" if known else ""


def _hertz(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.4g} Hz"


def _lost(links: list[dict[str, Any]], key: str) -> str:
    count = sum(link[key] for link in links)
    return _loss(count, count) if links else ""


def _loss(count: int, lately: int) -> str:
    """A number of losses; red while it grows."""
    return f"[red]{count}[/]" if lately else str(count)
