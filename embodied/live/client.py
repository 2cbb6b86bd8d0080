"""Client of a running graph: find a run by its name, send it requests, observe its topics."""

from __future__ import annotations

import contextlib
import importlib
import os
import pickle
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from embodied.errors import FOREIGN, LaunchError, LinkFailed, Problem, error_text, nearest
from embodied.imports.search_path import Search, extend
from embodied.links.channel import Inlet
from embodied.links.subscription import Ends
from embodied.live.ipc import ENDED, OTHER_FORM, Disconnected, receive, send
from embodied.live.process_spec import Output
from embodied.live.run_directory import RunDirectory, running
from embodied.live.run_places import looked_at
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Message

if TYPE_CHECKING:
    from embodied.graph.graph import Graph

TIMEOUT = 3.0
"""Longest time to wait for an answer [s]."""


def find(name: str | None = None) -> RunDirectory:
    """Find a running graph for a client, by its name or the beginning of it; the only one there is without a name.

    Raises:
        LaunchError: there is none, or several.
    """
    there = list(running())
    found = [folder for folder in there if name is None or folder.name == name]
    found = found or [folder for folder in there if name is not None and folder.name.startswith(name)]
    if len(found) == 1:
        return found[0]
    if not there:
        where = (looked_at(), "start a graph: embodied run FILE --sim --live")
        problem = Problem("E005", "nothing is running", help=where)
    elif not found:
        problem = Problem("E005", f"there is no run '{name}'", help=nearest(str(name), [f.name for f in there]))
    else:
        help_ = (f"say which, with --run: {', '.join(folder.name for folder in found)}",)
        problem = Problem("E005", "several graphs are running", help=help_)
    raise LaunchError([problem])


class Refused(ValueError):
    """Request of a client that a running graph refuses.

    Attributes:
        help: what would be right, one sentence each.
    """

    def __init__(self, text: str, help_: Sequence[str] = ()) -> None:
        self.help = tuple(help_)
        super().__init__(text)


class Client:
    """Client with a connection to a running graph.

        with Client(find()) as client:
            print(client.ask("status")["now_s"])

    Args:
        directory: of the run.
        timeout: how long an answer may take [s].

    Attributes:
        failures: once the run has ended, what did not stop in order, a sentence each; None if the run did not say.

    Raises:
        LaunchError: it does not run any more.
        LinkFailed: it does not answer.
    """

    def __init__(self, directory: RunDirectory, timeout: float = TIMEOUT) -> None:
        self.directory = directory
        self.timeout = timeout
        self.failures: list[str] | None = None
        try:
            channel = directory.connect()
        except BlockingIOError:
            raise self._silent() from None
        if channel is None:
            raise LaunchError([Problem("E005", f"'{directory.name}' does not run any more")])
        self._channel: socket.socket = channel

    def ask(self, verb: str, /, **about: Any) -> Any:
        """Ask, and wait for the answer.

        Raises:
            Refused: it does not do that; the sentence says why.
            LinkFailed: it does not answer.
        """
        self.send(verb, **about)
        return self.answer()

    def send(self, verb: str, /, **about: Any) -> None:
        """Ask, and look for the answer later: what was asked happens, whoever waits for it.

        Raises:
            LinkFailed: nobody is there.
        """
        try:
            send(self._channel, verb, **about)
        except Disconnected:
            raise self._ended() from None

    def answer(self) -> Any:
        """Wait for the answer to what was asked.

        Raises:
            Refused: it does not do that; the sentence says why.
            LinkFailed: it does not answer.
        """
        value, descriptors = self._answer()
        for descriptor in descriptors:
            os.close(descriptor)
        return value

    def _answer(self) -> tuple[Any, list[int]]:
        if not select.select([self._channel], [], [], self.timeout)[0]:
            raise self._silent()
        try:
            said = receive(self._channel)
        except Disconnected:
            raise self._ended() from None
        assert said is not None
        if said.verb == ENDED:
            raise self._ended()
        if said.verb == "ok" and "value" in said.about:
            return said.about["value"], said.descriptors
        for descriptor in said.descriptors:
            os.close(descriptor)
        if said.verb == "error":
            raise Refused(str(said.about.get("text", "it gives no reason")), _texts(said.about.get("help")))
        raise self._strange()

    def _ended(self) -> LinkFailed:
        return LinkFailed(f"'{self.directory.name}' has ended")

    def _strange(self) -> LinkFailed:
        return LinkFailed(f"'{self.directory.name}' gives no answer of this version of embodied: which one started it?")

    def _silent(self) -> LinkFailed:
        return LinkFailed(f"'{self.directory.name}' does not answer: {self.directory.trouble()}")

    def observe(self, topic: str) -> Observer:
        """Look at a topic; the newest message comes at once.

        Raises:
            Refused: there is no such topic, or too many look at it.
            LinkFailed: it does not answer.
        """
        self.send("observe", topic=topic)
        about, descriptors = self._answer()
        self.enter()
        try:
            return Observer(about, descriptors)
        except OTHER_FORM:
            for descriptor in descriptors:
                with contextlib.suppress(OSError):
                    os.close(descriptor)
            raise self._strange() from None

    def lines(self, node: str = "", count: int = 0) -> Iterator[tuple[list[str], int]]:
        """Yield what nodes print until the run ends: process, node and text, and the number of lines lost before.

        Args:
            node: of this one alone; empty: of all.
            count: number of past lines that come first.

        Raises:
            Refused: there is no such node.
            LinkFailed: it does not answer.
        """
        for line in self.ask("logs", node=node, count=count, follow=True):
            yield line, 0
        while True:
            select.select([self._channel], [], [])
            try:
                said = receive(self._channel)
            except Disconnected:
                return
            if said is not None and said.verb == ENDED:
                return
            if said is not None and said.verb == "line":
                yield _texts(said.about.get("line")), _count(said.about.get("lost"))

    def graph(self) -> Graph:
        """The graph, as it was launched; its modules are imported from where the run has them.

        Raises:
            LinkFailed: it does not answer, or a module cannot be imported here.
        """
        self.send("graph")
        _, descriptors = self._answer()
        if not descriptors:
            raise self._strange()
        descriptor = descriptors[0]
        self.enter()
        try:
            with os.fdopen(descriptor, "rb") as stream:
                found: Graph = pickle.load(stream)
        except FOREIGN as error:
            raise LinkFailed(f"the graph of '{self.directory.name}' cannot be read here: {error_text(error)}") from None
        return found

    def enter(self) -> None:
        """Make the modules of the run importable, behind those that are here."""
        about = self.directory.read()
        sys.path.extend(entry for entry in about.get("path", ()) if entry not in sys.path)
        extend(Search(*about.get("search", ())))

    def fileno(self) -> int:
        """Becomes readable when the run has ended, while nothing is asked."""
        return self._channel.fileno()

    def gone(self, timeout: float) -> bool:
        """Wait up to `timeout` [s] for the end of the run; return whether it has ended."""
        end = time.monotonic() + timeout
        while select.select([self._channel], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                packet = receive(self._channel)
            except Disconnected:
                return True
            if packet is None:
                return False
            if packet.verb == ENDED:
                self.failures = _texts(packet.about.get("failures"))
                return True
        return False

    def close(self) -> None:
        """Hang up; what was observed ends."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Observer:
    """Observer of one topic for a client, straight from the memory it is published in.

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
        self._inlet = Inlet(layouts, [about["index"]], about["open_size"], ring, Ends(*ends))
        os.close(ring)

    @property
    def skipped(self) -> int:
        """Number of messages passed over for a newer one."""
        return self._inlet.reader.skipped

    def fileno(self) -> int:
        """Becomes readable when something was published."""
        return self._inlet.reader.forward

    def take(self) -> list[tuple[Message, int, int]]:
        """Return the messages that have arrived, each with stamp [ns] and sequence number."""
        found: list[tuple[Message, int, int]] = []
        self._inlet.receive(lambda _, message, stamp, sequence: found.append((message, stamp, sequence)))
        return found

    def messages(self, timeout: float | None = None) -> Iterator[tuple[Message, int, int]]:
        """Yield messages as they come, until none has come for `timeout` [s]; without end if None."""
        while True:
            ready, _, _ = select.select([self], [], [], timeout)
            if not ready:
                return
            yield from self.take()

    def close(self) -> None:
        """Look no longer; what was taken stays valid."""
        self._inlet.reader.close()

    def age(self, stamp: int) -> int:
        """Return the age of a stamp [ns]."""
        return time.monotonic_ns() - self.epoch - stamp


def _texts(value: object) -> list[str]:
    """Return what an answer has as texts; none where it has something else."""
    return [str(text) for text in value] if isinstance(value, list | tuple) else []


def _count(value: object) -> int:
    """Return what an answer has as a number of things; 0 where it has something else."""
    return value if type(value) is int else 0


def message_type(named: str) -> type[Message]:
    """Return the message type that a client names as `module:Class`.

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
