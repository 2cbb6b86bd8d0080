"""Entry point of the command line: streams and signals before any verb, and exit codes of wrong usage."""

from __future__ import annotations

import io
import os
import signal
import sys
from typing import Any

from embodied.cli.app import application
from embodied.cli.common.output import INTERRUPTED, err, os_error_text, print_json
from embodied.untrusted.text import written_out

INFRASTRUCTURE = 3
"""Exit code where the output cannot be written."""


def main() -> None:
    """Run the command line and exit with its code."""
    if os.getpid() == 1:
        # The first process of a container gets no default actions from the kernel: it would outlive `docker stop`.
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda received, _: os._exit(128 + received))
    _open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # A terminal that lacks a character, such as one in ASCII, gets an escape in place of it.
            stream.reconfigure(errors="backslashreplace")
    code: Any = 0
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        _discard_output()
    except OSError as error:
        # Nothing that is left in the buffer can be written, at the end of the process neither.
        _discard_output()
        if not code:
            err.print(f"error: standard output: {os_error_text(error)}", markup=False)
            code = INFRASTRUCTURE
    sys.exit(code)


def _open_closed_streams() -> None:
    """Open the null device in place of standard streams that were closed before the start.

    Whatever is opened next, such as a socket, would take their number, and be written to.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _run() -> Any:
    """Run the verb that the command line names, and return its exit code."""
    output = _output()
    try:
        return application(sys.argv[1:])(prog_name="embodied", standalone_mode=False)
    except KeyboardInterrupt:
        return INTERRUPTED
    except SystemExit as error:
        # A reader that has closed the pipe, as `head`, is no error; typer and Rich replace the output and exit with 1.
        return error.code if _output() == output else 0
    except OSError:
        raise
    except Exception as error:
        # Wrong usage, which typer detects before a verb begins: its errors have a message and an exit code.
        message, show, code = (getattr(error, name, None) for name in ("format_message", "show", "exit_code"))
        if message is None or show is None or code is None:
            raise
        if "--json" in sys.argv:
            print_json({"error": message(), "problems": [], "exit_code": code})
        else:
            vars(error)["message"] = written_out(str(getattr(error, "message", "")))
            show()
        return code


def _output() -> tuple[int, ...]:
    """Identify the stream of standard output and the file behind it; empty where it is closed."""
    try:
        return id(sys.stdout), *os.fstat(1)[1:3]
    except OSError:
        return ()


def _discard_output() -> None:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
