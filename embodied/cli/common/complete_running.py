"""What a shell completes of the graphs that run: runs, nodes, topics and tunable settings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from embodied.cli.common.complete import Choices, quiet, written
from embodied.live.client import Client, find
from embodied.live.run_directory import running

SOON = 0.5
"""So long may an answer take while someone waits for a key to do something [s]."""


def _ask(verb: str) -> Any:
    named = next((after for word, after in pairwise(written()) if word == "--run"), None)
    with Client(find(named), SOON) as client:
        return client.ask(verb)


@quiet
def runs(_: str) -> Choices:
    """The graphs that run."""
    return [(folder.name, str(folder.read().get("file", ""))) for folder in running()]


@quiet
def nodes(_: str) -> Choices:
    """The nodes of the run."""
    return [(node, str(about["class"])) for node, about in _ask("nodes").items()]


@quiet
def topics(_: str) -> Choices:
    """The topics of the run."""
    return [(topic, str(about["message"]).rpartition(":")[2]) for topic, about in _ask("topics").items()]


@quiet
def tunables(_: str) -> Choices:
    """The settings that may change while the run goes on."""
    return [
        (name, f"{about['low']:g} to {about['high']:g} {about['unit']}") for name, about in _ask("settings").items()
    ]
