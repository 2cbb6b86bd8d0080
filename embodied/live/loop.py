"""The loop of one process: wait for links and timers in one place, read mailboxes, step, publish.

At each wake-up all due nodes read their mailboxes, all step, then all outputs are delivered, as at a tag in lockstep.
Nodes that are triggered by others of the same process follow in the same wake-up.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping
from typing import Any

from embodied.clock import Time, tick, ticks_by
from embodied.errors import FOREIGN
from embodied.links.channel import Inlet, Outlet
from embodied.live.event_loop import EventLoop
from embodied.live.heartbeat import Heartbeat
from embodied.live.kernel import Timer
from embodied.live.step_codegen import Given, stepper
from embodied.messages.arrays import made_by
from embodied.messages.schema import Message
from embodied.runtime.failures import world_failed
from embodied.runtime.mailboxes import FOREVER, Cell, Slot, Topic
from embodied.world import World

IDLE = 0.1
"""A process that waits still gives a sign of life this often [s]."""

TIDY = 1_000_000_000
"""Cycles that nodes leave behind are collected this often, between steps [ns]; old ones every 30th time."""


class ProcessLoop(EventLoop):
    """Runs the nodes of one process on the steady clock.

    Args:
        cells: the nodes, in name order.
        outlets: by node whose outputs other processes take.
        heartbeat: where signs of life are written.
        world: advanced before the nodes step, where the bodies live.
    """

    def __init__(
        self, cells: list[Cell], outlets: Mapping[str, Outlet], heartbeat: Heartbeat, world: World | None = None
    ) -> None:
        super().__init__()
        self.cells = cells
        self.heartbeat = heartbeat
        self.epoch = 0
        self.stopping = False
        self._world = world
        self.outlets = [outlets.get(cell.name) for cell in cells]
        self._timer = Timer()
        self._next: list[list[int]] = []
        self._alarms: list[list[Any]] = []
        self._refills: dict[int, Callable[[], None]] = {}
        self._due: list[Cell] = []
        makers = {name: outlet.empty for name, outlet in outlets.items() if outlet.stated}
        if len(cells) == len(makers) == 1:
            # Nobody else in this process could take its arrays: it need not be said at each step whose they are.
            made_by(next(iter(makers.values())))
            makers = {}
        self._step = [stepper(cell, heartbeat, self.publish, makers.get(cell.name)) for cell in cells]
        self._tidied = self._collections = 0
        self._alarm = FOREVER
        self.advanced = 0
        self.wait(self._timer.descriptor, self._timer.clear)

    @property
    def now(self) -> int:
        """Time since the start of the run [ns]."""
        return time.monotonic_ns() - self.epoch

    def forget(self, descriptor: int) -> None:
        """Wait for a descriptor no longer."""
        super().forget(descriptor)
        self._refills.pop(descriptor, None)

    def take(
        self,
        inlet: Inlet,
        topics: Mapping[int, tuple[str, list[tuple[Slot, bool]]]],
        delays: DelayHistogram,
        *,
        refill: bool = False,
    ) -> None:
        """Put what arrives on a link into mailboxes.

        Args:
            inlet: the link.
            topics: by number of the output: its name, and its mailboxes here, each with whether it triggers its node.
            delays: counts how long messages were under way.
            refill: what there was no room for stays on the link, and is asked for after each step.
        """
        slots = [slot for _, found in topics.values() for slot, _ in found if slot.items is None]
        kin = [slot for slot in slots if not slot.cell.planned.sources[slot.name].apart]
        groups = [[slot for slot in kin if slot.cell is cell] for cell in {slot.cell: None for slot in kin}]
        groups = [group for group in groups if len(group) > 1]
        counts, clock = delays.counts, time.monotonic_ns

        def taken(index: int, message: Any, stamp: int, sequence: int) -> None:
            name, found = topics[index]
            counts[(clock() - self.epoch - stamp).bit_length()] += 1
            for slot, triggers in found:
                slot.put(message, stamp, sequence, name)
                if triggers and not slot.cell.due:
                    slot.cell.due = True
                    self._due.append(slot.cell)

        def vacate() -> None:
            for slot in slots:
                slot.value = None

        receive = inlet.handler(taken, vacate)

        def together() -> None:
            receive()
            for group in groups:
                # Outputs of two different steps are never seen together.
                newest = max(slot.sequence for slot in group)
                for slot in group:
                    if slot.sequence != newest:
                        slot.value = None

        handler = together if groups else receive
        self.wait(inlet.intake.forward, handler)
        if refill:
            self._refills[inlet.intake.forward] = handler

    def every(self, period: int, handler: Callable[[], None]) -> None:
        """Call a handler in regular intervals [ns], after the world was advanced."""
        self._alarms.append([0, period, handler])

    def start(self, epoch: int) -> None:
        """Begin the clock.

        Args:
            epoch: time 0 of the run, on CLOCK_MONOTONIC [ns].
        """
        self.epoch = epoch
        for index, cell in enumerate(self.cells):
            if cell.planned.rate is not None:
                late = max(0, self.now)
                n = ticks_by(late, cell.planned.rate) + (late > 0)
                self._next.append([tick(n, cell.planned.rate), index, n])
            elif cell.planned.once:
                self._next.append([max(0, self.now), index, -1])
        self._arm()
        # Collections in the middle of a step cost more than the step.
        gc.collect()
        gc.freeze()
        gc.disable()

    def _arm(self) -> None:
        times = [entry[0] for entry in self._next] + [alarm[0] for alarm in self._alarms]
        self._alarm = min(times, default=FOREVER)
        if self._alarm < FOREVER:
            self._timer.arm(self.epoch + self._alarm)

    def run(self) -> None:
        """Until someone says stop.

        Raises:
            NodeFailed: a node raised, or gave what it may not.
            WorldFailed: the simulator broke.
        """
        while not self.stopping:
            self.once()

    def once(self) -> None:
        """Wait until something comes, and see to it."""
        self.heartbeat.words[1] = -1
        self.turn(0.0 if self._due else IDLE)
        at = time.monotonic_ns()
        self.heartbeat.words[0] = at
        now = at - self.epoch
        if now >= self._alarm:
            self._ticks(now)
        # No chain is longer than there are nodes; a loop of triggers goes on after a look at what has come meanwhile.
        for _ in self.cells:
            if not self._due:
                break
            self._steps(now)
            for refill in self._refills.values():
                refill()
        if now - self._tidied > TIDY:
            self._tidied = now
            self._collections += 1
            gc.collect(2 if self._collections % 30 == 0 else 1)

    def _ticks(self, now: int) -> None:
        """Find the rated nodes that are due, and bring the world to where they see it."""
        at = -1
        for entry in self._next:
            if entry[0] > now:
                continue
            cell = self.cells[entry[1]]
            at = max(at, entry[0])
            if not cell.due:
                cell.due = True
                self._due.append(cell)
            rate = cell.planned.rate
            if rate is None:
                entry[0] = FOREVER
                continue
            n = max(entry[2] + 1, ticks_by(now, rate) + 1)
            cell.skipped += n - entry[2] - 1
            cell.late = max(cell.late, now - entry[0])
            entry[0], entry[2] = tick(n, rate), n
        calls = []
        for alarm in self._alarms:
            if alarm[0] <= now:
                at = max(at, alarm[0])
                alarm[0] = (now // alarm[1] + 1) * alarm[1]
                calls.append(alarm[2])
        if self._world is not None and at > self.advanced:
            self.advanced = at
            try:
                self._world.advance(Time(at))
            except FOREIGN as error:
                raise world_failed(f"advance to {at / 1e9:.6f} s", error) from error
        for call in calls:
            call()
        self._arm()

    def _steps(self, now: int) -> None:
        """Step what is due; what it triggers is due after."""
        due, self._due = self._due, []
        if len(due) > 1:
            due.sort(key=_index)
        given: list[Given] = []
        for cell in due:
            cell.due = False
            self._step[cell.index](now, given)
        for cell, sequence, outputs in given:
            self._deliver(cell, sequence, outputs)

    def publish(self, cell: Cell, outputs: list[tuple[Topic, Message]]) -> None:
        """Hand outputs to the other processes, and check those that stay."""
        stamp = time.monotonic_ns() - self.epoch
        outlet = self.outlets[cell.index]
        if len(cell.topics) == 1:
            topic, message = outputs[0]
            if topic.seal is not None:
                topic.seal(message)
            if outlet is not None:
                outlet.publish(cell.sequence, stamp, (message,))
            topic.last = stamp
            topic.latest = message
            topic.published += 1
            return
        for topic, message in outputs:
            if topic.seal is not None:
                topic.seal(message)
        if outlet is not None:
            given: dict[str, Message] = {topic.port: message for topic, message in outputs}
            outlet.publish(cell.sequence, stamp, [given.get(topic.port) for topic in cell.topics])
        for topic, message in outputs:
            topic.last = stamp
            topic.latest = message
            topic.published += 1

    def _deliver(self, cell: Cell, sequence: int, outputs: list[tuple[Topic, Message]]) -> None:
        """Put outputs into the mailboxes of this process."""
        stamp = time.monotonic_ns() - self.epoch
        for topic, message in outputs:
            for slot in topic.slots:
                slot.put(message, stamp, sequence, topic.name)
            for taker in topic.triggers:
                if not taker.due:
                    taker.due = True
                    self._due.append(taker)
        for group in cell.relatives:
            given = {topic for topic, _ in outputs}
            if any(topic in given for topic, _ in group):
                for topic, slot in group:
                    if topic not in given:
                        slot.value = None

    def inject(self, cell: Cell, topic: Topic, message: Message) -> None:
        """Publish a message as if a node had given it.

        Raises:
            WireError: it does not fit its type.
        """
        self.publish(cell, [(topic, message)])
        self._deliver(cell, cell.sequence, [(topic, message)])
        cell.sequence += 1

    def close(self) -> None:
        """Give the descriptors back."""
        super().close()
        self._timer.close()


class DelayHistogram:
    """How long messages were under way, counted by powers of two."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts = [0] * 64


def _index(cell: Cell) -> int:
    return cell.index
