"""`embodied run --live`: one run in its processes, told as it goes on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from embodied.cli.common.output import INTERRUPTED, StatusLine, err, out, print_json, versions
from embodied.clock import SECOND, Time
from embodied.graph.graph import Graph
from embodied.live.episode import LiveOutcome, LiveWatcher, play_live
from embodied.live.launcher import Launcher


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be run: a launch file and its profile, the seed, until when, where, and whether the world ends it."""

    file: Path
    profile: str | None
    seed: int
    limit: Time | None = None
    machine: str | None = None
    keys: Path | None = None
    judged: bool = True


def run_live(graph: Graph, asked: Asked, folder: Path, as_json: bool) -> int:
    """Run a graph live and say how it ended.

    Returns:
        the exit code.
    """
    file = asked.file
    about = {"file": str(file), "profile": asked.profile, "folder": str(folder.absolute()), "machine": asked.machine}
    with _Progress() as progress:
        outcome = play_live(
            graph,
            asked.seed,
            name=file.stem if asked.machine is None else f"{file.stem}-{asked.machine}",
            about=about,
            limit=asked.limit,
            logs=folder / "logs",
            machine=asked.machine,
            keys=asked.keys,
            watchers=[progress],
            judged=asked.judged,
        )
    if as_json:
        print_json({**outcome.as_dict(), "logs": str(folder / "logs"), "versions": versions() | dict(outcome.about)})
    else:
        _show(outcome, folder)
    if outcome.failure:
        return 3
    if outcome.stopped_by == "Ctrl-C":
        return INTERRUPTED
    return 1 if outcome.passed is False else 0


class _Progress(StatusLine, LiveWatcher):
    """What happens is told at once; on a terminal one line says how far the run is."""

    def __init__(self) -> None:
        super().__init__()
        self._told = 0

    def begin(self, run: Launcher) -> None:
        """Say that it runs, and how to look at it."""
        count = len(run.processes)
        err.print(f"running as {run.directory.name}, in {count} processes: embodied top, embodied stop", markup=False)
        for name, device in run.devices.items():
            err.print(f"{name}: {device}", markup=False)

    def look(self, run: Launcher) -> None:
        """Tell what has happened since."""
        for event in run.events[self._told :]:
            err.print(f"[{run.now / SECOND:.2f} s] {event.text}", markup=False)
        self._told = len(run.events)
        alive = sum(process.state == "running" for process in run.processes.values())
        self.draw(f"{run.now / SECOND:5.1f} s, {alive} of {len(run.processes)} processes")


def _show(outcome: LiveOutcome, folder: Path) -> None:
    word = {True: "[bold green]PASS[/]", False: "[bold red]FAIL[/]", None: "[bold]DONE[/]"}[outcome.passed]
    if outcome.failure:
        word = "[bold red]BROKEN[/]"
    out.print(f"{word}  {escape(outcome.reason)}")
    out.print(f"seed       {outcome.seed}")
    pace = "" if outcome.pace > 0.98 else f", the world's time at {outcome.pace:.2f} of the clock's"
    out.print(f"live       {outcome.seconds:.2f} s in {len(outcome.counts)} processes{pace}")
    for name, what in outcome.about.items():
        out.print(f"{name:<10} {what}", markup=False)
    for name, device in outcome.devices.items():
        out.print(f"{name:<10} {device}", markup=False)
    for name, state in outcome.topics.items():
        if state["declared"] and state["published"] and not (state["alive"] and state["on_rate"]):
            out.print(f"slow       {name}: {state['rate']:.4g} Hz of {state['declared']:.4g} Hz")
    for event in outcome.events:
        out.print(f"{event.kind:<10} {event.text}", markup=False)
    out.print(f"logs       {folder / 'logs'}")
