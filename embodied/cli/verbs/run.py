"""`embodied run`: one run of a launch file, with its verdict."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from embodied.cli.common.launch_options import FileArgument, LaunchOptions, LiveOption, with_launch_options
from embodied.cli.common.live_run import LiveRunOptions, run_live
from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import (
    StatusLine,
    err,
    exit_on_error,
    immediate_interrupt,
    os_error_text,
    out,
    print_json,
    usage,
)
from embodied.cli.common.run_folders import new_run_folder, versions
from embodied.cli.common.slow_topics import slow_lines
from embodied.clock import SECOND
from embodied.interrupts import handled
from embodied.live.reaper import marked_environment
from embodied.recording import filmstrip
from embodied.recording.filmstrip import Film
from embodied.runtime.episode import Outcome, Watcher, play
from embodied.runtime.lockstep import Lockstep

REDRAW_PERIOD = 0.1
"""Time between two updates of the status line on a terminal [s]."""

FIRST_LINE_AFTER = 0.3
"""Time to the first line of progress where there is no terminal [s]."""

LINE_PERIOD = 5.0
"""Time between further lines of progress there [s]."""


@with_launch_options
def run(
    file: FileArgument,
    *,
    live: LiveOption = False,
    options: LaunchOptions,
    seed: Annotated[int, typer.Option(min=0, help="seed of everything random")] = 0,
    until: ForOption = None,
    machine: Annotated[
        str | None, typer.Option("--on", help="run the part of this machine, one of the launch file's 'machines'")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="the folder of this machine's keys")] = None,
    keep: Annotated[bool, typer.Option("--keep", help="live: go on after the verdict, until Ctrl-C or stop")] = False,
    as_json: JsonOption = False,
) -> None:
    """Run a launch file and print the verdict."""
    with exit_on_error(as_json):
        limit = time_limit(until)
        profile = options.chosen_profile()
        with immediate_interrupt():
            launch = options.load(file)
            graph = launch.graph(profile)
        for hint in launch.unused(profile):
            err.print(f"hint: {hint}", markup=False)
        for option, given in (("--on", machine is not None), ("--keep", keep)):
            if given and not (live or graph.clock == "steady"):
                raise usage(f"{option} is for a run on the steady clock", "add --live")
        folder = new_run_folder(file.stem)
        if live or graph.clock == "steady":
            how = LiveRunOptions(file, profile, seed, limit, machine, keys, keep=keep)
            raise typer.Exit(run_live(graph, how, folder, as_json))
        film = Film()
        with Progress() as progress, marked_environment(), handled():
            outcome = play(graph, seed, limit=limit, watchers=[film, progress])
        picture, trouble = _save_pictures(outcome, film, folder)
        if as_json:
            print_json({**_as_json(outcome, picture), "picture_trouble": trouble})
        else:
            _print(outcome, picture)
            if trouble:
                out.print(f"picture    none: {trouble}", markup=False)
    # Without a verdict, as with --for or Ctrl-C, the run did what was asked of it.
    raise typer.Exit(1 if outcome.passed is False else 0)


class Progress(StatusLine, Watcher):
    """Progress of `embodied run` in lockstep: redrawn on a terminal, a line every few seconds elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._shown = time.monotonic()
        self._pause = REDRAW_PERIOD if err.is_terminal else FIRST_LINE_AFTER

    def look(self, run: Lockstep) -> None:
        """Show the simulated time and its speed, if the last time is long enough ago."""
        at = time.monotonic()
        if at - self._shown < self._pause:
            return
        self._shown = at
        seconds = run.now / SECOND
        # As in the result: time for start-up and pictures is none of the simulation's.
        speed = f" at {seconds / run.wall:.1f}x real time" if run.wall else ""
        line = f"simulated {seconds:5.2f} s{speed}"
        if not self.draw(line):
            err.print(line)
            self._pause = LINE_PERIOD


def _save_pictures(outcome: Outcome, film: Film, folder: Path) -> tuple[Path | None, str]:
    """Save the last picture and the film strip; return the file, and why there is none."""
    sheet = film.strip(f"seed {outcome.seed}: {outcome.reason}")
    if sheet is None or film.trouble:
        return None, film.trouble
    picture = folder / "final.png"
    try:
        filmstrip.save(film.pictures[-1][1], picture)
        filmstrip.save(sheet, folder / "film.png")
    except OSError as error:
        # A full disk costs the pictures, and not the verdict.
        return None, os_error_text(error)
    return picture, ""


def _as_json(outcome: Outcome, picture: Path | None) -> dict[str, object]:
    return {
        **outcome.as_dict(),
        "picture": None if picture is None else str(picture),
        "film": None if picture is None else str(picture.with_name("film.png")),
        "nodes": outcome.nodes,
        "topics": outcome.topics,
        "versions": versions() | dict(outcome.about),
    }


def _print(outcome: Outcome, picture: Path | None) -> None:
    word = {True: "[bold green]PASS[/]", False: "[bold red]FAIL[/]", None: "[bold]DONE[/]"}[outcome.passed]
    out.print(f"{word}  {escape(outcome.reason)}")
    out.print(f"seed       {outcome.seed}")
    out.print(f"digest     {outcome.digest}")
    out.print(f"simulated  {outcome.simulated:.2f} s in {outcome.wall:.2f} s ({outcome.factor:.1f}x real time)")
    for name, version in outcome.about.items():
        out.print(f"{name:<10} {version}", markup=False)
    for line in slow_lines(outcome.topics):
        out.print(line, markup=False)
    for name, tally in outcome.guards.items():
        line = f"guard      {name}: {tally['clips']} steps clipped, {tally['refusals']} held"
        most_often = tally.get("clip") or tally.get("refusal")
        out.print(line + (f"; most often: {most_often}" if most_often else ""), markup=False)
    for name, count in outcome.nodes.items():
        if count["rejected"]:
            text = f"rejected   {name}: {count['rejected']} of {count['steps']} results; the last: {count['rejection']}"
            out.print(text, markup=False)
    for fault in outcome.faults:
        out.print(f"fault      {fault['fault']}: {fault['steps']} steps", markup=False)
    if picture is not None:
        out.print(f"picture    {picture}, and film.png beside it")
