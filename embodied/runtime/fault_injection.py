"""What goes wrong with one node while it runs: asked at each step of a node that has faults, and of no other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embodied.graph.faults import Fault, Span
from embodied.messages import Depth
from embodied.messages.schema import Message
from embodied.runtime.mailboxes import FOREVER, Topic
from embodied.runtime.report import FaultCount

Outputs = list[tuple[Topic, Message, bytes]]
"""What one step gave: topics in the order of the node's ports, messages, and their bytes."""


@dataclass(slots=True, eq=False)
class ScheduledFault:
    """A fault in one run.

    Attributes:
        fault: what was asked for.
        start: when it begins [ns].
        end: the first time at which it is over [ns].
        rng: its own random numbers.
        steps: how many steps it changed.
    """

    fault: Fault
    start: int
    end: int
    rng: np.random.Generator
    steps: int = 0

    @classmethod
    def drawn(cls, fault: Fault, rng: np.random.Generator, now: int = 0) -> ScheduledFault:
        """A fault whose times are drawn; its `at` counts from `now` [ns]."""
        start = now + fault.at.drawn(rng)
        return cls(fault, start, FOREVER if fault.length is None else start + fault.length.drawn(rng), rng)

    def count(self) -> FaultCount:
        """What it did so far, with the times that were drawn."""
        length = None if self.end == FOREVER else Span(self.end - self.start, self.end - self.start)
        return FaultCount(replace(self.fault, at=Span(self.start, self.start), length=length), self.steps)


class FaultInjector:
    """The faults of one node.

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
        self._stucks: list[ScheduledFault] = []

    def add(self, strike: ScheduledFault) -> None:
        """Let it strike this node."""
        kinds = {"kill": self._silences, "silence": self._silences, "delay": self._delays, "drop": self._drops}
        kinds |= {"noise": self._noises, "stuck": self._stucks}
        kinds[strike.fault.kind].append(strike)

    def silent(self, t: int) -> bool:
        """Whether the node neither steps nor publishes at a time [ns]."""
        found = False
        for strike in _active(self._silences, t):
            strike.steps += 1
            found = True
        return found

    def late(self, t: int) -> int:
        """What is added to the latency of a step [ns]."""
        added = 0
        for strike in _active(self._delays, t):
            strike.steps += 1
            added += strike.fault.by
        return added

    def outputs(self, given: Outputs, t: int) -> Outputs:
        """What is published of what a step gave; nothing where it is dropped."""
        for strike in _active(self._noises, t):
            given = self._put(strike, given, _noisy)
        for strike in _active(self._stucks, t):
            given = self._put(strike, given, _stuck)
        lost = False
        for strike in _active(self._drops, t):
            if given and strike.rng.random() < strike.fault.share:
                strike.steps += 1
                lost = True
        return [] if lost else given

    def _put(
        self, strike: ScheduledFault, given: Outputs, change: Callable[[ScheduledFault, Topic, Any], Any]
    ) -> Outputs:
        """The outputs with one of them changed."""
        topic = self._topics[strike.fault.port]
        message = next((message for other, message, _ in given if other is topic), None)
        changed = change(strike, topic, message)
        if changed is None:
            return given
        strike.steps += 1
        rest = [entry for entry in given if entry[0] is not topic]
        return sorted([*rest, (topic, changed, topic.encode(changed))], key=lambda entry: self._order[entry[0]])


def _active(strikes: Iterable[ScheduledFault], t: int) -> Iterator[ScheduledFault]:
    return (strike for strike in strikes if strike.start <= t < strike.end)


def _stuck(_: ScheduledFault, topic: Topic, message: Message | None) -> Message | None:
    # What was published last is old, and goes on being old: this step's value comes to nobody.
    return message if topic.latest is None else topic.latest


def _noisy(strike: ScheduledFault, _: Topic, message: Any) -> Any:
    value = None if message is None else getattr(message, strike.fault.field)
    if value is None:
        return None
    if not isinstance(value, np.ndarray):
        return replace(message, **{strike.fault.field: float(value + strike.fault.sd * strike.rng.standard_normal())})
    noisy = value + strike.fault.sd * strike.rng.standard_normal(value.shape)
    if value.dtype == np.uint8:
        noisy = np.clip(np.rint(noisy), 0, 255)
    if isinstance(message, Depth):
        # Where nothing was measured there is no noise either.
        noisy[value == 0] = 0
    return replace(message, **{strike.fault.field: noisy.astype(value.dtype)})
