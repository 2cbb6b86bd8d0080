"""`embodied node`: list, inspect and restart the nodes of a run."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.formatting import format_duration
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, fail, out, print_json
from embodied.cli.common.run_status import coloured, process_state, step_schedule
from embodied.cli.common.running import RunOption, connected, look_up
from embodied.cli.common.tables import Column, Table, numeric
from embodied.clock import SECOND

node = typer.Typer(no_args_is_help=True, help="The nodes of a run: list, info, restart.")

NodeArgument = Annotated[
    str, typer.Argument(help="a node of the run", autocompletion=complete.nodes, show_default=False)
]

RESTART_TIMEOUT = 15.0
"""Time in which a restarted process must run again [s]."""


def _describe_nodes(client: Any) -> dict[str, Any]:
    """Fetch a run's nodes with their counters and the states of their processes."""
    nodes, counts, status = client.ask("nodes"), client.ask("counts"), client.ask("status")
    counted = {name: count for process in counts.values() if process for name, count in process["nodes"].items()}
    processes = {process["name"]: process for process in status["processes"]}
    return {
        name: {**about, "state": process_state(processes[about["process"]]), "counts": counted.get(name)}
        for name, about in nodes.items()
    }


@node.command("list")
def list_nodes(*, run: RunOption = None, as_json: JsonOption = False) -> None:
    """List the nodes: class, schedule, process, and counters of steps and losses."""
    with exit_on_error(as_json), connected(run) as client:
        nodes = _describe_nodes(client)
        if as_json:
            print_json({"nodes": nodes})
            return
        rows = Table(
            Column("node"),
            Column("class", 1),
            Column("schedule", 3),
            Column("process", 2),
            Column("state"),
            numeric("steps", 7),
            numeric("skipped", 6),
            numeric("starved", 4),
            numeric("dropped", 5),
        )
        for name, about in nodes.items():
            counts = about["counts"] or {}
            numbers = [str(counts.get(key, "?")) for key in ("steps", "skipped", "starved", "dropped")]
            rows.add(name, about["class"], step_schedule(about), about["process"], coloured(about["state"]), *numbers)
        rows.print()


@node.command("info")
def info(name: NodeArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Show a node's inputs, outputs, process and counters."""
    with exit_on_error(as_json), connected(run) as client:
        about = look_up("node", name, _describe_nodes(client))
        if as_json:
            print_json({"node": name, **about})
            return
        out.print(f"[bold]{name}[/]  {about['class']}  {step_schedule(about)}")
        out.print(f"  in process {about['process']}, {about['state']}; restart: {about['restart']}", markup=False)
        if about["counts"] is not None:
            counts = about["counts"]
            late = format_duration(counts["late_ns"] / SECOND)
            parts = [f"{counts['steps']} steps", f"{counts['skipped']} skipped", f"{counts['starved']} without input"]
            out.print(f"  {', '.join(parts)}, {counts['dropped']} messages dropped, at most {late} late", markup=False)
            if counts["rejected"]:
                out.print(f"  {counts['rejected']} results rejected, the last: {counts['rejection']}", markup=False)
        for port, entry in about["in"].items():
            source = "unwired" if entry["from"] is None else f"from {entry['from']}"
            out.print(f"  in    {port}: {entry['type']}  {source}", markup=False)
        for topic, kind in about["out"].items():
            out.print(f"  out   {topic}: {kind}", markup=False)


@node.command("restart")
def restart(name: NodeArgument, *, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Restart the process of a node, and return when it runs again."""
    with exit_on_error(as_json), connected(run) as client:
        process = look_up("node", name, client.ask("nodes"))["process"]
        before = _process(client, process)
        begin = time.monotonic()
        client.ask("restart", node=name)
        while time.monotonic() < begin + RESTART_TIMEOUT and not client.gone(0.05):
            now = _process(client, process)
            if now["starts"] > before["starts"] and now["state"] == "running":
                seconds = time.monotonic() - begin
                others = [other for other in now["nodes"] if other != name]
                if as_json:
                    print_json({"process": process, "nodes": now["nodes"], "pid": now["pid"], "seconds": seconds})
                else:
                    too = f", with {', '.join(others)}" if others else ""
                    out.print(f"{name} runs again as {now['pid']}{too}, after {format_duration(seconds)}", markup=False)
                return
        now = _process(client, process)
        raise fail(f"{name} does not run again: {now['ended'] or process_state(now)}", 3, as_json)


def _process(client: Any, name: str) -> dict[str, Any]:
    return next(process for process in client.ask("status")["processes"] if process["name"] == name)
