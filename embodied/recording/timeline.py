"""Timeline of a run for a report: spans in which each node published, and the states of its guards."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from embodied.clock import SECOND, period
from embodied.messages import GuardReport
from embodied.node.ports import Stamped
from embodied.runtime.episode import VERDICT_PERIOD, Watcher, reports
from embodied.runtime.health import ALIVE
from embodied.runtime.lockstep import Lockstep

Span = list[Any]
"""Span `[from, to]` [s]; of a guard also its state, and the first reason for it."""


class Timeline(Watcher):
    """Watcher that records spans of time: in which each node was alive, and each guard had one state.

    A node is alive from one publication to the next, unless the gap is longer than `ALIVE` of its periods.
    """

    def __init__(self) -> None:
        self._alive: dict[str, list[Span]] = {}
        self._guards: dict[str, list[Span]] = {}
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
                if not output.rendered or f"{name}.{output.name}" in taken:
                    run.observe(f"{name}.{output.name}", self._recorder(name, max(gap, VERDICT_PERIOD / SECOND)))
        for name, topic in reports(run):
            self._guards[name] = []
            run.observe(topic, partial(self._record_report, name))

    def _recorder(self, name: str, gap: float) -> Callable[[Stamped[Any]], None]:
        spans = self._alive[name]

        def record(message: Stamped[Any]) -> None:
            now = message.stamp / SECOND
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

    def end(self, run: Lockstep) -> None:
        """Record the end of the run."""
        self._end = run.now / SECOND

    def as_dict(self) -> dict[str, Any]:
        """Return plain data: the end of the run [s], and spans by node and by guard."""
        return {"end": self._end, "nodes": self._alive, "guards": self._guards}
