"""Live run of a graph with progress and result on the terminal, as `run --live` and `virtual` have it."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from pathlib import Path

from rich.markup import escape

from embodied.cli.common.output import INTERRUPTED, StatusLine, err, fail, out, print_json
from embodied.cli.common.run_folders import versions
from embodied.cli.common.slow_topics import slow_lines
from embodied.cli.common.terminal_output import PATIENCE, TerminalOutput, queued_output
from embodied.clock import SECOND, Time
from embodied.graph.graph import Graph
from embodied.live.episode import SIGNALS, LiveOutcome, LiveWatcher, play_live
from embodied.live.launcher import Launcher

BY_HAND = (SIGNALS[signal.SIGINT], SIGNALS[signal.SIGTSTP])
"""Ways to stop a run at its terminal, after which the exit code is that of an interrupt."""

ON_PACE = 0.98
"""Pace of the world against the clock below which it is reported."""


@dataclass(frozen=True, slots=True)
class LiveRunOptions:
    """Options of a live run on the terminal, for `run --live` and `virtual`.

    Attributes:
        file: launch file.
        profile: profile of the launch file.
        seed: seed of everything random.
        limit: time at which to stop [ns].
        machine: machine whose part is run; None: all of it.
        keys: folder with the keys of this machine.
        judged: whether the world's verdict is taken.
        keep: whether the run goes on beyond the verdict.
        name: of the run; None: that of the launch file.
    """

    file: Path
    profile: str | None
    seed: int
    limit: Time | None = None
    machine: str | None = None
    keys: Path | None = None
    judged: bool = True
    keep: bool = False
    name: str | None = None


def run_live(graph: Graph, options: LiveRunOptions, folder: Path, as_json: bool) -> int:
    """Run a graph live with progress on the terminal, and print how it ended.

    Returns:
        the exit code.
    """
    try:
        return _run_live(graph, options, folder, as_json)
    except KeyboardInterrupt as error:
        by = str(error)
        if by in ("", *BY_HAND) or hasattr(error, "__notes__"):
            raise
        # A service manager that stops a run while it starts has got what it asked for.
        raise fail(f"stopped by {by} before all of it ran", 0, as_json) from None


def _run_live(graph: Graph, options: LiveRunOptions, folder: Path, as_json: bool) -> int:
    file, machine = options.file, options.machine
    about = {"file": str(file), "profile": options.profile, "folder": str(folder.absolute()), "machine": machine}
    with queued_output() as terminal:
        with LiveProgress(terminal) as progress:
            outcome = play_live(
                graph,
                options.seed,
                name=(options.name or file.stem) + ("" if machine is None else f"-{machine}"),
                about=about,
                limit=options.limit,
                logs=folder / "logs",
                machine=machine,
                keys=options.keys,
                watchers=[progress],
                judged=options.judged,
                keep=options.keep,
            )
        # Nothing moves any more: the result may wait for its reader, unless somebody waits for the end of the run.
        terminal.wait_from_now_on(PATIENCE if outcome.stopped_by else None)
        if as_json:
            result = {**outcome.as_dict(), "logs": str(folder / "logs"), "versions": versions() | dict(outcome.about)}
            print_json(result)
        else:
            _print(outcome, folder)
    if outcome.failure:
        return 3
    # A run that was kept has done its work when somebody ends it.
    if outcome.passed is None and outcome.stopped_by in BY_HAND:
        return INTERRUPTED
    return 1 if outcome.passed is False else 0


class LiveProgress(StatusLine, LiveWatcher):
    """Progress of a live run on the terminal: events as they happen, and a status line.

    Args:
        terminal: output of the run; a closed pipe there stops the run, as a closed terminal does.
    """

    def __init__(self, terminal: TerminalOutput) -> None:
        super().__init__()
        self._printed = 0
        self._judged = False
        self._terminal = terminal

    def begin(self, run: Launcher) -> None:
        """Print the name of the run and the devices that it has met."""
        count = len(run.processes)
        err.print(f"running as {run.directory.name}, in {count} processes: embodied top, embodied stop", markup=False)
        for name, device in run.devices.items():
            err.print(f"{name}: {device}", markup=False)

    def look(self, run: Launcher) -> None:
        """Print the events since the last call, and the verdict of a run that goes on beyond it."""
        if self._terminal.reader_gone:
            run.cancelled = run.cancelled or "the end of its output"
        for event in run.events[self._printed :]:
            err.print(f"[{run.now / SECOND:.2f} s] {event.text}", markup=False)
        self._printed = len(run.events)
        if run.keep and run.verdict is not None and not self._judged:
            self._judged = True
            word = "PASS" if run.verdict.passed else "FAIL"
            text = f"{word}  {run.verdict.reason}; it goes on until Ctrl-C or 'embodied stop {run.directory.name}'"
            err.print(f"[{run.now / SECOND:.2f} s] {text}", markup=False)
        alive = sum(process.state == "running" for process in run.processes.values())
        self.draw(f"{run.now / SECOND:5.1f} s, {alive} of {len(run.processes)} processes")


def _print(outcome: LiveOutcome, folder: Path) -> None:
    word = {True: "[bold green]PASS[/]", False: "[bold red]FAIL[/]", None: "[bold]DONE[/]"}[outcome.passed]
    if outcome.failure:
        word = "[bold red]BROKEN[/]"
    out.print(f"{word}  {escape(outcome.reason)}")
    told = [outcome.reason, *(event.text for event in outcome.events)]
    if outcome.failure and not any(outcome.failure in text for text in told):
        out.print(f"failure    {outcome.failure}", markup=False)
    out.print(f"seed       {outcome.seed}")
    pace = "" if outcome.pace > ON_PACE else f", the world's time at {outcome.pace:.2f} of the clock's"
    out.print(f"live       {outcome.seconds:.2f} s in {len(outcome.counts)} processes{pace}")
    for name, version in outcome.about.items():
        out.print(f"{name:<10} {version}", markup=False)
    for name, device in outcome.devices.items():
        out.print(f"{name:<10} {device}", markup=False)
    for line in slow_lines({name: state for name, state in outcome.topics.items() if state["published"]}):
        out.print(line, markup=False)
    for event in outcome.events:
        out.print(f"{event.kind:<10} {event.text}", markup=False)
    out.print(f"logs       {outcome.logs_trouble or folder / 'logs'}", markup=False)
