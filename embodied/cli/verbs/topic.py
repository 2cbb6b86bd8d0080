"""`embodied topic`: the topics of a run, and messages put in by hand."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer
import yaml

from embodied.cli.common.output import ForOption, JsonOption, ending, out, print_json, time_limit, usage, wide
from embodied.cli.common.running import RunOption, connected, lasting, table
from embodied.cli.common.topic_stream import topic_of
from embodied.cli.verbs.messages import type_of
from embodied.cli.verbs.topic_echo import TopicArgument, echo
from embodied.cli.verbs.topic_rates import bw, delay, hz
from embodied.clock import SECOND
from embodied.live.client import message_type
from embodied.messages.schema import schema

topic = typer.Typer(no_args_is_help=True, help="The topics of a run: list, info, echo, hz, bw, delay, pub.")


@topic.command("list")
def list_topics(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List the topics: type, stated rate, how many were published, how long ago the last, and who takes them."""
    with ending(as_json), connected(run) as client:
        found = _with_counts(client.ask("topics"), client.ask("counts"))
        if as_json:
            print_json({"topics": found})
            return
        made = table("topic", "type", " rate", " published", " last", "taken by")
        for name, about in found.items():
            made.add_row(name, _type(about), rate(about), _count(about), _age(about), ", ".join(about["takers"]))
        wide().print(made)


def _with_counts(topics: dict[str, Any], counts: dict[str, Any]) -> dict[str, Any]:
    """What a run says of its topics, and what their nodes have counted."""
    counted = {name: count for process in counts.values() if process for name, count in process["topics"].items()}
    nothing = {"published": None, "age_ns": None}
    return {name: {**about, **counted.get(name, nothing)} for name, about in topics.items()}


def _type(about: dict[str, Any]) -> str:
    return str(about["message"]).rpartition(":")[2]


def rate(about: dict[str, Any]) -> str:
    """How often a topic is to be published."""
    return "" if about["period_ns"] is None else f"{SECOND / about['period_ns']:.4g} Hz"


def _count(about: dict[str, Any]) -> str:
    return "?" if about["published"] is None else str(about["published"])


def _age(about: dict[str, Any]) -> str:
    return "never" if about["age_ns"] is None else f"{lasting(about['age_ns'] / SECOND)} ago"


@topic.command("info")
def info(name: TopicArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Say what a topic carries, with shapes and units, who gives it and who takes it."""
    with ending(as_json), connected(run) as client:
        full, _ = topic_of(client, name)
        about = _with_counts(client.ask("topics"), client.ask("counts"))[full]
        nodes = client.ask("nodes")
        client.enter()
        kind = message_type(about["message"])
        takers = {taker: nodes[taker.rpartition(".")[0]]["in"][taker.rpartition(".")[2]] for taker in about["takers"]}
        fields = [
            {"name": field.name, "type": type_of(field), "unit": field.unit, "optional": field.optional}
            for field in schema(kind)
        ]
        if as_json:
            print_json({"topic": full, **about, "takers": takers, "fields": fields})
            return
        process = nodes[about["node"]]["process"]
        out.print(f"[bold]{full}[/]  {_type(about)}  {rate(about)}")
        out.print(f"  given by {about['node']} in {process}: {_count(about)} so far, the last {_age(about)}")
        for taker, port in takers.items():
            age = "" if port["max_age_ns"] is None else f", stale after {lasting(port['max_age_ns'] / SECOND)}"
            out.print(f"  taken by {taker}: {port['type']}{age}", markup=False)
        sizes = "".join(f", {letter} = {size}" for letter, size in about["sizes"].items())
        frame = "" if about["frame"] is None else f", frame {about['frame']}"
        for field in fields:
            unit = f" [{field['unit']}]" if field["unit"] else ""
            out.print(
                f"  {field['name']}: {field['type']}{unit}{' or None' if field['optional'] else ''}", markup=False
            )
        if sizes or frame:
            out.print(f"  with{(sizes + frame)[1:]}", markup=False)


topic.command("echo")(echo)
topic.command("hz")(hz)
topic.command("bw")(bw)
topic.command("delay")(delay)


@topic.command("pub")
def pub(
    name: TopicArgument,
    fields: Annotated[str, typer.Argument(help="YAML, such as '{label: blue}'", show_default=False)],
    *,
    rate: Annotated[float | None, typer.Option(min=0.001, help="again and again, so often [Hz]")] = None,
    once: Annotated[bool, typer.Option("--once", help="a single time, as without --rate")] = False,
    until: ForOption = None,
    run: RunOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a message as if its node had given it; no guard can be passed by."""
    with ending(as_json), connected(run) as client:
        limit = time_limit(until)
        if once and rate is not None:
            raise usage("--once and --rate exclude each other", "give one of them")
        if limit is not None and rate is None:
            raise usage("--for says how long to go on, which takes --rate", "write --rate 10")
        try:
            given = yaml.safe_load(fields)
        except yaml.YAMLError as error:
            raise usage(f"cannot read the fields: {' '.join(str(error).split())}", "write '{label: blue}'") from None
        if not isinstance(given, dict):
            raise usage("the fields are no mapping", "write '{label: blue}'")
        full, _ = topic_of(client, name)
        begin, count = time.monotonic(), 0
        while True:
            client.ask("publish", topic=full, fields=given)
            count += 1
            if rate is None:
                break
            due = begin + count / rate
            if limit is not None and due > begin + limit / SECOND:
                break
            if client.gone(max(0.0, due - time.monotonic())):
                break
        if as_json:
            print_json({"topic": full, "published": count})
        else:
            out.print(f"published to {full}: {count}", markup=False)
