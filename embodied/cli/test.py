"""`embodied test`: many seeds of one or several launch files, counted, kept, compared and told."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.bar import Bar
from embodied.cli.output import (
    Format,
    FormatOption,
    ForOption,
    JsonOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    SwapOption,
    WorldOption,
    choose_profile,
    dumps,
    ending,
    err,
    new_run_folder,
    out,
    overrides,
    print_json,
    time_limit,
    usage,
    versions,
)
from embodied.clock import SECOND, Time
from embodied.errors import LaunchError
from embodied.launch import Overrides
from embodied.suite import Job, Result, Scenario, Summary, github, run_suite
from embodied.suite.compare import Baseline
from embodied.suite.episode import Films
from embodied.suite.junit import junit
from embodied.suite.record import Asked, Record, prove, resume
from embodied.suite.report import report

MAX_SEEDS = 1_000_000

SEEDS = "0:10"
TIMEOUT = "2min"


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
    films: Annotated[Films, typer.Option("--video", help="of which seeds there is a video")] = "failures",
    resumed: Annotated[Path | None, typer.Option("--resume", help="go on with runs/<id>, where it was ended")] = None,
    format: FormatOption = Format.TEXT,  # noqa: A002
    sim: SimOption = False,
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
        if resumed is None:
            asked = _asked(files, choose_profile(sim, profile) or "sim", given, time_limit(until), seeds, repeat, films)
            found: list[Result] = []
        else:
            if files or seeds or given != Overrides() or until or sim or profile:
                raise usage("--resume goes on with what was asked before", "leave out files, seeds and overrides")
            asked, found = resume(resumed, versions())
        earlier = None if baseline is None else Baseline(baseline)
        if earlier is not None:
            earlier.check([scenario.name for scenario in asked.scenarios], asked.seeds)
        folder = resumed or new_run_folder(f"test-{asked.scenarios[0].name}")
        run = _Suite(asked, folder, found, jobs)
        with _kept(run), Record(folder, None if resumed else asked) as record:
            run.run(record, None if limit is None else limit / SECOND, rerun_infra)
        summary = run.finish(earlier, complete=True)
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
) -> Asked:
    if not files:
        raise usage("which launch files?", "write embodied test launch/pick_place.yaml")
    numbers = read_seeds(SEEDS if seeds is None else seeds)
    scenarios: list[Scenario] = []
    for file in files:
        stem = file.stem if given.world is None else f"{file.stem}-{given.world}"
        same = sum(scenario.name.split("~")[0] == stem for scenario in scenarios)
        name = f"{stem}~{same + 1}" if same else stem
        scenarios.append(Scenario(name, file, profile, given, limit))
    return Asked(scenarios, numbers, repeat, films, prove(scenarios), versions())


def read_seeds(text: str) -> list[int]:
    """The value of --seeds.

    Raises:
        LaunchError: it is not a range of seeds, or an empty one.
    """
    first, colon, last = text.partition(":")
    try:
        start = int(first)
        stop = int(last) if colon else start + 1
    except ValueError:
        raise usage(
            f"cannot read the seeds '{text}'", "write --seeds 0:100, from 0 up to but not including 100"
        ) from None
    if start < 0 or stop <= start or stop - start > MAX_SEEDS:
        raise usage(f"the seeds '{text}' are empty, reversed, negative or too many", "write --seeds 0:100")
    return list(range(start, stop))


class _Suite:
    """A suite under way: what was asked, and what has come of it so far."""

    def __init__(self, asked: Asked, folder: Path, found: Sequence[Result], processes: int) -> None:
        self.folder = folder
        self._asked = asked
        self._kept = {(result.scenario, result.seed): result for result in found}
        self._fresh: list[Result] = []
        self._processes = processes
        self._begin = time.monotonic()

    def run(self, record: Record, timeout: float | None, reruns: int) -> None:
        """Run what is missing, each result recorded as it comes."""
        asked = self._asked
        jobs = [Job(scenario, asked.repeat, self.folder, asked.films) for scenario in asked.scenarios]
        total = len(jobs) * len(asked.seeds)
        with Bar(total, self._kept.values(), "" if len(jobs) == 1 else "seed") as bar:

            def done(result: Result) -> None:
                record.add(result)
                self._fresh.append(result)
                bar.done(result)

            skip = frozenset(self._kept)
            run_suite(jobs, asked.seeds, self._processes, done, timeout=timeout, reruns=reruns, skip=skip)

    def finish(self, baseline: Baseline | None, *, complete: bool) -> Summary:
        """Count, compare, and write everything into the folder."""
        found = self._kept | {(result.scenario, result.seed): result for result in self._fresh}
        order = [(scenario.name, seed) for scenario in self._asked.scenarios for seed in self._asked.seeds]
        results = [found[key] for key in order if key in found]
        summary = Summary(
            self._asked.scenarios,
            results,
            time.monotonic() - self._begin,
            sum(result.wall for result in self._fresh),
            self._processes,
            {"repeat": self._asked.repeat, "versions": dict(self._asked.versions), "resumed": len(self._kept)},
            complete,
        )
        if baseline is not None:
            comparisons = {
                scenario.name: baseline.compare(scenario.name, summary.of(scenario).results, summary.of(scenario).about)
                for scenario in summary.scenarios
            }
            summary = summary.beside(comparisons)
        (self.folder / "summary.json").write_text(dumps(summary.as_dict()), encoding="utf-8")
        (self.folder / "junit.xml").write_bytes(junit(summary))
        (self.folder / "report.html").write_text(report(summary, self.folder), encoding="utf-8")
        return summary


@contextmanager
def _kept(run: _Suite) -> Iterator[None]:
    """What has been finished is not lost with what has not."""
    try:
        yield
    except LaunchError:
        raise
    except BaseException as error:
        err.print(f"go on with: embodied test --resume {run.folder}", markup=False)
        try:
            run.finish(None, complete=False)
        except OSError as other:
            error.add_note(f"the summary could not be written: {other}")
        raise


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
                out.print(f"    {scenario.command(result.seed)}", markup=False)
                for kind, file in result.files.items():
                    out.print(f"    {kind}: {folder / file}", markup=False)
        comparison = summary.comparisons.get(scenario.name)
        if comparison is not None:
            out.print(f"  beside the baseline: {comparison}", markup=False)
    out.print(f"digest     {summary.all.digest}")
    simulated = summary.all.simulated
    out.print(f"simulated  {simulated:.1f} s in {summary.wall:.1f} s ({simulated / summary.wall:.1f}x real time)")
    if summary.all.dropped:
        out.print(f"dropped    {summary.all.dropped} messages")
    out.print(f"report     {folder / 'report.html'}, with summary.json and junit.xml beside it")
