"""What the verbs for graphs that run share: which one, what is asked of it, and how its refusals are told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer
from rich.table import Table

from embodied.cli.common import complete_running as complete
from embodied.errors import EmbodiedError, LaunchError, LinkFailed, Problem, nearest
from embodied.live.client import TIMEOUT, Client, Refused, find
from embodied.live.run_directory import RunDirectory, running

RunOption = Annotated[
    str | None,
    typer.Option("--run", help="which run, by its name or how that begins", autocompletion=complete.runs),
]


@contextmanager
def connected(name: str | None) -> Iterator[Client]:
    """A connection to a run; what it refuses is an error of whoever asked.

    Args:
        name: of the run, or how that begins; None: the only one.

    Raises:
        LaunchError: there is no such run, or several; or it refuses what is asked meanwhile.
        LinkFailed: it does not answer.
    """
    with Client(find(name)) as client:
        try:
            yield client
        except Refused as error:
            raise LaunchError([Problem("E005", str(error), help=error.help)]) from None


def named(what: str, name: str, known: dict[str, Any]) -> Any:
    """What stands under a name.

    Args:
        what: it is, such as `topic`.
        name: that was written.
        known: what there is.

    Raises:
        LaunchError: it is not among them.
    """
    if name not in known:
        raise LaunchError([Problem("E005", f"there is no {what} '{name}'", help=nearest(name, known))])
    return known[name]


def ask_each(folders: list[RunDirectory], verb: str, /, **about: Any) -> dict[str, Any]:
    """Ask several runs at once, so that one which hangs holds up no other.

    Args:
        folders: of the runs.
        verb: what is asked.
        about: its arguments.

    Returns:
        by run its answer, or the error that came instead; without runs that have ended meanwhile.
    """
    return read_each(send_each(folders, verb, **about))


def send_each(folders: list[RunDirectory], verb: str, /, **about: Any) -> dict[str, Client | LinkFailed]:
    """Ask several runs, and read the answers later; what was sent happens, whatever becomes of whoever sent it."""
    asked: dict[str, Client | LinkFailed] = {}
    for folder in folders:
        try:
            client = Client(folder, timeout=0.0)
            client.send(verb, **about)
            asked[folder.name] = client
        except LinkFailed as error:
            asked[folder.name] = error
        except LaunchError:
            # It has ended since it was found.
            continue
    return asked


def read_each(asked: dict[str, Client | LinkFailed]) -> dict[str, Any]:
    """The answers to what was sent, or errors; connections are closed."""
    end = time.monotonic() + TIMEOUT
    found: dict[str, Any] = {}
    for name, client in asked.items():
        if isinstance(client, LinkFailed):
            found[name] = client
            continue
        with client:
            try:
                client.timeout = max(0.0, end - time.monotonic())
                found[name] = client.answer()
            except (EmbodiedError, Refused) as error:
                found[name] = error
    return found


def chosen(name: str | None) -> list[RunDirectory]:
    """The runs that are meant: the one of a name, or all there are.

    Raises:
        LaunchError: there is none of that name.
    """
    return list(running()) if name is None else [find(name)]


def table(*titles: str) -> Table:
    """A table without lines; a title that begins with a space is of numbers, which stand to the right."""
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="dim", pad_edge=False)
    for title in titles:
        right = title.startswith(" ")
        made.add_column(title.strip(), justify="right" if right else "left", no_wrap=right)
    return made


def lasting(seconds: float) -> str:
    """A length of time for people: `4.2 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds >= 1 else f"{seconds * 1e3:.0f} ms"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


def memory(size: float) -> str:
    """An amount of memory for people: `38 MB`."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
