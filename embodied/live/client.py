"""Asking a running graph: what the command line does, and anyone else may."""

from __future__ import annotations

import importlib
import os
import select
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any

from embodied.errors import LaunchError, LinkFailed, Problem, nearest
from embodied.links.channel import Inlet
from embodied.links.ring import Ends
from embodied.live.brief import Output
from embodied.live.folder import Folder, running
from embodied.live.talk import Gone, hear, say
from embodied.messages.schema import Message
from embodied.ports import Refinement

TIMEOUT = 3.0
"""So long may an answer take [s]."""


def find(name: str | None = None) -> Folder:
    """The run of a name, or of the beginning of a name; the only one there is, if no name is given.

    Raises:
        LaunchError: there is none, or several.
    """
    there = list(running())
    found = [folder for folder in there if name is None or folder.name == name]
    found = found or [folder for folder in there if name is not None and folder.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not there:
        problem = Problem("E005", "nothing is running", help=("start a graph: embodied run FILE --sim --live",))
    elif not found:
        problem = Problem("E005", f"there is no run '{name}'", help=nearest(str(name), [f.name for f in there]))
    else:
        help_ = (f"say which, with --run: {', '.join(folder.name for folder in found)}",)
        problem = Problem("E005", "several graphs are running", help=help_)
    raise LaunchError([problem])


class Client:
    """A connection to a running graph.

        with Client(find()) as client:
            print(client.ask("status")["now_s"])

    Args:
        folder: of the run.

    Raises:
        LaunchError: it does not run any more.
    """

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        channel = folder.connect()
        if channel is None:
            raise LaunchError([Problem("E005", f"'{folder.name}' does not run any more")])
        self._channel: socket.socket = channel

    def ask(self, verb: str, /, **about: Any) -> Any:
        """Ask, and wait for the answer.

        Raises:
            ValueError: it refuses; the sentence says why.
            LinkFailed: it does not answer.
        """
        value, descriptors = self._ask(verb, **about)
        for descriptor in descriptors:
            os.close(descriptor)
        return value

    def _ask(self, verb: str, /, **about: Any) -> tuple[Any, list[int]]:
        try:
            say(self._channel, verb, **about)
            if not select.select([self._channel], [], [], TIMEOUT)[0]:
                raise LinkFailed(f"'{self.folder.name}' does not answer: its launcher hangs, or is stopped")
            said = hear(self._channel)
        except Gone:
            raise LinkFailed(f"'{self.folder.name}' has ended") from None
        assert said is not None
        if said.verb == "error":
            raise ValueError(said.about["text"])
        return said.about["value"], said.descriptors

    def observe(self, topic: str) -> Observer:
        """Look at a topic; the newest message comes at once.

        Raises:
            ValueError: there is no such topic, or too many look at it.
            LinkFailed: it does not answer.
        """
        about, descriptors = self._ask("observe", topic=topic)
        return Observer(about, descriptors)

    def close(self) -> None:
        """Hang up; what was observed ends."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Observer:
    """A view of one topic, straight from the memory it is published in.

    Attributes:
        topic: `node.port`.
        epoch: time 0 of the run, on CLOCK_MONOTONIC [ns].
        taken: whether a node takes it; what is rendered is made only then.
        skipped: how many were passed over for a newer one.
    """

    def __init__(self, about: dict[str, Any], descriptors: list[int]) -> None:
        self.topic: str = about["topic"]
        self.epoch: int = about["epoch"]
        self.taken: bool = about["taken"]
        outputs = [_output(entry) for entry in about["outputs"]]
        ring, *ends = descriptors
        layouts = [output.layout(about["node"]) for output in outputs]
        self._inlet = Inlet(layouts, [about["index"]], about["room"], ring, Ends(*ends))
        os.close(ring)

    @property
    def skipped(self) -> int:
        """How many were passed over for a newer one."""
        return self._inlet.intake.skipped

    def fileno(self) -> int:
        """Becomes readable when something was published."""
        return self._inlet.intake.forward

    def take(self) -> list[tuple[Message, int, int]]:
        """What has arrived: message, stamp [ns] and sequence."""
        found: list[tuple[Message, int, int]] = []
        self._inlet.receive(lambda _, message, stamp, sequence: found.append((message, stamp, sequence)))
        return found

    def messages(self, timeout: float | None = None) -> Iterator[tuple[Message, int, int]]:
        """Messages as they come, until none came for so long [s]; without end if None."""
        while True:
            ready, _, _ = select.select([self], [], [], timeout)
            if not ready:
                return
            yield from self.take()

    def age(self, stamp: int) -> int:
        """How long ago a stamp was [ns]."""
        return time.monotonic_ns() - self.epoch - stamp


def message_type(named: str) -> type[Message]:
    """A message type from its `module:Class`.

    Raises:
        LinkFailed: it cannot be imported here.
    """
    module, _, name = named.partition(":")
    try:
        kind: type[Message] = getattr(importlib.import_module(module), name)
    except Exception as error:
        raise LinkFailed(f"the message type {named} cannot be imported here: {error}") from None
    return kind


def _output(entry: dict[str, Any]) -> Output:
    refined = Refinement(sizes=entry["sizes"], dtypes=entry["dtypes"], frame=entry["frame"])
    return Output(entry["port"], message_type(entry["message"]), refined)


def enter_path(path: list[str]) -> None:
    """Make the modules of a run importable, behind those that are here."""
    sys.path.extend(entry for entry in path if entry not in sys.path)
