"""What `test` and `sweep` share: a suite is run with its bar, and nothing of it is lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from embodied.cli.common.output import err, run_folder, usage, versions
from embodied.cli.common.progress_bar import Bar
from embodied.clock import SECOND, Time
from embodied.errors import LaunchError
from embodied.suite import Result
from embodied.suite.record import Asked, Record, resume
from embodied.suite.session import Session

MAX_SEEDS = 1_000_000

SEEDS = "0:10"
TIMEOUT = "5min"
"""Longer than any world that ships takes to judge: a verdict says more than that time is up."""


def gone_on(named: Path, others: Sequence[object]) -> tuple[Path, Asked, list[Result]]:
    """The suite that --resume names: its folder, what it was asked, and what it has already.

    Args:
        named: a folder, or the name of one below `runs/`.
        others: options that would ask for something else.

    Raises:
        LaunchError: there is no such suite, or it may not go on.
    """
    if any(others):
        raise usage("--resume goes on with what was asked before", "leave out files, seeds and overrides")
    folder = run_folder(named)
    return folder, *resume(folder, versions())


def watched(session: Session, verb: str, *, anew: bool, timeout: Time | None, reruns: int) -> None:
    """Run what is missing of a suite; when it is ended, say how to go on.

    Args:
        session: the suite.
        verb: the command that goes on with it.
        anew: whether it begins now, or goes on.
        timeout: how long one seed may take [ns of wall time].
        reruns: how often a seed is tried again after an infrastructure error.
    """
    named = len(session.asked.scenarios) > 1
    try:
        with (
            _interruptible(),
            Record(session.folder, session.asked if anew else None) as record,
            Bar(session.total, session.kept.values(), named=named) as bar,
        ):
            session.run(record, bar.done, timeout=None if timeout is None else timeout / SECOND, reruns=reruns)
    except LaunchError:
        raise
    except BaseException as error:
        # What has been finished is not lost with what has not.
        err.print(f"go on with: embodied {verb} --resume {session.folder}", markup=False)
        try:
            session.write(session.summary(complete=False))
        except OSError as other:
            error.add_note(f"the summary could not be written: {other}")
        raise


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGTERM, by which CI servers cancel, ends a suite as Ctrl-C does."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


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
