"""Options and progress that the verbs `test` and `sweep` share: an interruption loses no result of the suite."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.output import err, usage
from embodied.cli.common.progress_bar import Bar
from embodied.cli.common.run_folders import run_folder, versions
from embodied.clock import SECOND, Time
from embodied.errors import LaunchError
from embodied.suite import Result
from embodied.suite.record import Record, SuiteSpec, resume
from embodied.suite.session import Session

SEEDS_MOST = 1_000_000
"""Maximum number of seeds of a suite."""

SEEDS = "0:10"
"""Default of --seeds."""

TIMEOUT = "5min"
"""Default of --timeout, longer than any world that ships takes to its verdict."""

JobsOption = Annotated[int, typer.Option(min=1, max=256, help="number of worker processes")]
TimeoutOption = Annotated[str, typer.Option(help="wall time after which a seed is ended")]
RerunOption = Annotated[
    int,
    typer.Option(
        min=0, max=10, help="repeat a seed whose process or simulator broke up to N times; never a failed one"
    ),
]
ResumeOption = Annotated[Path | None, typer.Option("--resume", help="run the missing seeds of the suite runs/<id>")]


def resumed_suite(path: Path, others: Sequence[object]) -> tuple[Path, SuiteSpec, list[Result]]:
    """Read the suite that the option --resume of `test` and `sweep` names.

    Args:
        path: folder, or its name below `runs/`.
        others: values of options that contradict --resume.

    Returns:
        its folder, its specification, and its results so far.

    Raises:
        LaunchError: there is no such suite, or it has changed since.
    """
    if any(others):
        raise usage("--resume goes on with the files, seeds and overrides of before", "leave them out")
    folder = run_folder(path)
    return folder, *resume(folder, versions())


def run_with_progress(session: Session, verb: str, *, resumed: bool, timeout: Time | None, reruns: int) -> None:
    """Run the missing seeds of `test` or `sweep` behind a progress bar; if interrupted, print how to resume.

    Args:
        session: suite.
        verb: command that resumes it.
        resumed: whether it is resumed, rather than new.
        timeout: wall time that one seed may take [ns].
        reruns: number of further attempts after an infrastructure error.
    """
    several = len(session.spec.scenarios) > 1
    try:
        with (
            _sigterm_as_interrupt(),
            Record(session.folder, None if resumed else session.spec) as record,
            Bar(session.total, session.kept.values(), named=several) as bar,
        ):
            session.run(record, bar.done, timeout=None if timeout is None else timeout / SECOND, reruns=reruns)
    except LaunchError:
        raise
    except BaseException as error:
        err.print(f"go on with: embodied {verb} --resume {session.folder}", markup=False)
        try:
            session.write(session.summary(complete=False))
        except OSError as other:
            error.add_note(f"the summary could not be written: {other}")
        raise


@contextmanager
def _sigterm_as_interrupt() -> Iterator[None]:
    """Handle SIGTERM, by which CI servers cancel, as Ctrl-C."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def read_seeds(text: str | None) -> list[int]:
    """Parse the option --seeds of `test` and `sweep`; None is the default.

    Raises:
        LaunchError: it is no range of seeds, or an empty one.
    """
    text = SEEDS if text is None else text
    first, colon, last = text.partition(":")
    try:
        start = int(first)
        stop = int(last) if colon else start + 1
    except ValueError:
        raise usage(
            f"cannot read the seeds '{text}'", "write --seeds 0:100, from 0 up to but not including 100"
        ) from None
    if start < 0 or stop <= start or stop - start > SEEDS_MOST:
        raise usage(f"the seeds '{text}' are empty, reversed, negative or too many", "write --seeds 0:100")
    return list(range(start, stop))
