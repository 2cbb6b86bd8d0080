"""`embodied sweep`: how success changes with a setting."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from embodied.cli.common.output import (
    ForOption,
    JsonOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    SwapOption,
    WorldOption,
    choose_profile,
    ending,
    new_run_folder,
    out,
    overrides,
    print_json,
    time_limit,
    usage,
    versions,
)
from embodied.cli.common.suite_session import SEEDS, TIMEOUT, gone_on, read_seeds, watched
from embodied.launch import Overrides
from embodied.plain_data import dumps
from embodied.suite import Result, Scenario
from embodied.suite.plot import plot
from embodied.suite.record import Asked, prove
from embodied.suite.session import Session
from embodied.suite.sweep import Axis, Point, grid, points

AXES = "axes.json"


def sweep(
    file: Annotated[Path | None, typer.Argument(help="the launch file", show_default=False)] = None,
    *,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="what is swept, as in --set: detector.latency=0:300ms:25ms, both ends included, or robot=panda,xarm6; "
            "repeat it for a grid"
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help=f"the same at each point: A:B  [default: {SEEDS}]")] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="processes")] = 1,
    timeout: Annotated[str, typer.Option(help="end a seed that takes longer on the wall clock")] = TIMEOUT,
    rerun_infra: Annotated[
        int, typer.Option(min=0, max=10, help="try a seed again whose process or simulator broke; never a failed one")
    ] = 0,
    resumed: Annotated[Path | None, typer.Option("--resume", help="go on with runs/<id>, where it was ended")] = None,
    sim: SimOption = False,
    profile: ProfileOption = None,
    world: WorldOption = None,
    until: ForOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the same seeds at each point of a grid of settings, and plot how often they pass."""
    with ending(as_json):
        limit = time_limit(timeout, "--timeout")
        given = overrides(site, sets, swaps, world)
        found: list[Result] = []
        if resumed is not None:
            others = (file, over, seeds, given != Overrides(), until, sim, profile)
            folder, asked, found = gone_on(resumed, others)
            axes = _axes(folder)
        else:
            if file is None or not over:
                raise usage("what is swept?", "write embodied sweep FILE --over detector.latency=0:300ms:25ms")
            axes = [Axis.of(text) for text in over]
            base = Scenario(file.stem, file, choose_profile(sim, profile) or "sim", given, time_limit(until))
            scenarios = grid(base, axes)
            asked = Asked(
                scenarios, read_seeds(SEEDS if seeds is None else seeds), 1, "none", prove(scenarios), versions()
            )
            folder = new_run_folder(f"sweep-{file.stem}")
            (folder / AXES).write_text(dumps([axis.as_dict() for axis in axes]), encoding="utf-8")
        session = Session(asked, folder, found, jobs)
        watched(session, "sweep", anew=resumed is None, timeout=limit, reruns=rerun_infra)
        summary = session.summary()
        session.write(summary)
        made = points(summary, axes)
        data = _written(asked, axes, made, folder)
        if as_json:
            print_json({**data, "folder": str(folder)})
        else:
            _show(axes, made, folder)
    raise typer.Exit(3 if any(point.broken for point in made) else 0)


def _axes(folder: Path) -> list[Axis]:
    try:
        return [Axis.from_dict(entry) for entry in json.loads((folder / AXES).read_text(encoding="utf-8"))]
    except (OSError, ValueError, KeyError, TypeError):
        raise usage(f"{folder} is a suite and no sweep", f"write embodied test --resume {folder}") from None


def _written(asked: Asked, axes: Sequence[Axis], made: Sequence[Point], folder: Path) -> dict[str, Any]:
    data = {
        "file": str(asked.scenarios[0].file),
        "seeds": [min(asked.seeds), max(asked.seeds) + 1],
        "axes": [axis.as_dict() for axis in axes],
        "points": [point.as_dict() for point in made],
    }
    (folder / "results.json").write_text(dumps(data), encoding="utf-8")
    picture = plot(axes, made, f"{asked.scenarios[0].file.stem}: success by {' and '.join(axis.key for axis in axes)}")
    if picture is not None:
        (folder / "plot.svg").write_text(picture, encoding="utf-8")
    return data


def _show(axes: Sequence[Axis], made: Sequence[Point], folder: Path) -> None:
    table = Table(box=None, pad_edge=False)
    for axis in axes:
        table.add_column(axis.key)
    for head in ("passed", "rate", "95 % interval", "dropped", "mean duration"):
        table.add_column(head, justify="right")
    for point in made:
        broken = f" ({point.broken} broke down)" if point.broken else ""
        table.add_row(
            *point.values.values(),
            f"{point.passed} of {point.total}{broken}",
            f"{point.rate:.1%}",
            f"{point.low:.1%} to {point.high:.1%}",
            str(point.dropped),
            "" if point.duration is None else f"{point.duration:.2f} s",
        )
    out.print(table)
    shown = "plot.svg" if len(axes) <= 2 else "results.json"
    out.print(f"kept       {folder / shown}, with results.json and report.html beside it", markup=False)
