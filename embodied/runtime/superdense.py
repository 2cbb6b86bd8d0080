"""Scheduler in superdense time: a tag is (nanoseconds, microstep), so that a hop costs no virtual time.

At a tag all due nodes read their mailboxes and step, in name order; their outputs are delivered at the next microstep,
or with a latency at (t + latency, 0) before any mailbox there is read. Rated nodes step at microstep 0.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from embodied.clock import Time, tick
from embodied.errors import ResultRejected
from embodied.interrupts import foreign
from embodied.messages.schema import Message
from embodied.node.ports import Stamped
from embodied.runtime.checked_world import CheckedWorld
from embodied.runtime.digest import Digest
from embodied.runtime.failures import step_failed
from embodied.runtime.fault_injection import FaultInjector, ScheduledFault
from embodied.runtime.running_node import RunningNode, Topic
from embodied.runtime.wiring import Wiring, align, deliver

_Bundle = tuple[RunningNode, int, list[tuple[Topic, Message, bytes]]]
"""A node, the number of its step, and the outputs of that step."""

_DELIVERY = 0
_ONCE = 1
_RATED = 2


class Scheduler:
    """Scheduler in superdense time, which steps the nodes of a graph.

    Args:
        wiring: the nodes.
        world: advanced before the nodes step; None where there is none.
        digest: takes what is published.

    Attributes:
        now: virtual time [ns].
    """

    def __init__(self, wiring: Wiring, world: CheckedWorld | None, digest: Digest) -> None:
        self.now = Time(0)
        self._wiring = wiring
        self._world = world
        self._digest = digest
        self._faults: dict[int, FaultInjector] = {}
        self._events: list[tuple[int, int, int, Any]] = []
        self._serial = 0
        groups: dict[Fraction, list[RunningNode]] = {}
        for node in wiring.nodes.values():
            if node.planned.rate is not None:
                groups.setdefault(node.planned.rate, []).append(node)
            elif node.planned.once:
                self._push(0, _ONCE, [node])
        for rate in sorted(groups):
            self._push(0, _RATED, [groups[rate], rate, 0])

    def inject(self, fault: ScheduledFault) -> None:
        """Let a fault act on its node from now on."""
        node = self._wiring.nodes[fault.fault.node]
        node.prompt = False
        if node.index not in self._faults:
            self._faults[node.index] = FaultInjector(node.topics)
        self._faults[node.index].add(fault)

    def run_until(self, to: Time) -> None:
        """Run everything up to and including a time [ns].

        Raises:
            NodeFailed: a node raised, or its outputs do not fit.
            WorldFailed: the simulator broke.
        """
        events = self._events
        while events and events[0][0] <= to:
            self._instant(events[0][0])
        if to > self.now:
            self._move(to)

    def _push(self, when: int, kind: int, what: Any) -> None:
        # Deliveries come before steps at the same time; the serial keeps the order of equals.
        self._serial += 1
        heapq.heappush(self._events, (when, kind, self._serial, what))

    def _move(self, to: int) -> None:
        self.now = Time(to)
        if self._world is not None:
            self._world.advance(self.now)

    def _instant(self, t: int) -> None:
        """Run one time: deliveries, then the due nodes, then what they trigger, microstep by microstep."""
        if t > self.now:
            self._move(t)
        events = self._events
        due: list[RunningNode] = []
        lists = 0
        arrivals: list[_Bundle] = []
        freed: list[RunningNode] = []
        while events and events[0][0] == t:
            _, kind, _, what = heapq.heappop(events)
            if kind == _DELIVERY:
                node, bundle = what
                freed.append(node)
                if bundle is None:
                    continue
                faults = self._faults.get(node.index)
                # A node that is killed while it computes does not publish the result.
                if faults is not None and faults.silent(t):
                    node.lost += 1
                else:
                    arrivals.append(bundle)
                continue
            lists += 1
            if kind == _ONCE:
                due += what
                continue
            group, rate, n = what
            what[2] = n + 1
            self._push(tick(n + 1, rate), _RATED, what)
            due += group
        if freed:
            lists += 2
            self._arrive(arrivals, freed, t, due)
        microstep = 0
        while due:
            # A single group of rated nodes stands in name order already.
            if lists != 1:
                due.sort(key=_index)
            lists = 0
            bundles: list[_Bundle] = []
            for node in due:
                node.due = False
                bundle = self._step(node, t, microstep)
                if bundle is not None:
                    bundles.append(bundle)
            microstep += 1
            due = []
            self._publish(bundles, t, microstep, due)

    def _arrive(self, arrivals: list[_Bundle], freed: Iterable[RunningNode], t: int, due: list[RunningNode]) -> None:
        """Deliver outputs whose latency ends here, then step the nodes whose trigger came while they were busy."""
        arrivals.sort(key=lambda bundle: bundle[0].index)
        self._publish(arrivals, t, 0, due)
        for node in freed:
            if node.pending and not node.due:
                node.pending = False
                node.due = True
                due.append(node)

    def _step(self, node: RunningNode, t: int, microstep: int) -> _Bundle | None:
        """Call one node, unless it is busy, silenced or lacks an input."""
        if node.busy_until > t:
            if node.planned.trigger is None:
                node.skipped += 1
            else:
                node.pending = True
            return None
        faults = None if node.prompt else self._faults.get(node.index)
        if faults is not None and faults.silent(t):
            node.skipped += 1
            return None
        arguments = node.arguments(t)
        if arguments is None:
            node.starved += 1
            return None
        node.steps += 1
        try:
            result = node.step(*arguments)
            outputs = [(topic, message, topic.encode(message)) for topic, message in node.outputs(result)]
        except ResultRejected as error:
            outputs = node.reject(error)
        except foreign() as error:
            raise step_failed(node, error, arguments, (t, microstep)) from error
        sequence = node.sequence
        node.sequence = sequence + 1
        late = 0
        if not node.prompt:
            late = node.latency + (int(node.rng.integers(node.jitter + 1)) if node.jitter else 0)
            if faults is not None:
                intact, outputs = outputs, faults.outputs(outputs, t)
                node.lost += bool(intact) and not outputs
                late += faults.late(t)
        bundle = (node, sequence, outputs) if outputs else None
        if late:
            node.busy_until = t + late
            self._push(t + late, _DELIVERY, (node, bundle))
            return None
        return bundle

    def _publish(self, bundles: list[_Bundle], t: int, microstep: int, due: list[RunningNode]) -> None:
        """Digest and deliver outputs; append the nodes that they trigger to `due`."""
        add = self._digest.add
        for node, sequence, outputs in bundles:
            for topic, message, payload in outputs:
                topic.record(message, t)
                if topic.digested:
                    add(t, microstep, topic.name, topic.prefix, sequence, payload)
                deliver(topic, message, t, sequence, due)
                for observer in topic.observers:
                    observer(Stamped(message, Time(t), sequence, topic.name))
            if node.groups:
                align(node.groups)


def _index(node: RunningNode) -> int:
    return node.index
