"""A process of a running graph: builds its nodes, is linked by the launcher, runs its loop, and stops when told.

It is started with a socket to its launcher and ends when that does: a launcher that was killed leaves nobody behind.
"""

from __future__ import annotations

import os
import pickle
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import IO, Any, NoReturn

from embodied.clock import SECOND
from embodied.errors import FOREIGN, EmbodiedError, LinkFailed, NodeFailed, told
from embodied.links.channel import Inlet, Outlet
from embodied.links.ring import Ends, Post, Window
from embodied.live.heartbeat import Heartbeat
from embodied.live.ipc import Disconnected, receive, send
from embodied.live.kernel import die_with_parent
from embodied.live.loop import IDLE, DelayHistogram, ProcessLoop
from embodied.live.node_output import LineStream
from embodied.live.process_spec import ProcessSpec
from embodied.live.worker_requests import answer
from embodied.messages.encoding import sealer
from embodied.plain_data import plain
from embodied.runtime.failures import world_failed
from embodied.runtime.lifecycle import close_nodes, open_node
from embodied.runtime.mailboxes import Cell, Slot, Topic

VERDICT_PERIOD = SECOND // 20
"""How often the process of the bodies asks its world for the verdict [ns]."""


class Worker:
    """One process of a graph.

    Args:
        spec: its nodes, and what it must know of others.
        launcher: socket to who started it.
        heartbeat: where it gives signs of life.

    Attributes:
        cells: its nodes, by name.
        delays: by node of another process, how long its messages were under way.
        devices: by driver, what its device says it is.
    """

    def __init__(self, spec: ProcessSpec, launcher: socket.socket, heartbeat: Heartbeat) -> None:
        self.spec = spec
        self.launcher = launcher
        self.cells = {
            planned.name: Cell(planned, i, spec.seed) for i, planned in enumerate(n.planned() for n in spec.nodes)
        }
        self.topics = {topic.name: topic for cell in self.cells.values() for topic in cell.topics}
        self.delays: dict[str, DelayHistogram] = {}
        self.devices: dict[str, str] = {}
        self._opened: list[Cell] = []
        self._inlets: dict[str, Inlet] = {}
        self._posts: dict[tuple[str, str], Post] = {}
        self._judged = False
        self._wire()
        self.outlets = {name: self._outlet(name) for name in sorted({link.node for link in spec.gives})}
        self.loop = ProcessLoop(
            list(self.cells.values()), self.outlets, heartbeat, spec.world if spec.owns_world else None
        )
        self.loop.wait(launcher.fileno(), self.listen)

    def _wire(self) -> None:
        """Mailboxes that are filled within the process."""
        for cell in self.cells.values():
            by_source: dict[str, list[tuple[Topic, Slot]]] = {}
            for slot in cell.slots:
                source = cell.planned.sources.get(slot.name)
                if source is None or source.node not in self.cells:
                    continue
                topic = self.topics[source.topic]
                topic.slots.append(slot)
                if slot.name == cell.planned.trigger:
                    topic.triggers.append(cell)
                if slot.items is None and not source.apart:
                    by_source.setdefault(source.node, []).append((topic, slot))
                if topic.seal is None:
                    output = self.cells[source.node].planned.ports.outputs[source.port]
                    topic.seal = sealer(output.message, topic.name, self.spec.stated[source.node][source.port])
            for node, group in by_source.items():
                if len(group) > 1:
                    self.cells[node].relatives.append(group)

    def _outlet(self, node: str) -> Outlet:
        gives = [link for link in self.spec.gives if link.node == node]

        def windows(size: int) -> list[Window]:
            return [Window.of(size, link.bound) for link in gives]

        return Outlet(
            node, [output.layout(node) for output in self.spec.outputs[node]], windows, self._announce, self._pause
        )

    def _pause(self, pending: list[int]) -> bool:
        """Wait for room in a link that loses nothing, and hear the launcher meanwhile; False when told to stop."""
        self.loop.heartbeat.idle(time.monotonic_ns())
        poll = select.poll()
        for descriptor in (self.launcher.fileno(), *pending):
            poll.register(descriptor, select.POLLIN)
        if any(descriptor == self.launcher.fileno() for descriptor, _ in poll.poll(IDLE * 1000)):
            self.listen()
        return not self.loop.stopping

    def _announce(self, outlet: Outlet) -> None:
        """Tell the launcher of a ring, so that others can be linked to it."""
        for node, process in [key for key in self._posts if key[0] == outlet.name]:
            del self._posts[node, process]
        send(self.launcher, "ring", [outlet.ring.descriptor], node=outlet.name, room=outlet.room)

    def build(self) -> None:
        """Open the nodes, in name order.

        Raises:
            NodeFailed: a node's `open` raised.
            WorldFailed: the world could not be built.
        """
        for outlet in self.outlets.values():
            self._announce(outlet)
        send(self.launcher, "built")
        world, seed = self.spec.world, self.spec.seed
        if world is not None:
            try:
                world.reset(seed)
            except FOREIGN as error:
                raise world_failed("reset", error) from error
        for cell in self.cells.values():
            self._opened.append(cell)
            self.loop.heartbeat.busy(time.monotonic_ns(), cell.index)
            device = open_node(cell, seed, self.spec.listened[cell.name], world)
            if device:
                self.devices[cell.name] = device
        about = {} if world is None else dict(world.about())
        # Its last sign of life is from before its nodes opened, and a device may have been waited for.
        self.loop.heartbeat.idle(time.monotonic_ns())
        send(self.launcher, "ready", about=about, devices=self.devices)

    def run(self) -> None:
        """Until told to stop.

        Raises:
            NodeFailed: a node raised, or gave what it may not.
            WorldFailed: the simulator broke.
        """
        self.loop.run()

    def close(self) -> EmbodiedError | None:
        """Close the nodes, last opened first, and the world; the first failure is returned."""
        heartbeat = self.loop.heartbeat
        failure: EmbodiedError | None = close_nodes(
            self._opened, lambda cell: heartbeat.busy(time.monotonic_ns(), cell.index)
        )
        if self.spec.world is not None:
            try:
                self.spec.world.close()
            except FOREIGN as error:
                failure = failure or world_failed("close", error)
        return failure

    def listen(self) -> None:
        """Do what the launcher says."""
        try:
            while True:
                try:
                    said = receive(self.launcher)
                except LinkFailed as error:
                    print(f"not understood from the launcher: {error}")
                    continue
                if said is None:
                    return
                self._do(said.verb, said.about, said.descriptors)
        except Disconnected:
            self.loop.forget(self.launcher.fileno())
            self.loop.stopping = True

    def _do(self, verb: str, about: dict[str, Any], descriptors: list[int]) -> None:
        if verb == "go":
            if self.spec.owns_world:
                self.loop.every(VERDICT_PERIOD, self._judge)
            self.loop.start(about["epoch"])
        elif verb == "stop":
            self.loop.stopping = True
        elif verb == "post":
            outlet = self.outlets[about["node"]]
            self._posts[about["node"], about["process"]] = outlet.subscribe(
                Ends(*descriptors), about["bound"], about["lossless"]
            )
        elif verb == "unpost":
            post = self._posts.pop((about["node"], about["process"]), None)
            if post is not None:
                self.outlets[about["node"]].ring.unsubscribe(post)
        elif verb == "offer":
            self._offer(about["node"])
        elif verb == "take":
            self._take(about["node"], about["room"], descriptors)
        elif verb == "untake":
            self._untake(about["node"])
        elif verb == "ask":
            send(self.launcher, "answer", number=about["number"], **answer(self, about["what"], about["about"]))

    def _offer(self, node: str) -> None:
        """Let a node's outputs leave the process, though no node of another takes them."""
        if node not in self.outlets:
            cell = self.cells[node]
            outlet = self.outlets[node] = self._outlet(node)
            self.loop.outlets[cell.index] = outlet
            self._announce(outlet)
            last = [topic.last for topic in cell.topics if topic.last is not None]
            if last:
                # What was published once would otherwise never be seen.
                outlet.publish(cell.sequence - 1, max(last), [topic.latest for topic in cell.topics])

    def _take(self, node: str, room: int, descriptors: list[int]) -> None:
        """Link the outputs of a node of another process; of one that was linked before, the last are read first."""
        self._untake(node)
        link = next(link for link in self.spec.takes if link.node == node)
        outputs = self.spec.outputs[node]
        ring, *ends = descriptors
        topics: dict[int, tuple[str, list[tuple[Slot, bool]]]] = {
            index: (f"{node}.{outputs[index].port}", []) for index in link.wanted
        }
        for cell in self.cells.values():
            for slot in cell.slots:
                source = cell.planned.sources.get(slot.name)
                if source is not None and source.node == node:
                    index = [output.port for output in outputs].index(source.port)
                    topics[index][1].append((slot, slot.name == cell.planned.trigger))
        waiting = [slot for _, found in topics.values() for slot, _ in found if slot.items is not None]

        def room_for() -> int:
            return min(slot.bound - len(slot.items or ()) for slot in waiting)

        inlet = Inlet(
            [output.layout(node) for output in outputs],
            link.wanted,
            room,
            ring,
            Ends(*ends),
            link.bound,
            link.every,
            room_for if link.lossless else None,
        )
        os.close(ring)
        self._inlets[node] = inlet
        self.loop.take(inlet, topics, self.delays.setdefault(node, DelayHistogram()), refill=link.lossless)

    def _untake(self, node: str) -> None:
        inlet = self._inlets.pop(node, None)
        if inlet is not None:
            self.loop.call(inlet.intake.forward)
            self.loop.forget(inlet.intake.forward)
            inlet.intake.close()

    def skipped(self, node: str) -> int:
        """How many bundles of a node of another process were passed over for a newer one."""
        inlet = self._inlets.get(node)
        return 0 if inlet is None else inlet.intake.skipped

    def posts(self) -> list[dict[str, Any]]:
        """What became of what was posted, by link."""
        return [
            {"from": node, "to": process, "dropped": post.dropped, "skipped": post.skipped}
            for (node, process), post in self._posts.items()
        ]

    def links(self) -> list[dict[str, Any]]:
        """How links to other machines fare; this process has none."""
        return []

    def _judge(self) -> None:
        """Tell the launcher as soon as the world has decided."""
        assert self.spec.world is not None
        if self._judged:
            return
        try:
            verdict = self.spec.world.verdict()
        except FOREIGN as error:
            raise world_failed("judge", error) from error
        if verdict is not None:
            self._judged = True
            send(
                self.launcher,
                "verdict",
                passed=verdict.passed,
                reason=verdict.reason,
                details=plain(verdict.details),
                pace=self.loop.advanced / max(1, self.loop.now),
            )


def _fail(launcher: socket.socket, error: BaseException) -> None:
    about: dict[str, Any] = {"error": str(error) if isinstance(error, EmbodiedError) else told(error)}
    if isinstance(error, NodeFailed):
        about |= {"node": error.node, "doing": error.doing}
    about["code"] = error.exit_code if isinstance(error, EmbodiedError) else 3
    try:
        send(launcher, "failed", **about)
    except (Disconnected, EmbodiedError):
        return


def main(briefing: IO[bytes]) -> NoReturn:
    """Run a process.

    Args:
        briefing: holds its brief; the other descriptors are given on its command line.
    """
    channel, _, living, parent = map(int, sys.argv[1:5])
    # Ctrl-C on a terminal is the launcher's to handle, in order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(signal.SIGTERM, parent)
    launcher = socket.socket(fileno=channel)
    launcher.setblocking(False)
    # A program that a node starts would keep the line open when this process has ended.
    launcher.set_inheritable(False)
    heartbeat = Heartbeat(living)
    lines = LineStream.install(heartbeat)
    code = 0
    worker: Worker | None = None
    try:
        with briefing:
            spec: ProcessSpec = pickle.load(briefing)
        worker = _kind(spec)(spec, launcher, heartbeat)
        lines.nodes = list(worker.cells)
        signal.signal(signal.SIGTERM, _stops(worker))
        worker.build()
        worker.run()
    except FOREIGN as error:
        _fail(launcher, error)
        code = 3
    failure = None if worker is None else worker.close()
    if failure is not None and not code:
        _fail(launcher, failure)
        code = 3
    lines.finish()
    # What libraries do at the end of a process, with threads of their own, may hang or crash; everything is closed.
    os._exit(code)


def _kind(spec: ProcessSpec) -> type[Worker]:
    if spec.remote is None:
        return Worker
    # Only this process imports what the network needs.
    from embodied.live.gateway import Gateway

    return Gateway


def _stops(worker: Worker) -> Callable[[int, Any], None]:
    def handler(_number: int, _frame: object) -> None:
        worker.loop.stopping = True

    return handler
