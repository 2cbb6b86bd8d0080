"""`embodied node`: the nodes of a run."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.output import JsonOption, ending, fail, out, print_json, wide
from embodied.cli.common.running import RunOption, connected, lasting, named, table
from embodied.cli.verbs.ps import coloured, condition
from embodied.clock import SECOND

node = typer.Typer(no_args_is_help=True, help="The nodes of a run: list, info, restart.")

NodeArgument = Annotated[
    str, typer.Argument(help="a node of the run", autocompletion=complete.nodes, show_default=False)
]

RESTARTED = 15.0
"""So long may a process take to run again [s]."""


def _all(client: Any) -> dict[str, Any]:
    """What a run says of its nodes, with what they have counted and how their processes fare."""
    nodes, counts, status = client.ask("nodes"), client.ask("counts"), client.ask("status")
    counted = {name: count for process in counts.values() if process for name, count in process["nodes"].items()}
    processes = {process["name"]: process for process in status["processes"]}
    return {
        name: {**about, "state": condition(processes[about["process"]]), "counts": counted.get(name)}
        for name, about in nodes.items()
    }


def when(about: dict[str, Any]) -> str:
    """When a node steps: `100 Hz`, `on joints`, `once`."""
    if about["rate"] is not None:
        return f"{about['rate']:.4g} Hz"
    return "once" if about["trigger"] is None else f"on {about['trigger']}"


@node.command("list")
def list_nodes(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List the nodes: class, when each steps, its process, and what it has counted."""
    with ending(as_json), connected(run) as client:
        found = _all(client)
        if as_json:
            print_json({"nodes": found})
            return
        made = table("node", "class", "steps", "process", "state", " steps", " skipped", " starved", " dropped")
        for name, about in found.items():
            counts = about["counts"] or {}
            numbers = [str(counts.get(key, "?")) for key in ("steps", "skipped", "starved", "dropped")]
            made.add_row(name, about["class"], when(about), about["process"], coloured(about["state"]), *numbers)
        wide().print(made)


@node.command("info")
def info(name: NodeArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Say what a node takes and gives, where it runs, and how it fares."""
    with ending(as_json), connected(run) as client:
        about = named("node", name, _all(client))
        if as_json:
            print_json({"node": name, **about})
            return
        out.print(f"[bold]{name}[/]  {about['class']}  {when(about)}")
        out.print(f"  in process {about['process']}, {about['state']}; restart: {about['restart']}", markup=False)
        if about["counts"] is not None:
            counts = about["counts"]
            late = lasting(counts["late_ns"] / SECOND)
            parts = [f"{counts['steps']} steps", f"{counts['skipped']} skipped", f"{counts['starved']} without input"]
            out.print(f"  {', '.join(parts)}, {counts['dropped']} messages dropped, at most {late} late", markup=False)
        for port, taken in about["in"].items():
            source = "unwired" if taken["from"] is None else f"from {taken['from']}"
            out.print(f"  in    {port}: {taken['type']}  {source}", markup=False)
        for topic, kind in about["out"].items():
            out.print(f"  out   {topic}: {kind}", markup=False)


@node.command("restart")
def restart(name: NodeArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """End the process of a node and start it again; returns when it runs."""
    with ending(as_json), connected(run) as client:
        process = named("node", name, client.ask("nodes"))["process"]
        before = _process(client, process)
        begin = time.monotonic()
        client.ask("restart", node=name)
        while time.monotonic() < begin + RESTARTED and not client.gone(0.05):
            now = _process(client, process)
            if now["starts"] > before["starts"] and now["state"] == "running":
                seconds = time.monotonic() - begin
                others = [other for other in now["nodes"] if other != name]
                if as_json:
                    print_json({"process": process, "nodes": now["nodes"], "pid": now["pid"], "seconds": seconds})
                else:
                    too = f", with {', '.join(others)}" if others else ""
                    out.print(f"{name} runs again as {now['pid']}{too}, after {lasting(seconds)}", markup=False)
                return
        now = _process(client, process)
        raise fail(f"{name} does not run again: {now['ended'] or condition(now)}", 3, as_json)


def _process(client: Any, name: str) -> dict[str, Any]:
    return next(process for process in client.ask("status")["processes"] if process["name"] == name)
