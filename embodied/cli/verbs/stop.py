"""`embodied stop`: shut down a run in order, and wait until it has ended."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.formatting import format_duration
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import err, exit_on_error, out, print_json, usage
from embodied.cli.common.running import RunOption, send_each
from embodied.errors import LinkFailed
from embodied.live.client import TIMEOUT, Client, find
from embodied.live.run_directory import running
from embodied.live.run_places import looked_at
from embodied.live.supervisor import DRIVER_STOP_MOST, STOP_TIMEOUT

SHUTDOWN_TIMEOUT = TIMEOUT + 3 * STOP_TIMEOUT + DRIVER_STOP_MOST + 2.0
"""Time in which a run must end [s]: a request, three groups of processes, and 2 s to write its results."""


def stop(
    run: Annotated[
        str | None,
        typer.Argument(help="name of the run, or the beginning of its name", autocompletion=complete.runs),
    ] = None,
    *,
    named: RunOption = None,
    every: Annotated[bool, typer.Option("--all", help="every run")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a run: policies first, then guards, then drivers; return when it has ended.

    Exit code 3 if it does not end, or if anything in it, such as a device, did not stop in order.
    """
    with exit_on_error(as_json):
        if named is not None and run not in (None, named):
            raise usage(f"the run is named twice: '{run}' and '{named}'", "give one of them")
        run = run or named
        if every and run is not None:
            raise usage("--all and a run exclude each other", "give one of them")
        begin = time.monotonic()
        clients = send_each(list(running()) if every else [find(run)], "stop", by="embodied stop")
        ended = {name: _wait(name, client, begin) for name, client in clients.items()}
        if as_json:
            print_json({"runs": ended})
        elif not ended:
            out.print(f"nothing is running\n{looked_at()}", markup=False)
        else:
            for name, end in ended.items():
                if end["trouble"]:
                    err.print(end["trouble"], markup=False)
                else:
                    out.print(f"{name} has stopped, in {format_duration(end['seconds'])}", markup=False)
    raise typer.Exit(3 if any(end["trouble"] for end in ended.values()) else 0)


def _wait(name: str, client: Client | LinkFailed, begin: float) -> dict[str, Any]:
    """Wait for a run to end, and describe how it did as plain data; `trouble` is empty only if all of it stopped."""
    if isinstance(client, LinkFailed):
        return {"gone": False, "trouble": str(client)}
    with client:
        if not client.gone(max(0.0, begin + SHUTDOWN_TIMEOUT - time.monotonic())):
            trouble = f"'{name}' is still there after {SHUTDOWN_TIMEOUT:g} s: {client.directory.trouble()}"
            return {"gone": False, "trouble": trouble}
    trouble = "\n".join(f"'{name}' has ended, and did not stop in order: {text}" for text in client.failures or ())
    if client.failures is None:
        trouble = f"'{name}' has ended without a word on whether everything stopped; its own output may tell"
    return {"gone": True, "seconds": round(time.monotonic() - begin, 3), "trouble": trouble}
