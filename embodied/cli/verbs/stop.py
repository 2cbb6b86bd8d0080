"""`embodied stop`: end a run in order, and wait until it has gone."""

from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.cli.common.output import JsonOption, ending, err, out, print_json, usage
from embodied.cli.common.running import lasting, send_each
from embodied.errors import LinkFailed
from embodied.live.client import TIMEOUT, Client, find
from embodied.live.launcher import STOP_TIMEOUT
from embodied.live.run_directory import running

LONGEST = TIMEOUT + 3 * STOP_TIMEOUT + 2.0
"""So long may a run take to end [s]: its three groups, and what it writes."""


def stop(
    run: Annotated[
        str | None,
        typer.Argument(help="which run, by its name or how that begins", autocompletion=complete.runs),
    ] = None,
    *,
    every: Annotated[bool, typer.Option("--all", help="all that there are")] = False,
    as_json: JsonOption = False,
) -> None:
    """Stop a run: what asks for motion first, then guards, then drivers; returns when it has gone."""
    with ending(as_json):
        if every and run is not None:
            raise usage("--all and a run exclude each other", "give one of them")
        begin = time.monotonic()
        asked = send_each(list(running()) if every else [find(run)], "stop", by="embodied stop")
        ended = {name: _wait(name, client, begin) for name, client in asked.items()}
        if as_json:
            print_json({"runs": ended})
        elif not ended:
            out.print("nothing is running")
        else:
            for name, how in ended.items():
                if how["gone"]:
                    out.print(f"{name} has stopped, in {lasting(how['seconds'])}", markup=False)
                else:
                    err.print(how["trouble"], markup=False)
    raise typer.Exit(0 if all(how["gone"] for how in ended.values()) else 3)


def _wait(name: str, client: Client | LinkFailed, begin: float) -> dict[str, Any]:
    """What became of a run that was told to stop."""
    if isinstance(client, LinkFailed):
        return {"gone": False, "trouble": str(client)}
    with client:
        if client.gone(max(0.0, begin + LONGEST - time.monotonic())):
            return {"gone": True, "seconds": round(time.monotonic() - begin, 3)}
        trouble = f"'{name}' is still there after {LONGEST:g} s: {client.directory.trouble()}"
        return {"gone": False, "trouble": trouble}
