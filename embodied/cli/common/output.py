"""What the verbs share: options, where things are printed, where runs are kept, and how errors end."""

from __future__ import annotations

import errno
import importlib.metadata
import os
import platform
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

import typer
from rich.console import Console

from embodied import __version__
from embodied.cli.common import complete
from embodied.clock import Time, duration
from embodied.errors import FOREIGN, EmbodiedError, LaunchError, Problem, told
from embodied.launch import Overrides
from embodied.plain_data import dumps

FileArgument = Annotated[
    Path, typer.Argument(help="the launch file", show_default=False, autocompletion=complete.files)
]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object to standard output")]
SimOption = Annotated[bool, typer.Option("--sim", help="the same as --profile sim")]
ProfileOption = Annotated[
    str | None,
    typer.Option("--profile", "-p", help="run a profile of the launch file", autocompletion=complete.profiles),
]
SiteOption = Annotated[
    Path | None,
    typer.Option(help="a file with this site's serials, hosts and calibration", autocompletion=complete.files),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", help="NAME=VALUE or NODE.SETTING=VALUE; repeatable", autocompletion=complete.settings),
]
SwapOption = Annotated[
    list[str] | None,
    typer.Option("--swap", help="NODE=module:Class; repeatable", autocompletion=complete.swaps),
]
WorldOption = Annotated[
    str | None,
    typer.Option(help="one of the launch file's 'worlds', such as held_out", autocompletion=complete.worlds),
]
LiveOption = Annotated[bool, typer.Option("--live", help="in its processes and on the steady clock, as on the robot")]
ForOption = Annotated[str | None, typer.Option("--for", help="stop after this much of its time, such as 10s")]


class Format(StrEnum):
    """How problems are written."""

    TEXT = "text"
    GITHUB = "github"


FormatOption = Annotated[Format, typer.Option(help="github: annotations of a pull request, and the step's summary")]

INTERRUPTED = 130


class _Console(Console):
    """A console that leaves a reader who has seen enough to `ending`."""

    def on_broken_pipe(self) -> None:
        """Say that nobody reads any more.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError


out = _Console(highlight=False, soft_wrap=True)
err = _Console(stderr=True, highlight=False, soft_wrap=True)


def wide() -> Console:
    """For tables: folded into a terminal, and as wide as they are where there is none."""
    return _Console(highlight=False, width=None if out.is_terminal else 240)


class StatusLine:
    """One line that says how far something is, redrawn on a terminal; elsewhere there is none.

    Args:
        text: at the beginning.
    """

    def __init__(self, text: str = "starting") -> None:
        self._status = err.status(text) if err.is_terminal else None

    def __enter__(self) -> Self:
        if self._status is not None:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status is not None:
            self._status.stop()

    def draw(self, text: str) -> bool:
        """Show another text; False where there is no terminal to show it on."""
        if self._status is None:
            return False
        self._status.update(text)
        return True


def overrides(
    site: Path | None, sets: list[str] | None, swaps: list[str] | None, world: str | None = None
) -> Overrides:
    """The command line's options as the loader takes them."""
    return Overrides(site, tuple(swaps or ()), tuple(sets or ()), world)


def usage(message: str, *help_: str) -> LaunchError:
    """An error in how a command was called."""
    return LaunchError([Problem("E001", message, help=help_)])


def choose_profile(sim: bool, profile: str | None) -> str | None:
    """What --sim and --profile mean together.

    Raises:
        LaunchError: they contradict each other.
    """
    if sim and profile not in (None, "sim"):
        raise usage(f"--sim and --profile {profile} exclude each other", "give one of them")
    return "sim" if sim else profile


def time_limit(text: str | None, flag: str = "--for") -> Time | None:
    """The value of --for, or of another option for a length of time.

    Raises:
        LaunchError: it is not a duration above zero.
    """
    if text is None:
        return None
    try:
        limit = duration(text)
    except ValueError as error:
        raise usage(f"{flag}: {error}") from None
    if limit == 0:
        raise usage(f"{flag}: expected a duration above zero", f"write {flag} 10s")
    return Time(limit)


_aside: int | None = None


def print_json(data: object, *, line: bool = False) -> None:
    """One JSON object on standard output; on a line of its own, where several follow each other."""
    text = dumps(data, indent=None if line else 2).encode()
    sys.stdout.flush()
    with open(1 if _aside is None else _aside, "wb", closefd=False) as stream:
        stream.write(text)


@contextmanager
def _only_json() -> Iterator[None]:
    """Whatever nodes and libraries print goes to standard error, so that standard output holds the object alone."""
    global _aside
    sys.stdout.flush()
    _aside = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(_aside, 1)
        os.close(_aside)
        _aside = None


@contextmanager
def nothing_begun() -> Iterator[None]:
    """While modules are imported, Ctrl-C ends the program at once: some pass it off as an error of their own."""

    def end(*_: object) -> None:
        os.write(2, b"interrupted\n")
        os._exit(INTERRUPTED)

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def ending(as_json: bool) -> Iterator[None]:
    """Errors become one clear message and an exit code; a traceback is never shown."""
    with _only_json() if as_json else nullcontext(), _told(as_json):
        yield


def fail(message: str, code: int, as_json: bool, problems: list[dict[str, object]] | None = None) -> typer.Exit:
    """Say an error, as JSON or to people.

    Returns:
        what to raise.
    """
    if as_json:
        print_json({"error": message, "problems": problems or [], "exit_code": code})
    else:
        err.print(message, markup=False)
        say_more(str(problem["code"]) for problem in problems or [])
    return typer.Exit(code)


def say_more(codes: Iterable[str]) -> None:
    """After the last of some problems: where to read on about them."""
    first, *others = sorted(set(codes)) or [""]
    if first:
        err.print(f"more: embodied explain {first}" + "".join(f", or {code}" for code in others), markup=False)


@contextmanager
def _told(as_json: bool) -> Iterator[None]:
    try:
        yield
    except EmbodiedError as error:
        problems = [problem.as_dict() for problem in error.problems] if isinstance(error, LaunchError) else []
        text = "\n".join([str(error), *getattr(error, "__notes__", ())])
        raise fail(text, error.exit_code, as_json, problems) from None
    except KeyboardInterrupt:
        raise fail("interrupted", INTERRUPTED, as_json) from None
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except OSError as error:
        raise fail(f"error: {error.strerror or error}: {error.filename or ''}", 3, as_json) from None
    except FOREIGN as error:
        # Whoever works on embodied itself wants the traceback; whoever works with it wants one line.
        if os.environ.get("EMBODIED_DEBUG"):
            raise
        help_ = "run it again with EMBODIED_DEBUG=1 and report what it prints"
        raise fail(f"error: a fault in embodied itself: {told(error)}\n   = help: {help_}", 3, as_json) from None


def new_run_folder(name: str) -> Path:
    """A new folder `runs/<time>-<name>`, for what a command leaves behind.

    Raises:
        OSError: it cannot be made.
    """
    if not Path("runs").is_dir():
        try:
            Path("runs").mkdir()
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "runs is kept here, and is not a folder", "runs") from None
    stem = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{name[:60]}"
    for number in range(1, 1000):
        folder = Path("runs") / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise OSError(f"too many runs named {stem}")


def run_folder(named: Path) -> Path:
    """A folder below `runs/`, which may be named without it."""
    return Path("runs") / named if not named.exists() and (Path("runs") / named).is_dir() else named


def versions() -> dict[str, str]:
    """Versions of what a digest depends on, and the kind of machine."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    found["embodied"] = __version__
    for package in ("numpy", "pybullet", "pybullet-arm64", "onnxruntime", "pin"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
