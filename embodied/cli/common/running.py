"""Connections to running graphs: select runs by name, send a request to one or to several, look up names."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from embodied.cli.common import complete_running as complete
from embodied.errors import EmbodiedError, LaunchError, LinkFailed, Problem, nearest
from embodied.live.client import TIMEOUT, Client, Refused, find
from embodied.live.run_directory import RunDirectory, running

RunOption = Annotated[
    str | None,
    typer.Option("--run", help="name of the run, or the beginning of its name", autocompletion=complete.runs),
]


@contextmanager
def connected(name: str | None) -> Iterator[Client]:
    """Connect the command line to a running graph; a refused request is an error of the command.

    Args:
        name: name of the run, or its beginning; None: the only one.

    Raises:
        LaunchError: there is no such run, or several; or it refuses a request.
        LinkFailed: it does not answer.
    """
    with Client(find(name)) as client:
        try:
            yield client
        except Refused as error:
            raise LaunchError([Problem("E005", str(error), help=error.help)]) from None


def look_up(kind: str, name: str, known: dict[str, Any]) -> Any:
    """Return the entry of a name in a running graph, or suggest the nearest one.

    Args:
        kind: kind of thing, such as `topic`.
        name: name that was given.
        known: entries by name.

    Raises:
        LaunchError: there is no such name.
    """
    if name not in known:
        raise LaunchError([Problem("E005", f"there is no {kind} '{name}'", help=nearest(name, known))])
    return known[name]


def ask_each(folders: list[RunDirectory], verb: str, /, **arguments: Any) -> dict[str, Any]:
    """Send one request to several running graphs at once, so that one which hangs delays no other.

    Args:
        folders: folders of the runs.
        verb: name of the request.
        arguments: arguments of the request.

    Returns:
        by run its answer, or the error in place of it; runs that have ended meanwhile are left out.
    """
    return read_each(send_each(folders, verb, **arguments))


def send_each(folders: list[RunDirectory], verb: str, /, **arguments: Any) -> dict[str, Client | LinkFailed]:
    """Send a request to several running graphs without reading answers: it takes effect even if this process ends."""
    clients: dict[str, Client | LinkFailed] = {}
    for folder in folders:
        try:
            client = Client(folder, timeout=0.0)
            client.send(verb, **arguments)
            clients[folder.name] = client
        except LinkFailed as error:
            clients[folder.name] = error
        except LaunchError:
            # The run has ended since it was listed.
            continue
    return clients


def read_each(clients: dict[str, Client | LinkFailed]) -> dict[str, Any]:
    """Read the answers of several running graphs to `send_each`, errors in place of them, and close the connections."""
    end = time.monotonic() + TIMEOUT
    answers: dict[str, Any] = {}
    for name, client in clients.items():
        if isinstance(client, LinkFailed):
            answers[name] = client
            continue
        with client:
            try:
                client.timeout = max(0.0, end - time.monotonic())
                answers[name] = client.answer()
            except (EmbodiedError, Refused) as error:
                answers[name] = error
    return answers


def select_runs(name: str | None) -> list[RunDirectory]:
    """Select running graphs: return the folder of one by its name, or of all.

    Raises:
        LaunchError: there is no run of that name.
    """
    return list(running()) if name is None else [find(name)]
