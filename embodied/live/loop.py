"""Loop of one live process: wait for links and timers in one place, read mailboxes, step, publish.

At each wake-up all due nodes read their mailboxes, all step, then all outputs are delivered, as at a tag in lockstep.
Nodes that are triggered by others of the same process follow in the same wake-up.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from embodied.clock import Time, tick, ticks_by
from embodied.links.channel import Inlet, Outlet
from embodied.live.event_loop import EventLoop
from embodied.live.heartbeat import Heartbeat
from embodied.live.kernel import Timer
from embodied.live.node_step import Publication, Step, stepper
from embodied.messages.arrays import made_by
from embodied.messages.schema import Message
from embodied.runtime.checked_world import CheckedWorld
from embodied.runtime.mailboxes import FOREVER, Mailbox
from embodied.runtime.running_node import RunningNode, Topic
from embodied.runtime.wiring import align, deliver

IDLE = 0.1
"""Longest time that a process waits between two heartbeats [s]."""

COLLECT_PERIOD = 1_000_000_000
"""Time between two collections of reference cycles, between steps [ns]; every 30th one is a full collection."""


class DelayHistogram:
    """Histogram of transport delays of a live process's messages, by powers of two."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = [0] * 64


class ProcessLoop(EventLoop):
    """Loop of one live process, which runs its nodes on the steady clock.

    Args:
        nodes: in name order.
        heartbeat: of the process.
        world: advanced before the nodes step, in the process that owns it.

    Attributes:
        epoch: time 0 of the run, on CLOCK_MONOTONIC [ns].
        stopping: whether `run` is to return.
        outlets: by number of the node; None where its outputs stay in the process.
        advanced: time to which the world was advanced [ns].
    """

    def __init__(self, nodes: Sequence[RunningNode], heartbeat: Heartbeat, world: CheckedWorld | None = None) -> None:
        super().__init__()
        self.nodes = nodes
        self.heartbeat = heartbeat
        self.epoch = 0
        self.stopping = False
        self.outlets: list[Outlet | None] = [None] * len(nodes)
        self.advanced = 0
        self._world = world
        self._timer = Timer()
        self._next: list[list[int]] = []
        self._alarms: list[list[Any]] = []
        self._refills: dict[int, Callable[[], None]] = {}
        self._due: list[RunningNode] = []
        self._step: list[Step] = []
        self._collected = self._collections = 0
        self._alarm = FOREVER
        self.wait(self._timer.descriptor, self._timer.clear)

    @property
    def now(self) -> int:
        """Time since the start of the run [ns]."""
        return time.monotonic_ns() - self.epoch

    def attach(self, outlets: Mapping[str, Outlet]) -> None:
        """Set where outputs leave the process, by node, and build the step functions."""
        self.outlets = [outlets.get(node.name) for node in self.nodes]
        makers = {name: outlet.empty for name, outlet in outlets.items() if outlet.stated}
        if len(self.nodes) == len(makers) == 1:
            # With a single node the maker of its arrays is set once, and not at each step.
            made_by(next(iter(makers.values())))
            makers = {}
        self._step = [stepper(node, self.heartbeat, self.publish, makers.get(node.name)) for node in self.nodes]

    def forget(self, descriptor: int) -> None:
        """Remove a descriptor and its handler."""
        super().forget(descriptor)
        self._refills.pop(descriptor, None)

    def subscribe(
        self,
        inlet: Inlet,
        topics: Mapping[int, Topic],
        groups: Sequence[list[Mailbox]],
        delays: DelayHistogram,
        *,
        refill: bool = False,
    ) -> None:
        """Deliver what arrives on a link.

        Args:
            inlet: the link.
            topics: by number of the output.
            groups: mailboxes that the publisher fills together.
            delays: counts the transport delay of each message.
            refill: whether messages that do not fit yet stay on the link, which is then polled after each step.
        """
        latest = [mailbox for topic in topics.values() for mailbox in topic.mailboxes if mailbox.items is None]
        counts, clock = delays.counts, time.monotonic_ns
        for mailbox in latest:
            # A publisher that was started again counts its steps from 0.
            mailbox.sequence = -1

        def taken(index: int, message: Any, stamp: int, sequence: int) -> None:
            counts[(clock() - self.epoch - stamp).bit_length()] += 1
            deliver(topics[index], message, stamp, sequence, self._due)

        def vacate() -> None:
            for mailbox in latest:
                mailbox.value = None

        receive = inlet.handler(taken, vacate)

        def aligned() -> None:
            receive()
            align(groups)

        handler = aligned if groups else receive
        self.wait(inlet.reader.forward, handler)
        if refill:
            self._refills[inlet.reader.forward] = handler

    def every(self, period: int, handler: Callable[[], None]) -> None:
        """Call a handler at a fixed period [ns], after the world was advanced."""
        self._alarms.append([0, period, handler])

    def start(self, epoch: int) -> None:
        """Start the clock of the nodes.

        Args:
            epoch: time 0 of the run, on CLOCK_MONOTONIC [ns].
        """
        self.epoch = epoch
        for index, node in enumerate(self.nodes):
            if node.planned.rate is not None:
                late = max(0, self.now)
                n = ticks_by(late, node.planned.rate) + (late > 0)
                self._next.append([tick(n, node.planned.rate), index, n])
            elif node.planned.once:
                self._next.append([max(0, self.now), index, -1])
        self._arm()
        # A collection in the middle of a step costs more than the step.
        gc.collect()
        gc.freeze()
        gc.disable()

    def _arm(self) -> None:
        times = [entry[0] for entry in self._next] + [alarm[0] for alarm in self._alarms]
        self._alarm = min(times, default=FOREVER)
        if self._alarm < FOREVER:
            self._timer.arm(self.epoch + self._alarm)

    def run(self) -> None:
        """Run until `stopping` is set.

        Raises:
            NodeFailed: a node raised, or its outputs do not fit.
            WorldFailed: the simulator broke.
        """
        while not self.stopping:
            self.once()

    def once(self) -> None:
        """Wait for the next events and handle them: links, timers, and the steps that are due."""
        self.heartbeat.words[1] = -1
        self.turn(0.0 if self._due else IDLE)
        at = time.monotonic_ns()
        self.heartbeat.words[0] = at
        now = at - self.epoch
        if now >= self._alarm:
            self._ticks(now)
        # A chain of triggers has at most as many links as nodes; a loop of triggers goes on at the next wake-up.
        for _ in self.nodes:
            if not self._due:
                break
            self._steps(now)
            for refill in self._refills.values():
                refill()
        if now - self._collected > COLLECT_PERIOD:
            self._collected = now
            self._collections += 1
            gc.collect(2 if self._collections % 30 == 0 else 1)

    def _ticks(self, now: int) -> None:
        """Mark the rated nodes that are due, and advance the world to their tick."""
        at = -1
        for entry in self._next:
            if entry[0] > now:
                continue
            node = self.nodes[entry[1]]
            at = max(at, entry[0])
            if not node.due:
                node.due = True
                self._due.append(node)
            rate = node.planned.rate
            if rate is None:
                entry[0] = FOREVER
                continue
            n = max(entry[2] + 1, ticks_by(now, rate) + 1)
            node.skipped += n - entry[2] - 1
            node.late = max(node.late, now - entry[0])
            entry[0], entry[2] = tick(n, rate), n
        calls = []
        for alarm in self._alarms:
            if alarm[0] <= now:
                at = max(at, alarm[0])
                alarm[0] = (now // alarm[1] + 1) * alarm[1]
                calls.append(alarm[2])
        if self._world is not None and at > self.advanced:
            self.advanced = at
            self._world.advance(Time(at))
        for call in calls:
            call()
        self._arm()

    def _steps(self, now: int) -> None:
        """Step the due nodes; the nodes that they trigger are due after."""
        due, self._due = self._due, []
        if len(due) > 1:
            due.sort(key=_index)
        published: list[Publication] = []
        for node in due:
            node.due = False
            self._step[node.index](now, published)
        for node, sequence, outputs in published:
            self._deliver(node, sequence, outputs)

    def publish(self, node: RunningNode, outputs: list[tuple[Topic, Message]]) -> None:
        """Hand outputs to the other processes, and check those that stay."""
        stamp = time.monotonic_ns() - self.epoch
        outlet = self.outlets[node.index]
        if len(node.topics) == 1:
            topic, message = outputs[0]
            if topic.seal is not None:
                topic.seal(message)
            if outlet is not None:
                outlet.publish(node.sequence, stamp, (message,))
            topic.record(message, stamp)
            return
        for topic, message in outputs:
            if topic.seal is not None:
                topic.seal(message)
        if outlet is not None:
            by_port: dict[str, Message] = {topic.port: message for topic, message in outputs}
            outlet.publish(node.sequence, stamp, [by_port.get(topic.port) for topic in node.topics])
        for topic, message in outputs:
            topic.record(message, stamp)

    def _deliver(self, node: RunningNode, sequence: int, outputs: list[tuple[Topic, Message]]) -> None:
        """Put outputs into the mailboxes of this process."""
        stamp = time.monotonic_ns() - self.epoch
        for topic, message in outputs:
            deliver(topic, message, stamp, sequence, self._due)
        if node.groups:
            align(node.groups)

    def inject(self, node: RunningNode, topic: Topic, message: Message) -> None:
        """Publish a message as an output of a node.

        Raises:
            WireError: it does not fit its type.
        """
        self.publish(node, [(topic, message)])
        self._deliver(node, node.sequence, [(topic, message)])
        node.sequence += 1

    def close(self) -> None:
        """Close the timer and the epoll descriptor."""
        super().close()
        self._timer.close()


def _index(node: RunningNode) -> int:
    return node.index
