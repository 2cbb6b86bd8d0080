"""State of a run and of its processes and nodes, in a word or a few."""

from __future__ import annotations

from typing import Any

from rich.text import Text

from embodied.cli.common.formatting import format_duration

HANGING_AFTER = 0.5
"""Time without a heartbeat after which a process is shown as hanging [s]; its launcher ends it soon after."""


def run_state(status: dict[str, Any]) -> str:
    """Return the state of a run in a word: `starting`, `running` or `stopping`."""
    states = {process["state"] for process in status["processes"]}
    if "stopping" in states:
        return "stopping"
    return "running" if status["now_s"] else "starting"


def process_state(process: dict[str, Any]) -> str:
    """Return the state of a run's process in a word, and for how long it hangs if it does."""
    if process["state"] == "running" and process["silent_s"] > HANGING_AFTER:
        where = f" in {process['stepping']}" if process["stepping"] else ""
        return f"hangs{where}: {process['silent_s']:.1f} s"
    return str(process["state"])


def coloured(state: str) -> Text:
    """Return the state of a run's process as text: red where something is wrong."""
    return Text(state, "" if state in ("running", "starting", "ready", "stopping") else "bold red")


def step_schedule(node: dict[str, Any]) -> str:
    """Return the schedule of a running node's steps in a word: `100 Hz`, `on joints`, `once`."""
    if node["rate"] is not None:
        return f"{node['rate']:.4g} Hz"
    return "once" if node["trigger"] is None else f"on {node['trigger']}"


def event_line(event: dict[str, Any]) -> Text:
    """Return a line for an event of a run: how long ago, and what."""
    return Text(f"{format_duration(event['ago_s'])} ago: {event['text'].splitlines()[0]}", "red")
