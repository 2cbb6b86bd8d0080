"""`embodied test`: many seeds of launch files, with pass rates, reports and a comparison with a baseline."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.launch_options import Format, FormatOption, LaunchOptions, LiveOption, with_launch_options
from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import err, exit_on_error, immediate_interrupt, os_error_text, out, print_json, usage
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
from embodied.clock import Time
from embodied.suite import Result, Scenario, Summary, github
from embodied.suite.baseline import Baseline
from embodied.suite.pictures import FILMED_MOST
from embodied.suite.record import SuiteSpec, check_scenarios
from embodied.suite.seed_run import Films, read_launch
from embodied.suite.session import Session


@with_launch_options
def test(
    files: Annotated[list[Path] | None, typer.Argument(help="launch files", show_default=False)] = None,
    *,
    seeds: Annotated[
        str | None, typer.Option(help=f"A:B, from A up to but not including B; or a single seed  [default: {SEEDS}]")
    ] = None,
    jobs: JobsOption = 1,
    repeat: Annotated[
        int,
        typer.Option(
            min=1,
            max=100,
            help="number of runs of each seed, in processes with other hash seeds; their digests must agree",
        ),
    ] = 1,
    at_least: Annotated[
        float | None,
        typer.Option(
            min=0.0,
            max=1.0,
            help="pass if this share of the seeds passes  [default: 1, with a baseline 0]",
        ),
    ] = None,
    baseline: Annotated[
        Path | None,
        typer.Option(
            help="a summary.json; fail if a seed newly fails, and live if seeds got worse beyond chance (McNemar test)"
        ),
    ] = None,
    allow_new_failures: Annotated[
        int, typer.Option(min=0, help="number of a scenario's seeds that may newly fail in lockstep, with --baseline")
    ] = 0,
    timeout: TimeoutOption = TIMEOUT,
    rerun_infra: RerunOption = 0,
    films: Annotated[Films, typer.Option("--video", help="seeds of which pictures are made")] = "failures",
    resumed: ResumeOption = None,
    output_format: FormatOption = Format.TEXT,
    live: LiveOption = False,
    options: LaunchOptions,
    until: ForOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run launch files over many seeds and count how often they pass."""
    with exit_on_error(as_json):
        limit = time_limit(timeout, "--timeout")
        if allow_new_failures and baseline is None:
            raise usage("--allow-new-failures compares with a baseline", "add --baseline FILE")
        earlier_results: list[Result] = []
        if resumed is not None:
            folder, spec, earlier_results = resumed_suite(resumed, (files, seeds, options.given, until, live))
        else:
            spec = _spec(files, options, time_limit(until), read_seeds(seeds), repeat, films, live)
        compared_with = None if baseline is None else Baseline(baseline, allow_new_failures)
        if compared_with is not None:
            compared_with.check([scenario.name for scenario in spec.scenarios], spec.seeds)
        if resumed is None:
            folder = new_run_folder(f"test-{spec.scenarios[0].name}")
        session = Session(spec, folder, earlier_results, jobs, compared_with)
        run_with_progress(session, "test", resumed=resumed is not None, timeout=limit, reruns=rerun_infra)
        summary = session.summary()
        try:
            session.write(summary)
            trouble = ""
        except OSError as error:
            # A full disk costs the reports; what was found out is printed all the same.
            trouble = os_error_text(error)
        if as_json:
            print_json({**summary.as_dict(), "folder": str(folder), "report_trouble": trouble})
        else:
            _print(summary, folder)
        if trouble:
            err.print(f"error: the report could not be written: {trouble}", markup=False)
        if output_format is Format.GITHUB:
            for line in github.annotate(summary):
                print(line, file=sys.stderr if as_json else sys.stdout)
            github.write_page(summary)
    threshold = at_least if at_least is not None else 1.0 if baseline is None else 0.0
    raise typer.Exit(3 if trouble else summary.exit_code(threshold))


def _spec(
    files: Sequence[Path] | None,
    options: LaunchOptions,
    limit: Time | None,
    seeds: Sequence[int],
    repeat: int,
    films: Films,
    live: bool,
) -> SuiteSpec:
    if not files:
        raise usage("which launch files?", "write embodied test launch/pick_place.yaml")
    profile = options.chosen_profile(default="sim")
    scenarios: list[Scenario] = []
    for file in files:
        stem = file.stem if options.world is None else f"{file.stem}-{options.world}"
        same = sum(scenario.name.split("~")[0] == stem for scenario in scenarios)
        name = f"{stem}~{same + 1}" if same else stem
        scenario = Scenario(name, file, profile, options.overrides, limit, live)
        with immediate_interrupt():
            launch = read_launch(scenario)
        for hint in launch.unused(profile):
            err.print(f"hint: {hint}", markup=False)
        steady = live or launch.graph(profile).clock == "steady"
        if steady and repeat > 1:
            raise usage("--repeat compares digests, and live runs have none", "leave out --repeat, or --live")
        scenarios.append(replace(scenario, live=steady))
    return SuiteSpec(scenarios, seeds, repeat, films, check_scenarios(scenarios), versions())


def _print(summary: Summary, folder: Path) -> None:
    for scenario in summary.scenarios:
        tally = summary.tally(scenario)
        low, high = tally.interval
        name = "" if len(summary.scenarios) == 1 else f"{scenario.name}: "
        counts = f"{tally.passed} of {len(tally.results)} passed"
        out.print(f"{name}[bold]{counts}[/] ({tally.rate:.1%}; 95 % interval {low:.1%} to {high:.1%})")
        for result in tally.results:
            if result.status != "passed":
                _print_seed(scenario, result, folder)
        for fault, count in tally.fault_counts.items():
            out.print(f"  fault {fault}: struck in {count} of {len(tally.results)} seeds", markup=False)
        comparison = summary.comparisons.get(scenario.name)
        if comparison is not None:
            out.print(f"  beside the baseline: {comparison}", markup=False)
    failed = sum(result.status == "failed" for result in summary.results)
    if failed > FILMED_MOST and any(result.files.get("filmstrip") for result in summary.results):
        out.print(f"pictures   of the first {FILMED_MOST} of {failed} that failed; of all seeds with --video all")
    if not any(scenario.live for scenario in summary.scenarios):
        out.print(f"digest     {summary.all.digest}")
    simulated = summary.all.simulated
    # The wall time is that of this session, so it says nothing about results from before it.
    kept = summary.about["resumed"]
    speed = f"; {kept} results are from before" if kept else f" ({simulated / summary.wall:.1f}x real time)"
    out.print(f"simulated  {simulated:.1f} s in {summary.wall:.1f} s{speed}")
    if summary.all.dropped:
        out.print(f"dropped    {summary.all.dropped} messages")
    out.print(f"report     {folder / 'report.html'}, with summary.json and junit.xml beside it")


def _print_seed(scenario: Scenario, result: Result, folder: Path) -> None:
    out.print(f"  seed {result.seed} {result.status}: {result.reason}", markup=False)
    for fault in result.effective_faults:
        out.print(f"    fault: {fault}", markup=False)
    out.print(f"    {scenario.command(result.seed)}", markup=False)
    for kind, file in result.files.items():
        out.print(f"    {kind}: {folder / file}", markup=False)
