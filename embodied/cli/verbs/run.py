"""`embodied run`: one run, with its verdict."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from embodied.cli.common.output import (
    FileArgument,
    ForOption,
    JsonOption,
    LiveOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    StatusLine,
    SwapOption,
    WorldOption,
    choose_profile,
    ending,
    err,
    new_run_folder,
    nothing_begun,
    out,
    overrides,
    print_json,
    time_limit,
    usage,
    versions,
)
from embodied.cli.verbs.run_live import Asked, run_live
from embodied.clock import SECOND
from embodied.launch import load
from embodied.recording import filmstrip
from embodied.recording.filmstrip import Film
from embodied.runtime.episode import Outcome, Watcher, play
from embodied.runtime.lockstep import Lockstep


def run(
    file: FileArgument,
    *,
    sim: SimOption = False,
    live: LiveOption = False,
    profile: ProfileOption = None,
    world: WorldOption = None,
    seed: Annotated[int, typer.Option(min=0, help="everything random is drawn from it")] = 0,
    until: ForOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    machine: Annotated[
        str | None, typer.Option("--on", help="run the part of this machine, one of the launch file's 'machines'")
    ] = None,
    keys: Annotated[Path | None, typer.Option(help="the folder of this machine's keys")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run a launch file and say how it ended."""
    with ending(as_json):
        limit = time_limit(until)
        chosen = choose_profile(sim, profile)
        with nothing_begun():
            graph = load(file, overrides(site, sets, swaps, world)).graph(chosen)
        if machine is not None and not (live or graph.clock == "steady"):
            raise usage("--on is for a run on the steady clock", "add --live")
        folder = new_run_folder(file.stem)
        if live or graph.clock == "steady":
            asked = Asked(file, chosen, seed, limit, machine, keys)
            raise typer.Exit(run_live(graph, asked, folder, as_json))
        film = Film()
        with _Progress() as progress:
            outcome = play(graph, seed, limit=limit, watchers=[film, progress])
        picture = _keep(outcome, film, folder)
        if as_json:
            print_json(_as_json(outcome, picture))
        else:
            _show(outcome, picture)
    # A run that was told to stop before anything was decided has done what it was told.
    raise typer.Exit(1 if outcome.passed is False else 0)


class _Progress(StatusLine, Watcher):
    """How far a run is: redrawn on a terminal, repeated every few seconds elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self._begin = time.monotonic()
        self._shown = self._begin
        self._pause = 0.1 if err.is_terminal else 0.3

    def look(self, run: Lockstep) -> None:
        """Say how far it is."""
        at = time.monotonic()
        if at - self._shown < self._pause:
            return
        self._shown = at
        seconds = run.now / SECOND
        line = f"simulated {seconds:5.2f} s at {seconds / (at - self._begin):.1f}x real time"
        if not self.draw(line):
            err.print(line)
            self._pause = 5.0


def _keep(outcome: Outcome, film: Film, folder: Path) -> Path | None:
    sheet = film.strip(f"seed {outcome.seed}: {outcome.reason}")
    if sheet is None:
        return None
    picture = folder / "final.png"
    filmstrip.save(film.pictures[-1][1], picture)
    filmstrip.save(sheet, folder / "film.png")
    return picture


def _as_json(outcome: Outcome, picture: Path | None) -> dict[str, object]:
    return {
        **outcome.as_dict(),
        "picture": None if picture is None else str(picture),
        "film": None if picture is None else str(picture.with_name("film.png")),
        "nodes": outcome.nodes,
        "topics": outcome.topics,
        "versions": versions() | dict(outcome.about),
    }


def _show(outcome: Outcome, picture: Path | None) -> None:
    word = {True: "[bold green]PASS[/]", False: "[bold red]FAIL[/]", None: "[bold]DONE[/]"}[outcome.passed]
    out.print(f"{word}  {escape(outcome.reason)}")
    out.print(f"seed       {outcome.seed}")
    out.print(f"digest     {outcome.digest}")
    out.print(f"simulated  {outcome.simulated:.2f} s in {outcome.wall:.2f} s ({outcome.factor:.1f}x real time)")
    for name, what in outcome.about.items():
        out.print(f"{name:<10} {what}", markup=False)
    for name, state in outcome.topics.items():
        if state["declared"] and not (state["alive"] and state["on_rate"]):
            out.print(f"slow       {name}: {state['rate']:.4g} Hz of {state['declared']:.4g} Hz")
    for name, tally in outcome.guards.items():
        line = f"guard      {name}: {tally['clips']} steps clipped, {tally['refusals']} held"
        often = tally.get("clip") or tally.get("refusal")
        out.print(line + (f"; most often: {often}" if often else ""), markup=False)
    for fault in outcome.faults:
        out.print(f"fault      {fault['fault']}: {fault['steps']} steps", markup=False)
    if picture is not None:
        out.print(f"picture    {picture}, and film.png beside it")
