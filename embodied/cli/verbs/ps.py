"""`embodied ps`: list running graphs with their processes."""

from __future__ import annotations

from typing import Any

from rich.markup import escape
from rich.text import Text

from embodied.cli.common.formatting import format_duration, format_memory
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json
from embodied.cli.common.run_status import coloured, event_line, process_state, run_state
from embodied.cli.common.running import RunOption, ask_each, select_runs
from embodied.cli.common.tables import Column, Table, numeric
from embodied.live.run_places import looked_at


def ps(run: RunOption = None, *, as_json: JsonOption = False) -> None:
    """List the graphs that run, with the state of each process."""
    with exit_on_error(as_json):
        folders = select_runs(run)
        about = {folder.name: folder.read() for folder in folders}
        answers = ask_each(folders, "status")
        if as_json:
            print_json({"runs": [_as_json(name, about[name], status) for name, status in answers.items()]})
            return
        if not answers:
            out.print(f"nothing is running\n{looked_at()}", markup=False)
        for name, status in answers.items():
            _print(name, about[name], status)


def _as_json(name: str, about: dict[str, Any], status: Any) -> dict[str, Any]:
    if isinstance(status, Exception):
        return {"name": name, **about, "answers": False, "trouble": str(status)}
    return {**status, "answers": True, "state": run_state(status)}


def _print(name: str, about: dict[str, Any], status: Any) -> None:
    launched = about.get("file", "")
    profile = about.get("profile")
    launched += f" ({profile})" if profile else ""
    if isinstance(status, Exception):
        out.print(f"[bold]{name}[/]  {escape(launched)}  [bold red]does not answer[/], pid {about.get('pid')}")
        out.print(f"  {status}", markup=False)
        return
    up = f"up {format_duration(status['up_s'])}, pid {status['pid']}, seed {status['seed']}"
    out.print(f"[bold]{name}[/]  {escape(launched)}  {run_state(status)}, {up}")
    rows = Table(
        Column("process", 6),
        Column("state"),
        Column("nodes", 5),
        numeric("up", 2),
        numeric("pid", 3),
        numeric("restarts", 4),
        numeric("memory", 1),
    )
    for process in status["processes"]:
        rows.add(
            process["name"],
            coloured(process_state(process)),
            process["nodes"],
            "" if process["up_s"] is None else format_duration(process["up_s"]),
            str(process["pid"] or ""),
            str(max(0, process["starts"] - 1)),
            format_memory(process["rss_B"]) if "rss_B" in process else "",
        )
    rows.print()
    for event in {event["process"]: event for event in status["events"]}.values():
        out.print(Text("  ").append_text(event_line(event)))
    if status["logs"]:
        out.print(f"  {status['logs']}", markup=False)
