"""Link table of a run: hands both sides of each link the memory and the counters that they share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from embodied.links.ring import OBSERVERS
from embodied.links.subscription import Ends
from embodied.live.process import Process
from embodied.live.process_spec import Subscription


@dataclass(slots=True)
class SharedRing:
    """Shared memory of a node's outputs, in the link table of a run.

    Attributes:
        descriptor: of the memory.
        open_size: bytes reserved for arrays and texts of unstated size [B].
    """

    descriptor: int
    open_size: int


class LinkTable:
    """Link table between the processes of a run: memory and counters by link.

    Args:
        processes: by name.
        process_of: by node, its process.

    Attributes:
        rings: by node whose outputs leave its process.
    """

    def __init__(self, processes: Mapping[str, Process], process_of: Mapping[str, str]) -> None:
        self._processes = processes
        self._process_of = process_of
        self.rings: dict[str, SharedRing] = {}
        self._observers: dict[str, set[str]] = {}

    def publisher(self, node: str) -> Process:
        """Return the process that publishes a node's outputs."""
        return self._processes[self._process_of[node]]

    def announce(self, node: str, open_size: int, descriptor: int) -> None:
        """Register a ring, in place of one that was too small or whose process has ended."""
        self._release(node)
        self.rings[node] = SharedRing(descriptor, open_size)

    def link(self, link: Subscription) -> None:
        """Hand both sides of a link what they share, if both are there."""
        publisher, subscriber = self.publisher(link.node), self._processes[link.process]
        ring = self.rings.get(link.node)
        if ring is None or publisher.state == "ended" or subscriber.state in ("ended", "starting"):
            return
        ends = Ends.make(f"{link.node}>{link.process}")
        try:
            shared = ends.all()
            publisher.send(
                "add_subscriber",
                shared,
                node=link.node,
                process=link.process,
                bound=link.bound,
                lossless=link.lossless,
            )
            subscriber.send("subscribe", [ring.descriptor, *shared], node=link.node, open_size=ring.open_size)
        finally:
            ends.close()

    def link_subscribers(self, node: str) -> None:
        """Link every subscriber of a node."""
        for process in self._processes.values():
            for link in process.spec.incoming:
                if link.node == node:
                    self.link(link)

    def link_all_of(self, process: Process) -> None:
        """Link a process with its publishers and its subscribers."""
        for link in (*process.spec.incoming, *process.spec.outgoing):
            self.link(link)

    def unlink(self, process: Process) -> None:
        """Release the links of a process that has ended, and the memory that it published into."""
        for link in process.spec.incoming:
            self.publisher(link.node).send("remove_subscriber", node=link.node, process=process.name)
        for node in {*process.nodes, *(link.node for link in process.spec.outgoing)}:
            self._release(node)

    def observe(self, node: str, name: str) -> tuple[SharedRing, Ends]:
        """Subscribe from outside the graph, with the newest message at once; the caller closes the ends.

        Raises:
            ValueError: the node has its most observers already.
        """
        observers = self._observers.setdefault(node, set())
        if len(observers) >= OBSERVERS:
            raise ValueError(f"{OBSERVERS} look at '{node}' already; end one of them first")
        ends = Ends.make(name)
        self.publisher(node).send("add_subscriber", ends.all(), node=node, process=name, bound=1, lossless=False)
        observers.add(name)
        return self.rings[node], ends

    def unobserve(self, node: str, name: str) -> None:
        """End a subscription from outside the graph."""
        self._observers[node].discard(name)
        self.publisher(node).send("remove_subscriber", node=node, process=name)

    def close(self) -> None:
        """Release the memory of all rings."""
        for node in list(self.rings):
            self._release(node)

    def _release(self, node: str) -> None:
        ring = self.rings.pop(node, None)
        if ring is not None:
            os.close(ring.descriptor)
