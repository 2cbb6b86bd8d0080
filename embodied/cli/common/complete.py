"""What a shell completes: launch files, profiles, settings and classes.

Nothing here may print, raise or take long, since it runs at every press of a key: rooms are read and not imported, but
for the one class whose settings are asked for.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from embodied.errors import Place
from embodied.launch import Launch, load
from embodied.launch.class_lookup import enter, find_class, project_root
from embodied.launch.discovery import named
from embodied.launch.keys import NODE
from embodied.node.settings import field_types, name_of

Choices = Iterable[str | tuple[str, str]]
"""What may stand there, with a word about it."""

TIMING = [key for key in NODE if key not in ("use", "with", "in")]


def quiet(complete: Callable[[str], Choices]) -> Callable[[str], list[Any]]:
    """A completion that gives nothing where it cannot give something.

    Args:
        complete: what may stand there, from what is written of it so far.
    """

    def completion(incomplete: str) -> list[Any]:
        with _silence():
            try:
                return [entry for entry in complete(incomplete) if _text(entry).startswith(incomplete)]
            except BaseException:
                return []

    return completion


def _text(entry: str | tuple[str, str]) -> str:
    return entry if isinstance(entry, str) else entry[0]


@contextmanager
def _silence() -> Iterator[None]:
    """Whatever a library prints while it is imported goes nowhere."""
    kept = [(stream, os.dup(stream)) for stream in (1, 2)]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in kept:
            os.dup2(nowhere, stream)
        yield
    finally:
        for stream, copy in kept:
            os.dup2(copy, stream)
            os.close(copy)
        os.close(nowhere)


@quiet
def files(incomplete: str) -> Choices:
    """Launch files, here and in `launch/`, and those below what is written so far."""
    found = [*Path().glob("*.yaml"), *Path("launch").glob("**/*.yaml")]
    if incomplete:
        start = Path(incomplete)
        folder = start if incomplete.endswith("/") else start.parent
        found += folder.glob("*.yaml")
    return sorted({str(file) for file in found if "embodied:" in file.read_text("utf-8", errors="replace")})


def written() -> list[str]:
    """The words of the command line so far.

    An option that waits for its value ends typer's parsing before it has come to the arguments, so the words are read
    from where the shells hand them over.
    """
    text = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return text.split()


def _launch() -> Launch:
    return load(next(word for word in written() if word.endswith((".yaml", ".yml"))))


def _profile() -> str | None:
    words = written()
    if "--sim" in words:
        return "sim"
    return next((after for word, after in pairwise(words) if word in ("--profile", "-p")), None)


@quiet
def profiles(_: str) -> Choices:
    """The profiles of the launch file."""
    return _launch().profiles


@quiet
def worlds(_: str) -> Choices:
    """The worlds that stand beside the launch file's own."""
    return _launch().worlds(_profile())


@quiet
def settings(incomplete: str) -> Choices:
    """Arguments and nodes; behind the dot of a node, its settings."""
    launch = _launch()
    uses = launch.uses(_profile())
    node, dot, _ = incomplete.partition(".")
    if not dot:
        return [*(f"{name}=" for name in launch.arguments), *(f"{name}." for name in uses)]
    found: list[str | tuple[str, str]] = [(f"{node}.{key}=", NODE[key].about) for key in TIMING if node != "world"]
    kind = find_class(uses.get(node), "world" if node == "world" else "node", Place("", 1, 1), [])
    types = {} if kind is None else field_types(kind)
    return [*((f"{node}.{name}=", name_of(types[name])) for name in types), *found]


@quiet
def swaps(incomplete: str) -> Choices:
    """Nodes; behind the equals sign, the classes of the rooms."""
    node, sign, _ = incomplete.partition("=")
    if not sign:
        return [f"{name}=" for name in _launch().uses(_profile()) if name != "world"]
    return [f"{node}={use}" for use in _classes()]


@quiet
def classes(_: str) -> Choices:
    """The node classes of the rooms, and the modules they are in."""
    return [*_classes(), *sorted({use.partition(":")[0] for use in _classes()})]


def _classes() -> list[str]:
    enter(project_root(Path("launch.yaml")))
    return named()
