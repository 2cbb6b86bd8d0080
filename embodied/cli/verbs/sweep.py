"""`embodied sweep`: pass rates over a grid of settings, with a plot."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from embodied.cli.common.launch_options import LaunchOptions, with_launch_options
from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.cli.common.run_folders import new_run_folder, versions
from embodied.cli.common.suite_session import (
    SEEDS,
    TIMEOUT,
    JobsOption,
    RerunOption,
    ResumeOption,
    TimeoutOption,
    read_seeds,
    resumed_suite,
    run_with_progress,
)
from embodied.cli.common.tables import Column, Table, numeric
from embodied.plain_data import dumps
from embodied.suite import Result, Scenario
from embodied.suite.plot import plot
from embodied.suite.record import SuiteSpec, check_scenarios
from embodied.suite.session import Session
from embodied.suite.shapes import AXES
from embodied.suite.stored import read_json
from embodied.suite.sweep import Axis, Point, grid, points
from embodied.untrusted.text import written_out

AXES_FILE = "axes.json"
"""File in the folder of a suite that makes it a sweep."""


@with_launch_options
def sweep(
    file: Annotated[Path | None, typer.Argument(help="the launch file", show_default=False)] = None,
    *,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="setting and its values: detector.latency=0:300ms:25ms, both ends included, or robot=panda,xarm6; "
            "repeatable, for a grid"
        ),
    ] = None,
    seeds: Annotated[str | None, typer.Option(help=f"seeds of each point, A:B  [default: {SEEDS}]")] = None,
    jobs: JobsOption = 1,
    timeout: TimeoutOption = TIMEOUT,
    rerun_infra: RerunOption = 0,
    resumed: ResumeOption = None,
    options: LaunchOptions,
    until: ForOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run the same seeds at each point of a grid of settings, and plot how often they pass."""
    with exit_on_error(as_json):
        limit = time_limit(timeout, "--timeout")
        earlier_results: list[Result] = []
        if resumed is not None:
            folder, spec, earlier_results = resumed_suite(resumed, (file, over, seeds, options.given, until))
            axes = _read_axes(folder)
        else:
            if file is None or not over:
                raise usage("what is swept?", "write embodied sweep FILE --over detector.latency=0:300ms:25ms")
            axes = [Axis.parse(text) for text in over]
            profile = options.chosen_profile(default="sim")
            scenarios = grid(Scenario(file.stem, file, profile, options.overrides, time_limit(until)), axes)
            spec = SuiteSpec(scenarios, read_seeds(seeds), 1, "none", check_scenarios(scenarios), versions())
            folder = new_run_folder(f"sweep-{file.stem}")
            (folder / AXES_FILE).write_text(dumps([axis.as_dict() for axis in axes]), encoding="utf-8")
        session = Session(spec, folder, earlier_results, jobs)
        run_with_progress(session, "sweep", resumed=resumed is not None, timeout=limit, reruns=rerun_infra)
        summary = session.summary()
        session.write(summary)
        statistics = points(summary, axes)
        data = _write(spec, axes, statistics, folder)
        if as_json:
            print_json({**data, "folder": str(folder)})
        else:
            _print(axes, statistics, folder)
    raise typer.Exit(3 if any(point.broken for point in statistics) else 0)


def _read_axes(folder: Path) -> list[Axis]:
    try:
        return [Axis.from_dict(entry) for entry in read_json(folder / AXES_FILE, AXES)]
    except FileNotFoundError:
        raise usage(f"{folder} is a suite and no sweep", f"write embodied test --resume {folder}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise usage(f"{folder / AXES_FILE} cannot be read: {reason}", "start a new sweep") from None


def _write(spec: SuiteSpec, axes: Sequence[Axis], statistics: Sequence[Point], folder: Path) -> dict[str, Any]:
    """Write `results.json` and `plot.svg`, and return the data of the former."""
    file = spec.scenarios[0].file
    data = {
        "file": str(file),
        "seeds": [min(spec.seeds), max(spec.seeds) + 1],
        "axes": [axis.as_dict() for axis in axes],
        "points": [point.as_dict() for point in statistics],
    }
    (folder / "results.json").write_text(dumps(data), encoding="utf-8")
    picture = plot(axes, statistics, f"{file.stem}: success by {' and '.join(axis.key for axis in axes)}")
    if picture is not None:
        (folder / "plot.svg").write_text(written_out(picture), encoding="utf-8")
    return data


def _print(axes: Sequence[Axis], statistics: Sequence[Point], folder: Path) -> None:
    rows = Table(
        *(Column(axis.key) for axis in axes),
        numeric("passed"),
        numeric("rate"),
        numeric("95 % interval", 3),
        numeric("dropped", 1),
        numeric("mean duration", 2),
    )
    for point in statistics:
        broken = f" ({point.broken} broke down)" if point.broken else ""
        rows.add(
            *point.values.values(),
            f"{point.passed} of {point.total}{broken}",
            f"{point.rate:.1%}",
            f"{point.low:.1%} to {point.high:.1%}",
            str(point.dropped),
            "" if point.duration is None else f"{point.duration:.2f} s",
        )
    rows.print()
    picture = "plot.svg" if len(axes) <= 2 else "results.json"
    out.print(f"kept       {folder / picture}, with results.json and report.html beside it", markup=False)
