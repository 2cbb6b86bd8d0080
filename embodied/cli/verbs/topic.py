"""`embodied topic`: list and inspect the topics of a run, and publish a message by hand."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import Annotated, Any

import typer
import yaml

from embodied.cli.common.formatting import format_duration
from embodied.cli.common.message_fields import describe_fields, field_line
from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.cli.common.running import RunOption, connected
from embodied.cli.common.tables import Column, Table, numeric
from embodied.cli.common.topic_stream import TopicArgument, topic_of
from embodied.clock import SECOND
from embodied.live.client import message_type
from embodied.untrusted.text import shown

RATE_LEAST = 0.001
"""Lowest rate of publishing by hand [Hz]."""

RATE_MOST = 1000.0
"""Highest rate of publishing by hand [Hz]: each message is a request that is answered."""

topic = typer.Typer(no_args_is_help=True, help="The topics of a run: list, info, pub, echo, hz, bw, delay.")


@topic.command("list")
def list_topics(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List the topics: type, declared rate, number and age of messages, subscribers."""
    with exit_on_error(as_json), connected(run) as client:
        topics = _with_counts(client.ask("topics"), client.ask("counts"))
        if as_json:
            print_json({"topics": topics})
            return
        rows = Table(
            Column("topic"),
            Column("type", 2),
            numeric("rate"),
            numeric("published", 1),
            numeric("last", 3),
            Column("taken by", 4),
        )
        for name, about in topics.items():
            rows.add(name, _type(about), _rate(about), _count(about), _age(about), about["takers"])
        rows.print()


def _with_counts(topics: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    """Merge a run's topics with the counters of their nodes."""
    counted = {name: count for process in counts.values() if process for name, count in process["topics"].items()}
    nothing = {"published": None, "age_ns": None}
    return {name: {**about, **counted.get(name, nothing)} for name, about in topics.items()}


def _type(about: dict[str, Any]) -> str:
    return str(about["message"]).rpartition(":")[2]


def _rate(about: dict[str, Any]) -> str:
    return "" if about["period_ns"] is None else f"{SECOND / about['period_ns']:.4g} Hz"


def _count(about: dict[str, Any]) -> str:
    return "?" if about["published"] is None else str(about["published"])


def _age(about: dict[str, Any]) -> str:
    return "never" if about["age_ns"] is None else f"{format_duration(about['age_ns'] / SECOND)} ago"


@topic.command("info")
def info(name: TopicArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Show a topic's message type with shapes and units, its publisher and its subscribers."""
    with exit_on_error(as_json), connected(run) as client:
        full, _ = topic_of(client, name)
        about = _with_counts(client.ask("topics"), client.ask("counts"))[full]
        nodes = client.ask("nodes")
        client.enter()
        subscribers = {port: nodes[port.rpartition(".")[0]]["in"][port.rpartition(".")[2]] for port in about["takers"]}
        fields = describe_fields(message_type(about["message"]))
        if as_json:
            print_json({"topic": full, **about, "takers": subscribers, "fields": fields})
            return
        process = nodes[about["node"]]["process"]
        out.print(f"[bold]{full}[/]  {_type(about)}  {_rate(about)}")
        out.print(f"  given by {about['node']} in {process}: {_count(about)} so far, the last {_age(about)}")
        for subscriber, port in subscribers.items():
            age = "" if port["max_age_ns"] is None else f", stale after {format_duration(port['max_age_ns'] / SECOND)}"
            out.print(f"  taken by {subscriber}: {port['type']}{age}", markup=False)
        sizes = "".join(f", {letter} = {size}" for letter, size in about["sizes"].items())
        frame = "" if about["frame"] is None else f", frame {about['frame']}"
        for field in fields:
            out.print(f"  {field_line(field)}", markup=False)
        if sizes or frame:
            out.print(f"  with{(sizes + frame)[1:]}", markup=False)


@topic.command("pub")
def pub(
    name: TopicArgument,
    fields: Annotated[str, typer.Argument(help="fields as YAML, such as '{label: blue}'", show_default=False)],
    *,
    rate: Annotated[
        float | None,
        typer.Option(min=RATE_LEAST, max=RATE_MOST, help="publish repeatedly at this rate [Hz]"),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="publish once, as without --rate")] = False,
    until: ForOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a message in place of a node; commands still pass the guard."""
    with exit_on_error(as_json), connected(run) as client:
        limit = time_limit(until)
        if once and rate is not None:
            raise usage("--once and --rate exclude each other", "give one of them")
        if limit is not None and rate is None:
            raise usage("--for limits repeated publishing, which needs --rate", "write --rate 10")
        values = _read_fields(fields)
        full, _ = topic_of(client, name)
        begin, count = time.monotonic(), 0
        while True:
            client.ask("publish", topic=full, fields=values)
            count += 1
            if rate is None:
                break
            now = time.monotonic()
            # What could not be published in time is left out, so that the rate stays one.
            due = begin + max(count, math.floor((now - begin) * rate)) / rate
            if limit is not None and max(due, now) > begin + limit / SECOND:
                break
            if client.gone(max(0.0, due - now)):
                break
        if as_json:
            print_json({"topic": full, "published": count})
        else:
            out.print(f"published to {full}: {count}", markup=False)


def _read_fields(text: str) -> dict[str, Any]:
    """Read the fields of a message from YAML.

    Raises:
        LaunchError: they are no mapping of names to plain values.
    """
    try:
        values = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise usage(f"cannot read the fields: {' '.join(str(error).split())}", "write '{label: blue}'") from None
    if not isinstance(values, dict):
        raise usage("the fields must be a mapping", "write '{label: blue}'")
    wrong = next(_wrong(values, ""), "")
    if wrong:
        raise usage(wrong, "write '{label: blue}', with numbers, texts, true or false, lists and mappings")
    return values


def _wrong(value: Any, name: str) -> Iterator[str]:
    """Yield what cannot be sent among the values of a message."""
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                yield f"the names {f'in {name} ' if name else ''}must be texts, got {shown(key)}"
            yield from _wrong(item, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _wrong(item, f"{name}.{index}")
    elif type(value) is int and not -(2**63) <= value < 2**63:
        yield f"{name} must be a whole number of 64 bits, got {shown(value)}"
    elif not isinstance(value, str | bool | int | float | None):
        yield f"{name} must be a plain value, got {shown(value)}"
