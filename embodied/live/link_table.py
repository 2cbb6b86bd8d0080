"""Who is linked to whom: hands both sides of a link the memory and the counters that they share."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from embodied.links.ring import OBSERVERS
from embodied.links.subscription import Ends
from embodied.live.process import Process
from embodied.live.process_spec import Subscription


@dataclass(slots=True)
class Ring:
    """The memory of a node's outputs.

    Attributes:
        descriptor: of the memory.
        room: for arrays and texts whose size nobody stated [B].
    """

    descriptor: int
    room: int


class LinkTable:
    """The links of a run.

    Args:
        processes: by name.
        home: by node, its process.

    Attributes:
        rings: by node whose outputs leave its process.
    """

    def __init__(self, processes: Mapping[str, Process], home: Mapping[str, str]) -> None:
        self._processes = processes
        self._home = home
        self.rings: dict[str, Ring] = {}
        self._observers: dict[str, set[str]] = {}

    def giver(self, node: str) -> Process:
        """The process in which a node's outputs are given."""
        return self._processes[self._home[node]]

    def announce(self, node: str, room: int, descriptor: int) -> None:
        """Take note of a ring, in place of one that was too small, or whose process has ended."""
        self._forget(node)
        self.rings[node] = Ring(descriptor, room)

    def link(self, link: Subscription) -> None:
        """Hand both sides of a link what they share, if both are there."""
        giver, taker = self.giver(link.node), self._processes[link.process]
        ring = self.rings.get(link.node)
        if ring is None or giver.state == "ended" or taker.state in ("ended", "starting"):
            return
        ends = Ends.make(f"{link.node}>{link.process}")
        try:
            shared = ends.all()
            giver.send(
                "add_subscriber", shared, node=link.node, process=link.process, bound=link.bound, lossless=link.lossless
            )
            taker.send("subscribe", [ring.descriptor, *shared], node=link.node, room=ring.room)
        finally:
            ends.close()

    def link_takers(self, node: str) -> None:
        """Link everybody who takes from a node."""
        for process in self._processes.values():
            for link in process.spec.incoming:
                if link.node == node:
                    self.link(link)

    def link_all_of(self, process: Process) -> None:
        """Link a process with all from whom it takes, and all to whom it gives."""
        for link in (*process.spec.incoming, *process.spec.outgoing):
            self.link(link)

    def unlink(self, process: Process) -> None:
        """Take note that a process has ended: what it held is given back, and what it gave has no memory any more."""
        for link in process.spec.incoming:
            self.giver(link.node).send("remove_subscriber", node=link.node, process=process.name)
        for node in {*process.nodes, *(link.node for link in process.spec.outgoing)}:
            self._forget(node)

    def observe(self, node: str, name: str) -> tuple[Ring, Ends]:
        """A subscription for someone outside the graph, who gets the newest at once; the caller closes its ends.

        Raises:
            ValueError: too many look already.
        """
        looking = self._observers.setdefault(node, set())
        if len(looking) >= OBSERVERS:
            raise ValueError(f"{OBSERVERS} look at '{node}' already; end one of them first")
        ends = Ends.make(name)
        self.giver(node).send("add_subscriber", ends.all(), node=node, process=name, bound=1, lossless=False)
        looking.add(name)
        return self.rings[node], ends

    def unobserve(self, node: str, name: str) -> None:
        """End a subscription of someone outside."""
        self._observers[node].discard(name)
        self.giver(node).send("remove_subscriber", node=node, process=name)

    def close(self) -> None:
        """Give the memory back."""
        for node in list(self.rings):
            self._forget(node)

    def _forget(self, node: str) -> None:
        ring = self.rings.pop(node, None)
        if ring is not None:
            os.close(ring.descriptor)
