"""Two machines on the loopback, and time that passes only while they are polled."""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from embodied.graph.endpoint import Endpoint
from embodied.links.keys import Keys
from embodied.links.receiver import Arrival, Receiver
from embodied.links.sender import Sender

DEADLINE = 20.0
"""What has not happened by then [s] never will; nothing here takes so long."""


def free_endpoint() -> Endpoint:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return Endpoint("127.0.0.1", probe.getsockname()[1])


def machine(folder: Path, name: str) -> Keys:
    keys = Keys(folder / name)
    keys.new()
    return keys


def believe(*machines: Keys) -> None:
    """Let each of the machines, which are named as their folders, allow the others."""
    for one in machines:
        for other in machines:
            if one is not other:
                one.allow(other.folder.name, other.public())


@dataclass
class Cell:
    """The ends of links, polled together, and what has arrived at each."""

    ends: list[Sender | Receiver] = field(default_factory=list)
    arrived: dict[int, list[Arrival]] = field(default_factory=dict)

    def sender(self, endpoint: Endpoint, keys: Keys, *topics: str) -> Sender:
        end = Sender(endpoint, keys, topics)
        self.ends.append(end)
        return end

    def receiver(self, endpoint: Endpoint, machine: str, keys: Keys, **topics: int | None) -> Receiver:
        end = Receiver(endpoint, machine, keys, topics)
        self.ends.append(end)
        self.arrived[id(end)] = []
        return end

    def at(self, end: Receiver) -> list[Arrival]:
        return self.arrived[id(end)]

    def turn(self, patience: int = 5) -> None:
        """What a runner's loop does once something is readable, or a moment has passed [ms]."""
        poller = select.poll()
        for end in self.ends:
            poller.register(end.fileno(), select.POLLIN)
        poller.poll(patience)
        for end in self.ends:
            if isinstance(end, Sender):
                end.serve()
            else:
                self.at(end).extend(end.drain(time.monotonic_ns()))

    def until(self, true: Callable[[], object]) -> None:
        end = time.monotonic() + DEADLINE
        while not true():
            assert time.monotonic() < end, "it never happened"
            self.turn()

    def close(self, end: Sender | Receiver) -> None:
        self.ends.remove(end)
        end.close()
