"""Gateway: links of the one process that reaches other machines, whose nodes stand in it as if they ran here.

It sends on what nodes here publish for other machines, and publishes to the processes here what arrives from there. So
no other process knows of machines, keys or network sockets, and a network that stands still stops no other process.
"""

from __future__ import annotations

import socket
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from embodied.clock import SECOND, Time
from embodied.errors import WireError
from embodied.graph.endpoint import Endpoint
from embodied.links.keys import Keys, default_folder
from embodied.links.packing import Packer
from embodied.links.receiver import AHEAD, Arrival, Receiver
from embodied.links.sender import Sender
from embodied.live.loop import DelayHistogram, ProcessLoop
from embodied.live.process_links import ProcessLinks
from embodied.live.process_spec import ProcessSpec
from embodied.messages.schema import Message
from embodied.runtime.wiring import Wiring

POLL_PERIOD = SECOND // 20
"""Time between two polls of the network sockets that gave no sign [ns]."""

TRANSIT_PERIODS = 3
"""Time in transit, in periods of the source, beyond which a message is outdated and dropped."""


class Gateway(ProcessLinks):
    """Gateway of a process: its links to other machines and to the processes here.

    Args:
        spec: nodes of other machines whose outputs are wanted here stand in it as publishers, and nodes here whose
            outputs other machines want as sources of subscriptions.
        launcher: socket to the launcher.
        loop: of the process.
        wiring: nodes of the process: none.
    """

    def __init__(self, spec: ProcessSpec, launcher: socket.socket, loop: ProcessLoop, wiring: Wiring) -> None:
        super().__init__(spec, launcher, loop, wiring)
        assert spec.remote is not None
        self._remote = spec.remote
        self._sender: Sender | None = None
        self._receivers: dict[str, Receiver] = {}
        self._packers: dict[str, dict[int, Packer]] = {}
        self._refused: Counter[str] = Counter()
        self._connected: dict[str, bool] = {}
        self._sequences: Counter[str] = Counter()

    def open(self) -> None:
        """Open the network sockets, then announce the rings.

        Raises:
            LaunchError: the keys cannot be used, or a machine is not allowed.
            LinkFailed: this machine's endpoint cannot be listened at.
        """
        remote = self._remote
        keys = Keys(remote.keys or default_folder())
        outgoing = [link.node for link in self.spec.incoming]
        for node in {*self.outlets, *outgoing}:
            outputs = self.spec.outputs[node]
            self._packers[node] = {index: Packer(outputs[index].layout(node)) for index in remote.wanted[node]}
        if outgoing:
            self._sender = Sender(Endpoint.of(remote.endpoints[remote.machine]), keys, outgoing)
            self.loop.wait(self._sender.fileno(), self._serve)
        for machine in sorted({remote.machine_of[node] for node in self.outlets}):
            topics = {node: remote.every.get(node) for node in self.outlets if remote.machine_of[node] == machine}
            receiver = Receiver(Endpoint.of(remote.endpoints[machine]), machine, keys, topics)
            self._receivers[machine] = receiver
            self.loop.wait(receiver.fileno(), self._handler(receiver))
        # The descriptor of a ZeroMQ socket is edge-triggered: an event that was missed is found by polling.
        self.loop.every(POLL_PERIOD, self._poll_all)
        super().open()

    def close(self) -> None:
        """Close sender and receiver of the gateway."""
        if self._sender is not None:
            self._sender.close()
        for receiver in self._receivers.values():
            receiver.close()

    def machines(self) -> list[dict[str, Any]]:
        """List the links to other machines, as plain data."""
        links = [
            {
                "machine": machine,
                "connected": receiver.connected,
                "received": dict(receiver.received),
                "skipped": dict(receiver.skipped),
                "refused": dict(receiver.refused + self._refused),
                "denied": dict(receiver.denied),
            }
            for machine, receiver in self._receivers.items()
        ]
        if self._sender is not None:
            sender = self._sender
            links.append(
                {
                    "machine": self._remote.machine,
                    "takers": {topic: sender.subscribers(topic) for topic in sorted(sender.topics)},
                    "skipped": dict(sender.skipped),
                    "refused": dict(sender.refused),
                    "denied": dict(sender.denied),
                }
            )
        return links

    def _poll_all(self) -> None:
        self._serve()
        for machine, receiver in self._receivers.items():
            self._drain(receiver)
            if self._connected.get(machine) != receiver.connected:
                self._connected[machine] = receiver.connected
                print(f"'{machine}' is {'connected' if receiver.connected else 'not there'}")

    def _serve(self) -> None:
        if self._sender is not None:
            self._sender.serve()

    def _handler(self, receiver: Receiver) -> Callable[[], None]:
        return lambda: self._drain(receiver)

    def _drain(self, receiver: Receiver) -> None:
        # Machines are connected before the clock of this run begins: what comes until then has no time on it.
        clock = time.monotonic_ns()
        while True:
            for arrival in receiver.drain(clock):
                if 0 < self.loop.epoch <= clock:
                    self._publish(arrival, clock)
            if not receiver.ready():
                return

    def _publish(self, arrival: Arrival, clock: int) -> None:
        """Publish here what a node of another machine published, unless it is outdated or malformed.

        Args:
            arrival: what came.
            clock: time at which it came, on CLOCK_MONOTONIC [ns].
        """
        node, now = arrival.topic, clock - self.loop.epoch
        period = self._remote.periods.get(node)
        # It was sent after it had been asked for, and is asked for up to AHEAD messages before it is made.
        if period is not None and clock - arrival.asked > (AHEAD + TRANSIT_PERIODS) * period + SECOND // 10:
            self._refused["old news"] += 1
            return
        packers = self._packers[node]
        messages: list[Any] = [None] * len(self.spec.outputs[node])
        try:
            if len(arrival.parts) != len(packers):
                raise WireError(f"'{node}': {len(arrival.parts)} parts came instead of {len(packers)}")
            for (index, packer), part in zip(packers.items(), arrival.parts, strict=True):
                if part.nbytes:
                    messages[index] = on_our_clock(packer.unpack(part), arrival.stamp, now)
            if any(message is not None for message in messages):
                # The publisher's own count starts from 0 when its process is started again; this one goes on.
                self._sequences[node] += 1
                self.outlets[node].publish(self._sequences[node], now, messages)
        except WireError as error:
            self._refused[str(error)[:100]] += 1

    def _subscribe(self, node: str, open_size: int, descriptors: list[int]) -> None:
        """Send on what a node here publishes."""
        inlet = self._inlet(self._incoming(node), open_size, descriptors)
        delays = self.delays.setdefault(node, DelayHistogram())
        packers = self._packers[node]
        bundles: dict[int, dict[int, bytes]] = {}

        def taken(index: int, message: Any, stamp: int, sequence: int) -> None:
            delays.counts[(self.loop.now - stamp).bit_length()] += 1
            bundles.setdefault(sequence, {})[index] = packers[index].pack(message)

        def handler() -> None:
            inlet.receive(taken)
            for sequence, parts in sorted(bundles.items()):
                if self._sender is not None and self.loop.epoch:
                    self._sender.send(node, sequence, self.loop.now, *(parts.get(index, b"") for index in packers))
            bundles.clear()

        self.loop.wait(inlet.reader.forward, handler)


def on_our_clock(message: Message, sent: int, now: int) -> Message:
    """Return a message of another machine with the time of its measurement on the clock of this one.

    It is as much older than its arrival as it was when it was sent; its transit, which no clock measures, is left out.

    Args:
        message: as it came.
        sent: time at which it was sent, on the clock of its machine [ns].
        now: time at which it came, on the clock of this machine [ns].
    """
    acquired: int | None = getattr(message, "acquired", None)
    if acquired is None:
        return message
    ours: Any = message
    converted: Message = replace(ours, acquired=Time(now - max(0, sent - acquired)))
    return converted
