"""`embodied test`: many seeds, counted."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from embodied.cli.output import (
    FileArgument,
    ForOption,
    JsonOption,
    ProfileOption,
    SetOption,
    SimOption,
    SiteOption,
    SwapOption,
    choose_profile,
    describe_overrides,
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
from embodied.launch import load
from embodied.suite import Job, Result, Summary, run_suite, wilson

MAX_SEEDS = 1_000_000


def test(
    file: FileArgument,
    *,
    seeds: Annotated[str, typer.Option(help="A:B, from A up to but not including B; or a single seed")] = "0:10",
    jobs: Annotated[int, typer.Option(min=1, max=256, help="processes")] = 1,
    repeat: Annotated[int, typer.Option(min=1, max=100, help="run each seed this often; digests must agree")] = 1,
    at_least: Annotated[float, typer.Option(min=0.0, max=1.0, help="pass if this share of the seeds passes")] = 1.0,
    sim: SimOption = False,
    profile: ProfileOption = None,
    until: ForOption = None,
    site: SiteOption = None,
    sets: SetOption = None,
    swaps: SwapOption = None,
    as_json: JsonOption = False,
) -> None:
    """Run a launch file over many seeds and count how often it passes."""
    with ending(as_json):
        chosen = choose_profile(sim, profile) or "sim"
        numbers = _seeds(seeds)
        given = overrides(site, sets, swaps)
        limit = time_limit(until)
        # Proven here once, so that a wrong file is one error and not one a process.
        load(file, given).graph(chosen).check()
        folder = new_run_folder(f"test-{file.stem}")
        job = Job(file, chosen, given, limit, repeat, folder)
        begin = time.monotonic()
        about = {
            "file": str(file),
            "profile": chosen,
            **describe_overrides(given),
            "repeat": repeat,
            "jobs": jobs,
            "versions": versions(),
        }
        with _Bar(len(numbers)) as bar:
            try:
                results = run_suite(job, numbers, jobs, bar.done)
            except BaseException:
                # What has been finished is not lost with what has not.
                partial = Summary(sorted(bar.results, key=_seed), time.monotonic() - begin, about).as_dict()
                (folder / "summary.json").write_text(dumps({"complete": False, **partial}), encoding="utf-8")
                raise
        summary = Summary(results, time.monotonic() - begin, about)
        data = {"complete": True, **summary.as_dict()}
        (folder / "summary.json").write_text(dumps(data), encoding="utf-8")
        if as_json:
            print_json(data)
        else:
            _show(summary, folder)
    raise typer.Exit(summary.exit_code(at_least))


def _seeds(text: str) -> list[int]:
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


class _Bar:
    """A bar with the running pass rate on a terminal, plain lines elsewhere."""

    def __init__(self, total: int) -> None:
        self._total = total
        self.results: list[Result] = []
        self._done = self._passed = 0
        self._begin = self._shown = time.monotonic()
        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeElapsedColumn(),
            TextColumn("ETA"),
            TimeRemainingColumn(),
            console=err,
            disable=not err.is_terminal,
        )
        self._task = self._progress.add_task("seeds", total=total, rate="")

    def __enter__(self) -> _Bar:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def done(self, result: Result) -> None:
        """Count a result; say at once what did not pass."""
        self.results.append(result)
        self._done += 1
        self._passed += result.status == "passed"
        low, high = wilson(self._passed, self._done)
        rate = f"{self._passed}/{self._done} passed, {low:.0%} to {high:.0%}"
        self._progress.update(self._task, advance=1, rate=rate)
        if result.status != "passed":
            self._progress.console.print(f"seed {result.seed} {result.status}: {_reason(result)}", markup=False)
        now = time.monotonic()
        if not err.is_terminal and (now - self._shown > 10 or self._done == self._total):
            self._shown = now
            left = (now - self._begin) / self._done * (self._total - self._done)
            err.print(f"{self._done}/{self._total}: {rate}, {left:.0f} s left", markup=False)


def _seed(result: Result) -> int:
    return result.seed


def _reason(result: Result) -> str:
    return result.note or (result.outcome.reason if result.outcome else "")


def _show(summary: Summary, folder: Path) -> None:
    total = len(summary.results)
    low, high = wilson(summary.passed, total)
    out.print(
        f"[bold]{summary.passed} of {total} passed[/] ({summary.rate:.1%}; 95 % interval {low:.1%} to {high:.1%})"
    )
    for result in summary.results:
        if result.status != "passed":
            picture = f"  {result.filmstrip}" if result.filmstrip else ""
            out.print(f"  seed {result.seed} {result.status}: {_reason(result)}{picture}", markup=False)
    simulated = sum(r.outcome.simulated for r in summary.results if r.outcome)
    out.print(f"digest     {summary.digest}")
    out.print(f"simulated  {simulated:.1f} s in {summary.wall:.1f} s ({simulated / summary.wall:.1f}x real time)")
    out.print(f"summary    {folder / 'summary.json'}")
