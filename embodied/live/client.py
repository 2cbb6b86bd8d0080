"""Client of a running graph: requests, observed topics, printed lines, as the command line uses them."""

from __future__ import annotations

import importlib
import os
import pickle
import select
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from embodied.errors import FOREIGN, LaunchError, LinkFailed, Problem, nearest, told
from embodied.links.channel import Inlet
from embodied.links.subscription import Ends
from embodied.live.ipc import Disconnected, receive, send
from embodied.live.process_spec import Output
from embodied.live.run_directory import RunDirectory, running
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Message

if TYPE_CHECKING:
    from embodied.graph.graph import Graph

TIMEOUT = 3.0
"""Longest wait for an answer [s]."""


def find(name: str | None = None) -> RunDirectory:
    """Find a run by its name or the beginning of it; without a name, the only run there is.

    Raises:
        LaunchError: there is no such run, or several.
    """
    runs = list(running())
    matches = [run for run in runs if name is None or run.name == name]
    matches = matches or [run for run in runs if name is not None and run.name.startswith(name)]
    if len(matches) == 1:
        return matches[0]
    if not runs:
        problem = Problem("E005", "nothing is running", help=("start a graph: embodied run FILE --sim --live",))
    elif not matches:
        problem = Problem("E005", f"there is no run '{name}'", help=nearest(str(name), [run.name for run in runs]))
    else:
        help_ = (f"say which, with --run: {', '.join(run.name for run in matches)}",)
        problem = Problem("E005", "several graphs are running", help=help_)
    raise LaunchError([problem])


class Refused(ValueError):
    """Exception for a request that the run refuses.

    Attributes:
        help: sentences on what would be accepted.
    """

    def __init__(self, text: str, help_: Sequence[str] = ()) -> None:
        self.help = tuple(help_)
        super().__init__(text)


class Client:
    """Connection to the control socket of a running graph.

        with Client(find()) as client:
            print(client.ask("status")["now_s"])

    Args:
        directory: of the run.
        timeout: longest wait for an answer [s].

    Raises:
        LaunchError: the run has ended.
        LinkFailed: it does not answer.
    """

    def __init__(self, directory: RunDirectory, timeout: float = TIMEOUT) -> None:
        self.directory = directory
        self.timeout = timeout
        try:
            channel = directory.connect()
        except BlockingIOError:
            raise self._silent() from None
        if channel is None:
            raise LaunchError([Problem("E005", f"'{directory.name}' does not run any more")])
        self._channel: socket.socket = channel

    def ask(self, verb: str, /, **about: Any) -> Any:
        """Send a request, and wait for the answer.

        Raises:
            Refused: the run refuses; the sentence says why.
            LinkFailed: it does not answer.
        """
        self.send(verb, **about)
        return self.answer()

    def send(self, verb: str, /, **about: Any) -> None:
        """Send a request whose answer is read later, or never; it is carried out all the same.

        Raises:
            LinkFailed: the run has ended.
        """
        try:
            send(self._channel, verb, **about)
        except Disconnected:
            raise self._ended() from None

    def answer(self) -> Any:
        """Wait for the answer to a request that was sent.

        Raises:
            Refused: the run refuses; the sentence says why.
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
            packet = receive(self._channel)
        except Disconnected:
            raise self._ended() from None
        assert packet is not None
        if packet.verb == "error":
            raise Refused(packet.about["text"], packet.about.get("help", ()))
        return packet.about["value"], packet.descriptors

    def _ended(self) -> LinkFailed:
        return LinkFailed(f"'{self.directory.name}' has ended")

    def _silent(self) -> LinkFailed:
        return LinkFailed(f"'{self.directory.name}' does not answer: {self.directory.trouble()}")

    def observe(self, topic: str) -> Observer:
        """Observe a topic, beginning with its newest message.

        Raises:
            Refused: there is no such topic, or its node has its most observers.
            LinkFailed: it does not answer.
        """
        self.send("observe", topic=topic)
        about, descriptors = self._answer()
        self.enter()
        return Observer(about, descriptors)

    def lines(self, node: str = "", count: int = 0) -> Iterator[tuple[list[str], int]]:
        """Yield printed lines until the run ends: process, node and text, and the number of lines lost before.

        Args:
            node: name of the node; empty for all nodes.
            count: number of older lines to begin with.

        Raises:
            Refused: there is no such node.
            LinkFailed: it does not answer.
        """
        for line in self.ask("logs", node=node, count=count, follow=True):
            yield line, 0
        while True:
            select.select([self._channel], [], [])
            try:
                packet = receive(self._channel)
            except Disconnected:
                return
            if packet is not None:
                yield packet.about["line"], packet.about["lost"]

    def graph(self) -> Graph:
        """Return the graph as it was launched; its modules are imported from where the run has them.

        Raises:
            LinkFailed: it does not answer, or a module cannot be imported here.
        """
        self.send("graph")
        _, (descriptor,) = self._answer()
        self.enter()
        try:
            with os.fdopen(descriptor, "rb") as stream:
                graph: Graph = pickle.load(stream)
        except FOREIGN as error:
            raise LinkFailed(f"the graph of '{self.directory.name}' cannot be read here: {told(error)}") from None
        return graph

    def enter(self) -> None:
        """Append the module search path of the run to that of this process."""
        sys.path.extend(entry for entry in self.directory.read().get("path", ()) if entry not in sys.path)

    def fileno(self) -> int:
        """Return the descriptor of the connection, which without requests becomes readable at the end of the run."""
        return self._channel.fileno()

    def gone(self, timeout: float) -> bool:
        """Wait up to `timeout` seconds for the end of the run, and return whether it has ended."""
        end = time.monotonic() + timeout
        while select.select([self._channel], [], [], max(0.0, end - time.monotonic()))[0]:
            try:
                if receive(self._channel) is None:
                    return False
            except Disconnected:
                return True
        return False

    def close(self) -> None:
        """Close the connection, and with it every observation."""
        self._channel.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Observer:
    """View of one topic, read from the shared memory that it is published in.

    Attributes:
        topic: `node.port`.
        epoch: time 0 of the run, on CLOCK_MONOTONIC [ns].
        taken: whether a node subscribes to it; a rendered topic is published only then.
        skipped: number of messages that were passed over for a newer one.
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
        """Number of messages that were passed over for a newer one."""
        return self._inlet.reader.skipped

    def fileno(self) -> int:
        """Return the descriptor that becomes readable at a publication."""
        return self._inlet.reader.forward

    def take(self) -> list[tuple[Message, int, int]]:
        """Read what has arrived: message, stamp [ns] and sequence."""
        messages: list[tuple[Message, int, int]] = []
        self._inlet.receive(lambda _, message, stamp, sequence: messages.append((message, stamp, sequence)))
        return messages

    def messages(self, timeout: float | None = None) -> Iterator[tuple[Message, int, int]]:
        """Yield messages as they arrive, until none has arrived for `timeout` seconds; without end for None."""
        while True:
            ready, _, _ = select.select([self], [], [], timeout)
            if not ready:
                return
            yield from self.take()

    def close(self) -> None:
        """End the observation; messages that were read stay valid."""
        self._inlet.reader.close()

    def age(self, stamp: int) -> int:
        """Return the age of a stamp [ns]."""
        return time.monotonic_ns() - self.epoch - stamp


def message_type(named: str) -> type[Message]:
    """Import a message type by its `module:Class`.

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
