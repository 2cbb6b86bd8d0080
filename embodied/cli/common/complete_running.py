"""Shell completion of running graphs: runs, nodes, topics and tunable settings."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from embodied.cli.common.complete import Choices, safe_completion, typed_words
from embodied.live.client import Client, find
from embodied.live.run_directory import running

COMPLETION_TIMEOUT = 0.5
"""Time that a run has to answer, while the shell waits for candidates [s]."""


def _ask(verb: str) -> Any:
    named = next((after for word, after in pairwise(typed_words()) if word == "--run"), None)
    with Client(find(named), COMPLETION_TIMEOUT) as client:
        return client.ask(verb)


@safe_completion
def runs(_: str) -> Choices:
    """Complete the names of running graphs."""
    return [(folder.name, str(folder.read().get("file", ""))) for folder in running()]


@safe_completion
def nodes(_: str) -> Choices:
    """Complete the nodes of the running graph."""
    return [(node, str(about["class"])) for node, about in _ask("nodes").items()]


@safe_completion
def topics(_: str) -> Choices:
    """Complete the topics of the running graph."""
    return [(topic, str(about["message"]).rpartition(":")[2]) for topic, about in _ask("topics").items()]


@safe_completion
def tunables(_: str) -> Choices:
    """Complete the tunable settings of the running graph."""
    return [
        (name, f"{about['low']:g} to {about['high']:g} {about['unit']}") for name, about in _ask("settings").items()
    ]
