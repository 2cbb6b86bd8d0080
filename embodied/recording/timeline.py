"""Timeline of a run for a report: spans in which nodes published, phases and words, guards, and the last messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from functools import partial
from typing import Any, Literal, get_origin, get_type_hints

from embodied.clock import SECOND, period
from embodied.messages import GuardReport
from embodied.messages.schema import Message, without_none
from embodied.node.ports import Stamped
from embodied.recording.last_messages import message_line
from embodied.runtime.episode import VERDICT_PERIOD, Watcher, reports
from embodied.runtime.health import ALIVE
from embodied.runtime.lockstep import Lockstep

Span = list[Any]
"""Span `[from, to]` [s]; of a guard also its state, and the first reason for it; of a band its value."""

BANDS_MOST = 200
"""Largest number of spans of one band; what changes more often is no phase, and is left out."""


class Timeline(Watcher):
    """Watcher that records spans of time: in which each node was alive, and each guard had one state.

    A node is alive from one publication to the next, unless the gap is longer than `ALIVE` of its periods. What a node
    is doing shows in bands: attributes of it that are members of an enumeration, and text and flags of its messages.
    """

    def __init__(self) -> None:
        self._alive: dict[str, list[Span]] = {}
        self._guards: dict[str, list[Span]] = {}
        self._bands: dict[str, list[Span]] = {}
        self._last: dict[str, Stamped[Any] | None] = {}
        self._end = 0.0

    def begin(self, run: Lockstep) -> None:
        """Observe the outputs of every node, and the reports of each guard."""
        taken = run.plan.taken
        for name, planned in run.plan.nodes.items():
            every = run.plan.periods[name] if planned.rate is None else period(planned.rate)
            gap = ALIVE * every / SECOND if every is not None else float("inf")
            self._alive[name] = []
            for output in planned.ports.outputs.values():
                # Observing a rendered output would render it; the timeline must not change the cost of a run.
                topic = f"{name}.{output.name}"
                if not output.rendered or topic in taken:
                    self._last[topic] = None
                    run.observe(topic, self._recorder(name, topic, max(gap, VERDICT_PERIOD / SECOND)))
                    if output.message is not GuardReport and (words := discrete_fields(output.message)):
                        run.observe(topic, partial(self._record_words, topic, words))
        for name, topic in reports(run):
            self._guards[name] = []
            run.observe(topic, partial(self._record_report, name))

    def _recorder(self, name: str, topic: str, gap: float) -> Callable[[Stamped[Any]], None]:
        spans = self._alive[name]

        def record(message: Stamped[Any]) -> None:
            now = message.stamp / SECOND
            self._last[topic] = message
            if spans and now - spans[-1][1] <= gap:
                spans[-1][1] = now
            else:
                spans.append([now, now])

        return record

    def _record_report(self, name: str, message: Stamped[GuardReport]) -> None:
        now, report = message.stamp / SECOND, message.value
        reason = next(iter((*report.refusals, *report.clips)), "")
        state = "clipping" if report.clips and not report.refusals else report.state
        spans = self._guards[name]
        if spans and spans[-1][2] == state:
            spans[-1][1] = now
        else:
            spans.append([now, now, state, reason])

    def _record_words(self, topic: str, fields: Sequence[str], message: Stamped[Any]) -> None:
        for name in fields:
            value = getattr(message.value, name)
            self._band(f"{topic}.{name}", message.stamp / SECOND, value.name if isinstance(value, Enum) else str(value))

    def look(self, run: Lockstep) -> None:
        """Record the phase of each node that keeps one."""
        for name, planned in run.plan.nodes.items():
            for attribute, value in getattr(planned.node, "__dict__", {}).items():
                if isinstance(value, Enum):
                    self._band(f"{name} {attribute.strip('_')}", run.now / SECOND, value.name)

    def _band(self, name: str, now: float, value: str) -> None:
        spans = self._bands.setdefault(name, [])
        if spans:
            spans[-1][1] = now
        if (not spans or spans[-1][2] != value) and len(spans) <= BANDS_MOST:
            spans.append([now, now, value[:80]])

    def end(self, run: Lockstep) -> None:
        """Record the end of the run."""
        self.look(run)
        self._end = run.now / SECOND

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: the end of the run [s], spans by node, guard and band, and the last message by topic."""
        bands = {name: spans for name, spans in self._bands.items() if len(spans) <= BANDS_MOST}
        last = {
            topic: None if message is None else [message.stamp / SECOND, message_line(message.value)]
            for topic, message in self._last.items()
        }
        return {"end": self._end, "nodes": self._alive, "guards": self._guards, "bands": bands, "last": last}


def discrete_fields(message: type[Message]) -> list[str]:
    """List the fields of a message that are text, a flag or a member of an enumeration, without its frame."""
    kinds = {name: without_none(hint)[0] for name, hint in get_type_hints(message).items()}
    return [
        name
        for name, kind in kinds.items()
        if name != "frame"
        and (kind in (bool, str) or get_origin(kind) is Literal or (isinstance(kind, type) and issubclass(kind, Enum)))
    ]
