"""`embodied ps`: the graphs that run, and the processes of each."""

from __future__ import annotations

from typing import Any

from rich.markup import escape

from embodied.cli.common.output import JsonOption, ending, out, print_json, wide
from embodied.cli.common.running import RunOption, ask_each, chosen, lasting, memory, table

SILENT = 0.5
"""A process that has given no sign of life for so long is said to hang [s]; its launcher ends it soon."""


def ps(run: RunOption = None, *, as_json: JsonOption = False) -> None:
    """List the graphs that run, with their processes; nothing is listed that has ended."""
    with ending(as_json):
        folders = chosen(run)
        about = {folder.name: folder.read() for folder in folders}
        found = ask_each(folders, "status")
        if as_json:
            print_json({"runs": [_plain(name, about[name], status) for name, status in found.items()]})
            return
        if not found:
            out.print("nothing is running")
        for name, status in found.items():
            _show(name, about[name], status)


def _plain(name: str, about: dict[str, Any], status: Any) -> dict[str, Any]:
    if isinstance(status, Exception):
        return {"name": name, **about, "answers": False, "trouble": str(status)}
    return {**status, "answers": True, "state": state(status)}


def state(status: dict[str, Any]) -> str:
    """How far a run is: `starting`, `running` or `stopping`."""
    states = {process["state"] for process in status["processes"]}
    if "stopping" in states:
        return "stopping"
    return "running" if status["now_s"] else "starting"


def condition(process: dict[str, Any]) -> str:
    """How a process fares, in a word or a few."""
    if process["state"] == "running" and process["silent_s"] > SILENT:
        where = f" in {process['stepping']}" if process["stepping"] else ""
        return f"hangs{where}: {process['silent_s']:.1f} s"
    return str(process["state"])


def coloured(how: str) -> str:
    """A condition as markup: red where something is wrong."""
    return how if how in ("running", "starting", "ready", "stopping") else f"[bold red]{escape(how)}[/]"


def _show(name: str, about: dict[str, Any], status: Any) -> None:
    what = about.get("file", "")
    profile = about.get("profile")
    what += f" ({profile})" if profile else ""
    if isinstance(status, Exception):
        out.print(f"[bold]{name}[/]  {escape(what)}  [bold red]does not answer[/], pid {about.get('pid')}")
        out.print(f"  {status}", markup=False)
        return
    up = f"up {lasting(status['up_s'])}, pid {status['pid']}, seed {status['seed']}"
    out.print(f"[bold]{name}[/]  {escape(what)}  {state(status)}, {up}")
    made = table("process", "state", "nodes", " up", " pid", " restarts", " memory", "last event")
    last = {event["process"]: event for event in status["events"]}
    for process in status["processes"]:
        event = last.get(process["name"])
        how = condition(process)
        made.add_row(
            process["name"],
            coloured(how),
            ", ".join(process["nodes"]),
            "" if process["up_s"] is None else lasting(process["up_s"]),
            str(process["pid"] or ""),
            str(max(0, process["starts"] - 1)),
            memory(process["rss_B"]) if "rss_B" in process else "",
            "" if event is None else f"{lasting(event['ago_s'])} ago: {escape(event['text'].splitlines()[0])}",
        )
    wide().print(made)
    if status["logs"]:
        out.print(f"  {status['logs']}", markup=False)
