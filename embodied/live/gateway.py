"""The process in which other machines are reached: their nodes stand in it as if they ran here.

It takes what nodes here give to others, and sends it; what comes from others it publishes to the processes here. So no
other process knows of machines, keys or sockets of the network, and a network that stands still holds nobody up.
"""

from __future__ import annotations

import os
import socket
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from embodied.clock import SECOND
from embodied.errors import WireError
from embodied.graph.endpoint import Endpoint
from embodied.links.channel import Inlet
from embodied.links.keys import Keys, default_folder
from embodied.links.packing import Parcel
from embodied.links.receiver import AHEAD, Arrival, Receiver
from embodied.links.ring import Ends
from embodied.links.sender import Sender
from embodied.live.heartbeat import Heartbeat
from embodied.live.loop import DelayHistogram
from embodied.live.process_spec import ProcessSpec
from embodied.live.worker import Worker

SERVE = SECOND // 20
"""How often sockets are looked at without a sign from them [ns]."""

PATIENCE = 3
"""A message that was under way for more than so many periods of its source is old news, and is dropped."""


class Gateway(Worker):
    """The process that reaches other machines.

    Args:
        spec: nodes of other machines that are taken here stand in it as givers, and nodes here as taken.
        launcher: socket to who started it.
        heartbeat: where it gives signs of life.
    """

    def __init__(self, spec: ProcessSpec, launcher: socket.socket, heartbeat: Heartbeat) -> None:
        super().__init__(spec, launcher, heartbeat)
        assert spec.remote is not None
        self._remote = spec.remote
        self._sender: Sender | None = None
        self._receivers: dict[str, Receiver] = {}
        self._parcels: dict[str, dict[int, Parcel]] = {}
        self.refused: Counter[str] = Counter()
        self._told: dict[str, bool] = {}
        self._sequences: Counter[str] = Counter()

    def build(self) -> None:
        """Open the sockets.

        Raises:
            LaunchError: the keys cannot be used, or a machine is not allowed.
            LinkFailed: nobody can listen at this machine's endpoint.
        """
        remote = self._remote
        keys = Keys(remote.keys or default_folder())
        for node in {*self.outlets, *(link.node for link in self.spec.takes)}:
            outputs = self.spec.outputs[node]
            self._parcels[node] = {index: Parcel(outputs[index].layout(node)) for index in remote.taken[node]}
        given = [link.node for link in self.spec.takes]
        if given:
            self._sender = Sender(Endpoint.of(remote.endpoints[remote.machine]), keys, given)
            self.loop.wait(self._sender.fileno(), self._serve)
        for machine in sorted({remote.homes[node] for node in self.outlets}):
            topics = {node: remote.every.get(node) for node in self.outlets if remote.homes[node] == machine}
            receiver = Receiver(Endpoint.of(remote.endpoints[machine]), machine, keys, topics)
            self._receivers[machine] = receiver
            self.loop.wait(receiver.fileno(), self._taker(receiver))
        # The descriptor of a ZeroMQ socket tells of a change once; what was swallowed is found by looking.
        self.loop.every(SERVE, self._look)
        super().build()

    def close(self) -> Any:
        """Leave the network."""
        if self._sender is not None:
            self._sender.close()
        for receiver in self._receivers.values():
            receiver.close()
        return super().close()

    def links(self) -> list[dict[str, Any]]:
        """How the links to other machines fare."""
        found = [
            {
                "machine": machine,
                "connected": receiver.connected,
                "received": dict(receiver.received),
                "skipped": dict(receiver.skipped),
                "refused": dict(receiver.refused + self.refused),
                "denied": dict(receiver.denied),
            }
            for machine, receiver in self._receivers.items()
        ]
        if self._sender is not None:
            sender = self._sender
            found.append(
                {
                    "machine": self._remote.machine,
                    "takers": {topic: sender.takers(topic) for topic in sorted(sender.topics)},
                    "skipped": dict(sender.skipped),
                    "refused": dict(sender.refused),
                    "denied": dict(sender.denied),
                }
            )
        return found

    def _look(self) -> None:
        self._serve()
        for machine, receiver in self._receivers.items():
            self._take_in(receiver)
            if self._told.get(machine) != receiver.connected:
                self._told[machine] = receiver.connected
                print(f"'{machine}' is {'connected' if receiver.connected else 'not there'}")

    def _serve(self) -> None:
        if self._sender is not None:
            self._sender.serve()

    def _taker(self, receiver: Receiver) -> Callable[[], None]:
        return lambda: self._take_in(receiver)

    def _take_in(self, receiver: Receiver) -> None:
        now = self.loop.now
        while True:
            for arrival in receiver.drain(now):
                self._publish(arrival, now)
            if not receiver.ready():
                return

    def _publish(self, arrival: Arrival, now: int) -> None:
        """Publish what a node of another machine gave, unless it is old news or makes no sense."""
        node = arrival.topic
        period = self._remote.periods.get(node)
        # It was sent after it had been asked for, and is asked for up to AHEAD messages before it is made.
        if period is not None and now - arrival.asked > (AHEAD + PATIENCE) * period + SECOND // 10:
            self.refused["old news"] += 1
            return
        parcels = self._parcels[node]
        messages: list[Any] = [None] * len(self.spec.outputs[node])
        try:
            if len(arrival.parts) != len(parcels):
                raise WireError(f"'{node}': {len(arrival.parts)} parts came instead of {len(parcels)}")
            for (index, parcel), part in zip(parcels.items(), arrival.parts, strict=True):
                if part.nbytes:
                    messages[index] = parcel.unpack(part)
            if any(message is not None for message in messages):
                # Its own count begins anew when its process does; here it goes on.
                self._sequences[node] += 1
                self.outlets[node].publish(self._sequences[node], now, messages)
        except WireError as error:
            self.refused[str(error)[:100]] += 1

    def _take(self, node: str, room: int, descriptors: list[int]) -> None:
        """Send on what a node here gives."""
        self._untake(node)
        link = next(link for link in self.spec.takes if link.node == node)
        layouts = [output.layout(node) for output in self.spec.outputs[node]]
        ring, *ends = descriptors
        inlet = Inlet(layouts, link.wanted, room, ring, Ends(*ends), link.bound, link.every)
        os.close(ring)
        self._inlets[node] = inlet
        delays = self.delays.setdefault(node, DelayHistogram())
        parcels = self._parcels[node]
        bundles: dict[int, dict[int, bytes]] = {}

        def taken(index: int, message: Any, stamp: int, sequence: int) -> None:
            delays.counts[(self.loop.now - stamp).bit_length()] += 1
            bundles.setdefault(sequence, {})[index] = parcels[index].pack(message)

        def handler() -> None:
            inlet.receive(taken)
            for sequence, parts in sorted(bundles.items()):
                if self._sender is not None:
                    stamp = time.monotonic_ns()
                    self._sender.send(node, sequence, stamp, *(parts.get(index, b"") for index in parcels))
            bundles.clear()

        self.loop.wait(inlet.intake.forward, handler)
