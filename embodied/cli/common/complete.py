"""Shell completion of launch files, profiles, settings and classes.

Nothing here may print, raise or take long, since it runs at every press of the tab key: packages are read and not
imported, but for the one class whose settings are completed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embodied.errors import LaunchError, Place
from embodied.untrusted.text import written_out

# Verbs import their completions; only a press of the tab key needs launch files.
if TYPE_CHECKING:
    from embodied.launch import Launch

Choices = Iterable[str | tuple[str, str]]
"""Candidates, each with an optional description."""


def safe_completion(complete: Callable[[str], Choices]) -> Callable[[str], list[Any]]:
    """Wrap a shell completion so that it prints nothing, and returns no candidates on any error.

    Args:
        complete: function from the text typed so far to candidates.
    """

    def completion(incomplete: str) -> list[Any]:
        with _silence():
            try:
                # A shell writes candidates to its terminal as they are.
                shown = (e for e in complete(incomplete) if all(written_out(text) == text for text in _texts(e)))
                return [entry for entry in shown if _texts(entry)[0].startswith(incomplete)]
            except BaseException:
                return []

    return completion


def _texts(entry: str | tuple[str, str]) -> tuple[str, ...]:
    return (entry,) if isinstance(entry, str) else entry


@contextmanager
def _silence() -> Iterator[None]:
    """Discard what libraries print while they are imported."""
    saved = [(stream, os.dup(stream)) for stream in (1, 2)]
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream, _ in saved:
            os.dup2(null, stream)
        yield
    finally:
        for stream, copy in saved:
            os.dup2(copy, stream)
            os.close(copy)
        os.close(null)


@safe_completion
def files(incomplete: str) -> Choices:
    """Complete launch files in the shell: here, in `launch/`, and below the path typed so far."""
    candidates = [*Path().glob("*.yaml"), *Path("launch").glob("**/*.yaml")]
    if incomplete:
        start = Path(incomplete)
        folder = start if incomplete.endswith("/") else start.parent
        candidates += folder.glob("*.yaml")
    return sorted({str(file) for file in candidates if "embodied:" in file.read_text("utf-8", errors="replace")})


def typed_words() -> list[str]:
    """Return the words of the command line that is being completed.

    While an option lacks its value, typer has not parsed the arguments, so the words are read from the environment
    variables in which shells pass them.
    """
    text = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    return text.split()


def _launch() -> Launch:
    from embodied.launch import load

    return load(next(word for word in typed_words() if word.endswith((".yaml", ".yml"))))


def _profile() -> str | None:
    words = typed_words()
    if "--sim" in words:
        return "sim"
    return next((after for word, after in pairwise(words) if word in ("--profile", "-p")), None)


@safe_completion
def profiles(_: str) -> Choices:
    """Complete the profiles of the launch file in the shell."""
    return _launch().profiles


@safe_completion
def worlds(_: str) -> Choices:
    """Complete the variants of the launch file's world in the shell."""
    return _launch().worlds(_profile())


@safe_completion
def settings(incomplete: str) -> Choices:
    """Complete arguments and nodes of a launch file; after the dot of a node, its settings."""
    from embodied.launch.class_lookup import find_class
    from embodied.launch.keys import NODE
    from embodied.node.settings import field_types, name_of

    launch = _launch()
    uses = launch.uses(_profile())
    node, dot, _ = incomplete.partition(".")
    if not dot:
        return [*(f"{name}=" for name in launch.arguments), *(f"{name}." for name in uses)]
    timing: list[str | tuple[str, str]] = [
        (f"{node}.{key}=", NODE[key].about) for key in NODE if key not in ("use", "with", "in") and node != "world"
    ]
    try:
        types = field_types(find_class(uses.get(node), "world" if node == "world" else "node", Place("", 1, 1)))
    except LaunchError:
        types = {}
    return [*((f"{node}.{name}=", name_of(types[name])) for name in types), *timing]


@safe_completion
def swaps(incomplete: str) -> Choices:
    """Complete nodes of a launch file; after the equals sign, the classes of the packages."""
    node, sign, _ = incomplete.partition("=")
    if not sign:
        return [f"{name}=" for name in _launch().uses(_profile())]
    return [f"{node}={use}" for use in _classes()]


@safe_completion
def classes(_: str) -> Choices:
    """Complete node classes and their modules in the shell."""
    return [*_classes(), *sorted({use.partition(":")[0] for use in _classes()})]


def _classes() -> list[str]:
    from embodied.launch.discovery import class_names
    from embodied.launch.project import enter_current_folder

    enter_current_folder()
    return class_names()
