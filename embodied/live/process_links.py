"""Links of one process: rings that its nodes publish into, and rings of other processes that it reads.

The launcher introduces the two sides of a link to each other: the publisher announces its ring, and both get the
counters that they share.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Callable, Mapping
from typing import Any

from embodied.links.channel import Inlet, Outlet
from embodied.links.subscription import Ends, SlotSubscription, Window
from embodied.live.ipc import send
from embodied.live.loop import IDLE, DelayHistogram, ProcessLoop
from embodied.live.process_spec import ProcessSpec, Subscription
from embodied.runtime.wiring import Wiring


class ProcessLinks:
    """Links of one process by rings to others on this machine.

    Args:
        spec: of the process.
        launcher: socket to the launcher.
        loop: of the process.
        wiring: nodes of the process.

    Attributes:
        outlets: by node whose outputs leave the process.
        delays: by node of another process, the transport delays of its messages.
    """

    def __init__(self, spec: ProcessSpec, launcher: socket.socket, loop: ProcessLoop, wiring: Wiring) -> None:
        self.spec = spec
        self.loop = loop
        self.delays: dict[str, DelayHistogram] = {}
        self._launcher = launcher
        self._wiring = wiring
        self._inlets: dict[str, Inlet] = {}
        self._posts: dict[tuple[str, str], SlotSubscription] = {}
        self.outlets = {name: self._outlet(name) for name in sorted({link.node for link in spec.outgoing})}
        loop.attach(self.outlets)

    def open(self) -> None:
        """Announce the rings to the launcher."""
        for outlet in self.outlets.values():
            self._announce(outlet)

    def close(self) -> None:
        """Leave the network; memory is released with the process."""

    def _outlet(self, node: str) -> Outlet:
        links = [link for link in self.spec.outgoing if link.node == node]

        def windows(size: int) -> list[Window]:
            return [Window.of(size, link.bound) for link in links]

        layouts = [output.layout(node) for output in self.spec.outputs[node]]
        return Outlet(node, layouts, windows, self._announce, self._pause)

    def _announce(self, outlet: Outlet) -> None:
        """Hand a ring to the launcher, so that others can be linked to it; a new ring has no subscribers yet."""
        for node, process in [key for key in self._posts if key[0] == outlet.name]:
            del self._posts[node, process]
        send(self._launcher, "ring", [outlet.ring.descriptor], node=outlet.name, open_size=outlet.open_size)

    def _pause(self, pending: list[int]) -> bool:
        """Wait for free slots in a lossless link while still serving the launcher; False if the process is to stop."""
        self.loop.heartbeat.idle(time.monotonic_ns())
        launcher = self._launcher.fileno()
        poll = select.poll()
        for descriptor in (launcher, *pending):
            poll.register(descriptor, select.POLLIN)
        if any(descriptor == launcher for descriptor, _ in poll.poll(IDLE * 1000)):
            self.loop.call(launcher)
        return not self.loop.stopping

    def command(self, verb: str, about: Mapping[str, Any], descriptors: list[int]) -> None:
        """Carry out a command of the launcher that is about links.

        Args:
            verb: `add_subscriber`, `remove_subscriber`, `export` or `subscribe`.
            about: the node, the process, and properties of the link.
            descriptors: memory and counters of the link.
        """
        node = about["node"]
        if verb == "add_subscriber":
            ends = Ends(*descriptors)
            self._posts[node, about["process"]] = self.outlets[node].subscribe(ends, about["bound"], about["lossless"])
        elif verb == "remove_subscriber":
            post = self._posts.pop((node, about["process"]), None)
            if post is not None:
                self.outlets[node].ring.unsubscribe(post)
        elif verb == "export":
            self._export(node)
        elif verb == "subscribe":
            self._unsubscribe(node)
            self._subscribe(node, about["open_size"], descriptors)

    def _export(self, node: str) -> None:
        """Publish a node's outputs outside the process, though no node of another process subscribes to them."""
        if node in self.outlets:
            return
        running = self._wiring.nodes[node]
        outlet = self.outlets[node] = self._outlet(node)
        self.loop.outlets[running.index] = outlet
        self._announce(outlet)
        last = [topic.last for topic in running.topics if topic.last is not None]
        if last:
            # What was published once would otherwise never be seen.
            outlet.publish(running.sequence - 1, max(last), [topic.latest for topic in running.topics])

    def _subscribe(self, node: str, open_size: int, descriptors: list[int]) -> None:
        """Read the outputs of a node of another process."""
        link = self._incoming(node)
        topics = {index: self._wiring.remote[f"{node}.{self.spec.outputs[node][index].port}"] for index in link.wanted}
        lists = [box for topic in topics.values() for box in topic.mailboxes if box.items is not None]

        def free() -> int:
            return min(box.bound - len(box.items or ()) for box in lists)

        inlet = self._inlet(link, open_size, descriptors, free if link.lossless else None)
        delays = self.delays.setdefault(node, DelayHistogram())
        self.loop.subscribe(inlet, topics, self._wiring.groups(node), delays, refill=link.lossless)

    def _incoming(self, node: str) -> Subscription:
        return next(link for link in self.spec.incoming if link.node == node)

    def _inlet(
        self, link: Subscription, open_size: int, descriptors: list[int], free: Callable[[], int] | None = None
    ) -> Inlet:
        ring, *ends = descriptors
        layouts = [output.layout(link.node) for output in self.spec.outputs[link.node]]
        inlet = Inlet(layouts, link.wanted, open_size, ring, Ends(*ends), link.bound, link.every, free)
        os.close(ring)
        self._inlets[link.node] = inlet
        return inlet

    def _unsubscribe(self, node: str) -> None:
        """End the subscription to an older ring of a node; its last messages are read first."""
        inlet = self._inlets.pop(node, None)
        if inlet is not None:
            self.loop.call(inlet.reader.forward)
            self.loop.forget(inlet.reader.forward)
            inlet.reader.close()

    def skipped(self, node: str) -> int:
        """Count the bundles of a node of another process that were passed over for a newer one."""
        inlet = self._inlets.get(node)
        return 0 if inlet is None else inlet.reader.skipped

    def posts(self) -> list[dict[str, Any]]:
        """List what each subscriber of this process's outputs lost, as plain data."""
        return [
            {"from": node, "to": process, "dropped": post.dropped, "skipped": post.skipped}
            for (node, process), post in self._posts.items()
        ]

    def machines(self) -> list[dict[str, Any]]:
        """List the links to other machines, as plain data; most processes have none."""
        return []
