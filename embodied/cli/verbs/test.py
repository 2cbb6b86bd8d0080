"""`embodied test`: many seeds of one or several launch files, counted, kept, compared and told."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.output import (
    Format,
    FormatOption,
    ForOption,
    JsonOption,
    LiveOption,
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
from embodied.clock import Time
from embodied.launch import Overrides
from embodied.suite import Result, Scenario, Summary, github
from embodied.suite.compare import Baseline
from embodied.suite.record import Asked, prove
from embodied.suite.seed_run import Films, read
from embodied.suite.session import Session


def test(
    files: Annotated[list[Path] | None, typer.Argument(help="launch files", show_default=False)] = None,
    *,
    seeds: Annotated[
        str | None, typer.Option(help=f"A:B, from A up to but not including B; or a single seed  [default: {SEEDS}]")
    ] = None,
    jobs: Annotated[int, typer.Option(min=1, max=256, help="processes")] = 1,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="run each seed this often; digests must agree")] = 1,
    at_least: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="pass if this share of the seeds passes  [default: 1, with a baseline 0]"),
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option(help="a summary.json; fail if seeds got worse beyond chance (exact McNemar test)")
    ] = None,
    timeout: Annotated[str, typer.Option(help="end a seed that takes longer on the wall clock")] = TIMEOUT,
    rerun_infra: Annotated[
        int, typer.Option(min=0, max=10, help="try a seed again whose process or simulator broke; never a failed one")
    ] = 0,
    films: Annotated[Films, typer.Option("--video", help="of which seeds there are pictures")] = "failures",
    resumed: Annotated[Path | None, typer.Option("--resume", help="go on with runs/<id>, where it was ended")] = None,
    format: FormatOption = Format.TEXT,  # noqa: A002
    sim: SimOption = False,
    live: LiveOption = False,
    profile: ProfileOption = None,
    world: WorldOption = None,
    until: ForOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run launch files over many seeds and count how often they pass."""
    with ending(as_json):
        limit = time_limit(timeout, "--timeout")
        given = overrides(site, sets, swaps, world)
        found: list[Result] = []
        if resumed is not None:
            others = (files, seeds, given != Overrides(), until, sim, profile, live)
            folder, asked, found = gone_on(resumed, others)
        else:
            chosen = choose_profile(sim, profile) or "sim"
            asked = _asked(files, chosen, given, time_limit(until), seeds, repeat, films, live)
        earlier = None if baseline is None else Baseline(baseline)
        if earlier is not None:
            earlier.check([scenario.name for scenario in asked.scenarios], asked.seeds)
        if resumed is None:
            folder = new_run_folder(f"test-{asked.scenarios[0].name}")
        session = Session(asked, folder, found, jobs, earlier)
        watched(session, "test", anew=resumed is None, timeout=limit, reruns=rerun_infra)
        summary = session.summary()
        session.write(summary)
        if as_json:
            print_json({**summary.as_dict(), "folder": str(folder)})
        else:
            _show(summary, folder)
        if format is Format.GITHUB:
            for line in github.annotate(summary):
                print(line, file=sys.stderr if as_json else sys.stdout)
            github.write_page(summary)
    threshold = at_least if at_least is not None else 1.0 if baseline is None else 0.0
    raise typer.Exit(summary.exit_code(threshold))


def _asked(
    files: Sequence[Path] | None,
    profile: str,
    given: Overrides,
    limit: Time | None,
    seeds: str | None,
    repeat: int,
    films: Films,
    live: bool,
) -> Asked:
    if not files:
        raise usage("which launch files?", "write embodied test launch/pick_place.yaml")
    numbers = read_seeds(SEEDS if seeds is None else seeds)
    scenarios: list[Scenario] = []
    for file in files:
        stem = file.stem if given.world is None else f"{file.stem}-{given.world}"
        same = sum(scenario.name.split("~")[0] == stem for scenario in scenarios)
        name = f"{stem}~{same + 1}" if same else stem
        scenario = Scenario(name, file, profile, given, limit, live)
        steady = live or read(scenario).graph(profile).clock == "steady"
        if steady and repeat > 1:
            raise usage("--repeat compares digests, and live runs have none", "leave out --repeat, or --live")
        scenarios.append(replace(scenario, live=steady))
    return Asked(scenarios, numbers, repeat, films, prove(scenarios), versions())


def _show(summary: Summary, folder: Path) -> None:
    for scenario in summary.scenarios:
        tally = summary.of(scenario)
        low, high = tally.interval
        name = "" if len(summary.scenarios) == 1 else f"{scenario.name}: "
        counts = f"{tally.passed} of {len(tally.results)} passed"
        out.print(f"{name}[bold]{counts}[/] ({tally.rate:.1%}; 95 % interval {low:.1%} to {high:.1%})")
        for result in tally.results:
            if result.status != "passed":
                out.print(f"  seed {result.seed} {result.status}: {result.reason}", markup=False)
                for fault in result.struck:
                    out.print(f"    fault: {fault}", markup=False)
                out.print(f"    {scenario.command(result.seed)}", markup=False)
                for kind, file in result.files.items():
                    out.print(f"    {kind}: {folder / file}", markup=False)
        for fault, count in tally.struck.items():
            out.print(f"  fault {fault}: struck in {count} of {len(tally.results)} seeds", markup=False)
        comparison = summary.comparisons.get(scenario.name)
        if comparison is not None:
            out.print(f"  beside the baseline: {comparison}", markup=False)
    if not any(scenario.live for scenario in summary.scenarios):
        out.print(f"digest     {summary.all.digest}")
    simulated = summary.all.simulated
    # What was kept from before took none of this time.
    kept = summary.about["resumed"]
    speed = f"; {kept} results are from before" if kept else f" ({simulated / summary.wall:.1f}x real time)"
    out.print(f"simulated  {simulated:.1f} s in {summary.wall:.1f} s{speed}")
    if summary.all.dropped:
        out.print(f"dropped    {summary.all.dropped} messages")
    out.print(f"report     {folder / 'report.html'}, with summary.json and junit.xml beside it")
