"""Fault injection while a graph runs: what the faults of one node do to its steps and outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embodied.graph.faults import Fault, Span
from embodied.messages import Depth
from embodied.messages.schema import Message
from embodied.runtime.mailboxes import FOREVER
from embodied.runtime.report import FaultCount
from embodied.runtime.running_node import Topic

Outputs = list[tuple[Topic, Message, bytes]]
"""Outputs of one step, in the order of the node's ports: topic, message, and its bytes."""


@dataclass(slots=True, eq=False)
class ScheduledFault:
    """Fault to inject in one run, with its times drawn.

    Attributes:
        fault: as the graph states it.
        start: when it begins [ns].
        end: the first time at which it is over [ns].
        rng: its own random numbers.
        steps: number of steps that it changed.
    """

    fault: Fault
    start: int
    end: int
    rng: np.random.Generator
    steps: int = 0

    @classmethod
    def drawn(cls, fault: Fault, rng: np.random.Generator, now: int = 0) -> ScheduledFault:
        """Draw the times of a fault; its `at` counts from `now` [ns]."""
        start = now + fault.at.drawn(rng)
        return cls(fault, start, FOREVER if fault.length is None else start + fault.length.drawn(rng), rng)

    def count(self) -> FaultCount:
        """Report what it did so far, with the times that were drawn."""
        length = None if self.end == FOREVER else Span(self.end - self.start, self.end - self.start)
        return FaultCount(replace(self.fault, at=Span(self.start, self.start), length=length), self.steps)


class FaultInjector:
    """Injector that applies the faults of one node to its steps, in the order in which they were added.

    Args:
        topics: the node's outputs, in the order of its ports.
    """

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = {topic.port: topic for topic in topics}
        self._order = {topic: index for index, topic in enumerate(topics)}
        self._silences: list[ScheduledFault] = []
        self._delays: list[ScheduledFault] = []
        self._drops: list[ScheduledFault] = []
        self._noises: list[ScheduledFault] = []
        self._freezes: list[ScheduledFault] = []

    def add(self, fault: ScheduledFault) -> None:
        """Add a fault of this node."""
        kinds = {"kill": self._silences, "silence": self._silences, "delay": self._delays, "drop": self._drops}
        kinds |= {"noise": self._noises, "stuck": self._freezes}
        kinds[fault.fault.kind].append(fault)

    def silent(self, t: int) -> bool:
        """Return whether the node neither steps nor publishes at a time [ns]; counts each fault that has it so."""
        silent = False
        for fault in _active(self._silences, t):
            fault.steps += 1
            silent = True
        return silent

    def late(self, t: int) -> int:
        """Return the latency that faults add to a step [ns]."""
        added = 0
        for fault in _active(self._delays, t):
            fault.steps += 1
            added += fault.fault.by
        return added

    def outputs(self, intact: Outputs, t: int) -> Outputs:
        """Return what is published of the outputs of a step; nothing where a fault drops them."""
        outputs = intact
        for fault in _active(self._noises, t):
            outputs = self._change(fault, outputs, _noisy)
        for fault in _active(self._freezes, t):
            outputs = self._change(fault, outputs, _stuck)
        lost = False
        for fault in _active(self._drops, t):
            if outputs and fault.rng.random() < fault.fault.share:
                fault.steps += 1
                lost = True
        return [] if lost else outputs

    def _change(
        self, fault: ScheduledFault, outputs: Outputs, change: Callable[[ScheduledFault, Topic, Any], Any]
    ) -> Outputs:
        """Change the output that a fault is aimed at."""
        topic = self._topics[fault.fault.port]
        message = next((message for other, message, _ in outputs if other is topic), None)
        changed = change(fault, topic, message)
        if changed is None:
            return outputs
        fault.steps += 1
        rest = [entry for entry in outputs if entry[0] is not topic]
        return sorted([*rest, (topic, changed, topic.encode(changed))], key=lambda entry: self._order[entry[0]])


def _active(faults: Iterable[ScheduledFault], t: int) -> Iterator[ScheduledFault]:
    return (fault for fault in faults if fault.start <= t < fault.end)


def _stuck(_: ScheduledFault, topic: Topic, message: Message | None) -> Message | None:
    # The last publication keeps its old time of acquisition; before the first one there is nothing to freeze.
    return message if topic.latest is None else topic.latest


def _noisy(fault: ScheduledFault, _: Topic, message: Any) -> Any:
    value = None if message is None else getattr(message, fault.fault.field)
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        return replace(message, **{fault.fault.field: float(value + fault.fault.sd * fault.rng.standard_normal())})
    noisy = value + fault.fault.sd * fault.rng.standard_normal(value.shape)
    if value.dtype == np.uint8:
        noisy = np.clip(np.rint(noisy), 0, 255)
    if isinstance(message, Depth):
        # A depth of 0 is no measurement, and stays none.
        noisy[value == 0] = 0
    return replace(message, **{fault.fault.field: noisy.astype(value.dtype)})
