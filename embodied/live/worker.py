"""Worker: one process of a running graph, which opens its nodes, runs its loop, and stops when the launcher says so."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Any

from embodied.clock import SECOND
from embodied.errors import EmbodiedError, LinkFailed
from embodied.live.guard_socket import GuardSocket
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, receive, send
from embodied.live.loop import ProcessLoop
from embodied.live.process_links import ProcessLinks
from embodied.live.process_spec import ProcessSpec
from embodied.live.worker_requests import WorkerRequests
from embodied.plain_data import plain
from embodied.runtime.checked_world import CheckedWorld
from embodied.runtime.lifecycle import close_nodes, open_node
from embodied.runtime.running_node import RunningNode
from embodied.runtime.wiring import Wiring

VERDICT_PERIOD = SECOND // 20
"""Time between two requests to the world for its verdict [ns]."""

LONGEST_REASON = 20_000
"""Length to which a text in a report to the launcher is cut [characters], so that it fits into a packet."""


class Worker:
    """Worker of a running graph: one process that opens, runs and stops its nodes.

    Args:
        spec: of the process.
        launcher: socket to the launcher.
        heartbeat: of the process.
        beat: heartbeat of the launcher.
        links: kind of its links: to other processes, or to other machines as well.

    Attributes:
        wiring: its nodes.
        devices: by driver, identity of its device.
    """

    def __init__(
        self,
        spec: ProcessSpec,
        launcher: socket.socket,
        heartbeat: Heartbeat,
        beat: Heartbeat,
        links: type[ProcessLinks] = ProcessLinks,
    ) -> None:
        self.spec = spec
        self.wiring = Wiring((node.planned() for node in spec.nodes), spec.seed)
        self.wiring.seal(spec.stated, {link.node for link in spec.outgoing})
        self.devices: dict[str, str] = {}
        self._launcher = launcher
        self._world = None if spec.world is None else CheckedWorld(spec.world)
        self._opened: list[RunningNode] = []
        self._judged = False
        self.loop = ProcessLoop(list(self.wiring.nodes.values()), heartbeat, self._world if spec.owns_world else None)
        self._links = links(spec, launcher, self.loop, self.wiring)
        self._requests = WorkerRequests(self.wiring, self.loop, self._links)
        self.loop.wait(launcher.fileno(), self.listen)
        self._guards = None if spec.guards is None else GuardSocket(self.loop, self._requests, spec.guards, beat)

    def build(self) -> None:
        """Open the links, then the nodes, in name order.

        Raises:
            NodeFailed: a node's `open` raised.
            WorldFailed: the world could not be built.
        """
        self._links.open()
        send(self._launcher, "built")
        seed = self.spec.seed
        if self._world is not None:
            self._world.reset(seed)
        for node in self.wiring.nodes.values():
            self._opened.append(node)
            self.loop.heartbeat.busy(time.monotonic_ns(), node.index)
            device = open_node(node, seed, self.spec.listened[node.name], self.spec.world)
            if device:
                self.devices[node.name] = device
        about = {} if self._world is None else self._world.about()
        # The last heartbeat is from before the nodes opened, and a device may have been waited for.
        self.loop.heartbeat.idle(time.monotonic_ns())
        send(self._launcher, "ready", about=about, devices=self.devices)

    def run(self) -> None:
        """Run the nodes until the launcher stops the process.

        Raises:
            NodeFailed: a node raised, or its outputs do not fit.
            WorldFailed: the simulator broke.
        """
        self.loop.run()

    def close(self) -> EmbodiedError | None:
        """Close links, nodes, last opened first, and the world; returns the first failure."""
        self._links.close()
        if self._guards is not None:
            self._guards.close()
        heartbeat = self.loop.heartbeat
        failure: EmbodiedError | None = close_nodes(
            self._opened, lambda node: heartbeat.busy(time.monotonic_ns(), node.index)
        )
        if self._world is not None:
            try:
                self._world.close()
            except EmbodiedError as error:
                failure = failure or error
        return failure

    def listen(self) -> None:
        """Carry out what the launcher has sent; a launcher that is gone stops the process."""
        try:
            while True:
                try:
                    packet = receive(self._launcher)
                except LinkFailed as error:
                    print(f"not understood from the launcher: {error}")
                    continue
                if packet is None:
                    return
                self._do(packet.verb, packet.about, packet.descriptors)
        except Disconnected:
            self.loop.forget(self._launcher.fileno())
            self.loop.stopping = True

    def _do(self, verb: str, about: dict[str, Any], descriptors: list[int]) -> None:
        if verb == "go":
            if self.spec.owns_world:
                self.loop.every(VERDICT_PERIOD, self._judge)
            self.loop.start(about["epoch"])
        elif verb == "stop":
            self.loop.stopping = True
        elif verb == "ask":
            until = about.get("until")
            # For whoever asked it has failed if it is late.
            if until is None or time.monotonic_ns() <= until:
                self._answer(about["number"], about["what"], about["about"])
        else:
            self._links.command(verb, about, descriptors)

    def _answer(self, number: int, what: str, about: dict[str, Any]) -> None:
        """Answer a request of the launcher; an answer that cannot be sent ends no node."""
        try:
            send(self._launcher, "answer", number=number, **self._requests.answer(what, about))
        except LinkFailed as error:
            with contextlib.suppress(LinkFailed):
                send(self._launcher, "answer", number=number, error=str(error))

    def _judge(self) -> None:
        """Report the verdict to the launcher as soon as the world has one."""
        if self._judged or self._world is None:
            return
        verdict = self._world.verdict()
        if verdict is None:
            return
        pace = self.loop.advanced / max(1, self.loop.now)
        about: dict[str, Any] = {"passed": verdict.passed, "reason": verdict.reason[:LONGEST_REASON], "pace": pace}
        try:
            send(self._launcher, "verdict", **about, details=plain(verdict.details))
        except LinkFailed as error:
            # Numbers that do not fit into a packet cost the numbers; while nobody reads, it is sent again later.
            with contextlib.suppress(LinkFailed):
                send(self._launcher, "verdict", **about, details={"left out": str(error)})
                self._judged = True
        else:
            self._judged = True
