"""What the verbs share: options, where things are printed, where runs are kept, and how errors end."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from embodied.clock import Time, duration
from embodied.errors import EmbodiedError, LaunchError, Problem
from embodied.launch import Overrides

FileArgument = Annotated[Path, typer.Argument(help="the launch file", show_default=False)]
JsonOption = Annotated[bool, typer.Option("--json", help="print one JSON object to standard output")]
SimOption = Annotated[bool, typer.Option("--sim", help="the same as --profile sim")]
ProfileOption = Annotated[str | None, typer.Option("--profile", "-p", help="run a profile of the launch file")]
SiteOption = Annotated[Path | None, typer.Option(help="a file with this site's serials, hosts and calibration")]
SetOption = Annotated[list[str] | None, typer.Option("--set", help="NAME=VALUE or NODE.SETTING=VALUE; repeatable")]
SwapOption = Annotated[list[str] | None, typer.Option("--swap", help="NODE=module:Class; repeatable")]
ForOption = Annotated[str | None, typer.Option("--for", help="stop after this much simulated time, such as 10s")]

INTERRUPTED = 130

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def overrides(site: Path | None, sets: list[str] | None, swaps: list[str] | None) -> Overrides:
    """The command line's options as the loader takes them."""
    return Overrides(site, tuple(swaps or ()), tuple(sets or ()))


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


def time_limit(text: str | None) -> Time | None:
    """The value of --for.

    Raises:
        LaunchError: it is not a duration above zero.
    """
    if text is None:
        return None
    try:
        limit = duration(text)
    except ValueError as error:
        raise usage(f"--for: {error}") from None
    if limit == 0:
        raise usage("--for: expected a duration above zero", "write --for 10s")
    return Time(limit)


def print_json(data: object) -> None:
    """One JSON object on standard output."""
    sys.stdout.write(json.dumps(data, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def ending(as_json: bool) -> Iterator[None]:
    """Errors become one clear message and an exit code; a traceback is never shown."""
    try:
        yield
    except EmbodiedError as error:
        if as_json:
            problems = [p.as_dict() for p in error.problems] if isinstance(error, LaunchError) else []
            print_json({"error": str(error), "problems": problems, "exit_code": error.exit_code})
        else:
            err.print(str(error), markup=False)
        raise typer.Exit(error.exit_code) from None
    except KeyboardInterrupt:
        err.print("interrupted")
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except OSError as error:
        err.print(f"error: {error.strerror or error}: {error.filename or ''}", markup=False)
        raise typer.Exit(3) from None
    except Exception as error:
        # Whoever works on embodied itself wants the traceback; whoever works with it wants one line.
        if os.environ.get("EMBODIED_DEBUG"):
            raise
        message = f"error: a fault in embodied itself: {type(error).__name__}: {error}"
        err.print(f"{message}\n   = help: run it again with EMBODIED_DEBUG=1 and report what it prints", markup=False)
        raise typer.Exit(3) from None


def new_run_folder(name: str) -> Path:
    """A new folder `runs/<time>-<name>`, for what a command leaves behind.

    Raises:
        OSError: it cannot be made.
    """
    stem = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{name}"
    for number in range(1, 1000):
        folder = Path("runs") / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise OSError(f"too many runs named {stem}")


def versions() -> dict[str, str]:
    """Versions of what a digest depends on, and the kind of machine."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    for package in ("embodied", "numpy", "pybullet", "onnxruntime", "pin"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def describe_overrides(chosen: Overrides) -> dict[str, Any]:
    """The overrides as plain data, for summaries."""
    return {
        "site": None if chosen.site is None else str(chosen.site),
        "swap": list(chosen.swaps),
        "set": list(chosen.sets),
    }
