"""Consoles, JSON output and exit codes of the command line: every verb prints and fails through here."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import Any, Protocol, Self

import typer
from rich.console import Console, ConsoleOptions
from rich.segment import Segment

from embodied.errors import FOREIGN, EmbodiedError, LaunchError, Problem, error_text
from embodied.interrupts import Interrupted, handled
from embodied.untrusted.text import written_out

CONTEXT_SETTINGS = {"help_option_names": ["-h", "--help"]}
"""Settings of the command line that each application of it has."""

INTERRUPTED = 130
"""Exit code after Ctrl-C, as shells have it: 128 + SIGINT."""


class _Console(Console):
    """Console of foreign text: no escape sequence in it reaches the terminal, nor is a colon word made a picture.

    A closed pipe is passed on to `exit_on_error`.
    """

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, highlight=False, soft_wrap=True, emoji=False)

    def print(self, *objects: Any, **options: Any) -> None:
        """Print as Rich does, with control characters as visible text."""
        super().print(*(written_out(thing) if isinstance(thing, str) else thing for thing in objects), **options)

    def render(self, renderable: Any, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """Render as Rich does; what tables, progress bars and pages hold is visible text as well."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=written_out(segment.text))

    def on_broken_pipe(self) -> None:
        """Raise instead of exiting with code 1, as Rich does.

        Raises:
            BrokenPipeError: always.
        """
        raise BrokenPipeError


out = _Console()
err = _Console(stderr=True)


class StatusLine:
    """Status line of the command line that is redrawn on a terminal, and absent elsewhere.

    Args:
        text: first text of the line.
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
        """Replace the text; return False where there is no terminal to show it on."""
        if self._status is None:
            return False
        self._status.update(text)
        return True


real_stdout: int | None = None
"""Descriptor of the real standard output while it is redirected."""


class ResultStream(Protocol):
    """Stream that takes the JSON result of a command in place of standard output."""

    def write_bytes(self, data: bytes) -> None:
        """Take bytes, to be written when their reader takes them."""


result_stream: ResultStream | None = None
"""Stream of a command that must not wait for its reader; None: standard output itself."""


def print_json(data: object, *, line: bool = False) -> None:
    """Print one JSON object to standard output; with `line` on a single line, as in a stream of objects."""
    # It takes NumPy, which a command without --json, such as an emergency stop, does without.
    from embodied.plain_data import dumps

    text = dumps(data, indent=None if line else 2).encode()
    if result_stream is not None:
        result_stream.write_bytes(text)
        return
    sys.stdout.flush()
    with open(1 if real_stdout is None else real_stdout, "wb", closefd=False) as stream:
        stream.write(text)


@contextmanager
def _stdout_for_json() -> Iterator[None]:
    """Redirect everything but `print_json` to standard error: nodes and libraries may print at any time."""
    global real_stdout
    sys.stdout.flush()
    real_stdout = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        sys.stdout.flush()
        os.dup2(real_stdout, 1)
        os.close(real_stdout)
        real_stdout = None


@contextmanager
def immediate_interrupt() -> Iterator[None]:
    """End the process at once on Ctrl-C while modules are imported: some report it as an error of their own."""

    def end(*_: object) -> None:
        os.write(2, b"interrupted\n")
        os._exit(INTERRUPTED)

    with handled(end):
        yield


def usage(message: str, *help_: str) -> LaunchError:
    """Return the error for a wrong use of the command line."""
    return LaunchError([Problem("E001", message, help=help_)])


@contextmanager
def exit_on_error(as_json: bool) -> Iterator[None]:
    """Turn every error into one clear message and an exit code; a traceback is never shown."""
    with _stdout_for_json() if as_json else nullcontext(), _exit_codes(as_json):
        yield


def fail(message: str, code: int, as_json: bool, problems: list[dict[str, object]] | None = None) -> typer.Exit:
    """Print an error of the command line, as JSON or as text.

    Returns:
        the exception to raise.
    """
    try:
        if as_json:
            print_json({"error": message, "problems": problems or [], "exit_code": code})
        else:
            err.print(message, markup=False)
            print_error_pages(str(problem["code"]) for problem in problems or [])
    except OSError as error:
        # Where the message was to go takes nothing, as a full disk; perhaps the other stream does.
        with suppress(OSError):
            err.print(f"{message}\nerror: standard output: {os_error_text(error)}", markup=False)
    return typer.Exit(code)


def os_error_text(error: OSError) -> str:
    """Describe an error of the operating system: `No space left on device: runs/x/final.png`, without what it lacks."""
    names = (error.filename, error.filename2)
    files = (os.fsdecode(name) for name in names if isinstance(name, str | bytes | os.PathLike))
    return ": ".join([error.strerror or error_text(error), " -> ".join(files)]).removesuffix(": ")


def print_error_pages(codes: Iterable[str]) -> None:
    """Print, after the last problem, how to read the pages of its error codes."""
    first, *others = sorted(set(codes)) or [""]
    if first:
        err.print(f"more: embodied explain {first}" + "".join(f", or {code}" for code in others), markup=False)


@contextmanager
def _exit_codes(as_json: bool) -> Iterator[None]:
    try:
        yield
    except EmbodiedError as error:
        problems = [problem.as_dict() for problem in error.problems] if isinstance(error, LaunchError) else []
        text = "\n".join([str(error), *getattr(error, "__notes__", ())])
        raise fail(text, error.exit_code, as_json, problems) from None
    except (KeyboardInterrupt, Interrupted) as error:
        notes = getattr(error, "__notes__", ())
        # What did not stop in order counts more than who wanted it to stop.
        raise fail("\n".join(["interrupted", *notes]), 3 if notes else INTERRUPTED, as_json) from None
    except BrokenPipeError:
        # The reader, such as `head`, has closed the pipe: that is no error, and flushing at exit must not raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except typer.Exit:
        raise
    except OSError as error:
        raise fail(f"error: {os_error_text(error)}", 3, as_json) from None
    except FOREIGN as error:
        # Developers of embodied want the traceback, its users one line.
        if os.environ.get("EMBODIED_DEBUG"):
            raise
        help_ = "run it again with EMBODIED_DEBUG=1 and report what it prints"
        raise fail(f"error: a fault in embodied itself: {error_text(error)}\n   = help: {help_}", 3, as_json) from None
