"""When which node of a run published, what its guards did, and what was done to it: plain data for a report."""

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
"""`[from, to]` in [s], and for a guard what it said: its state, and the first reason for it."""


class Timeline(Watcher):
    """Watches a run and keeps spans of time: by node when it was alive, by guard what it did.

    A node is alive from one publication to the next, unless the gap is longer than `ALIVE` of its periods.
    """

    def __init__(self) -> None:
        self._alive: dict[str, list[Span]] = {}
        self._guards: dict[str, list[Span]] = {}
        self._end = 0.0

    def begin(self, run: Lockstep) -> None:
        """Observe what every node publishes, and what each guard reports."""
        taken = run.plan.taken
        for name, planned in run.plan.nodes.items():
            every = run.plan.periods[name] if planned.rate is None else period(planned.rate)
            gap = ALIVE * every / SECOND if every is not None else float("inf")
            self._alive[name] = []
            for output in planned.ports.outputs.values():
                # What is drawn only when someone looks must not be drawn for this.
                if not output.rendered or f"{name}.{output.name}" in taken:
                    run.observe(f"{name}.{output.name}", self._heard(name, max(gap, VERDICT_PERIOD / SECOND)))
        for name, topic in reports(run):
            self._guards[name] = []
            run.observe(topic, partial(self._said, name))

    def _heard(self, name: str, gap: float) -> Callable[[Stamped[Any]], None]:
        spans = self._alive[name]

        def heard(message: Stamped[Any]) -> None:
            now = message.stamp / SECOND
            if spans and now - spans[-1][1] <= gap:
                spans[-1][1] = now
            else:
                spans.append([now, now])

        return heard

    def _said(self, name: str, message: Stamped[GuardReport]) -> None:
        now, report = message.stamp / SECOND, message.value
        reason = next(iter((*report.refusals, *report.clips)), "")
        state = "clipping" if report.clips and not report.refusals else report.state
        spans = self._guards[name]
        if spans and spans[-1][2] == state:
            spans[-1][1] = now
        else:
            spans.append([now, now, state, reason])

    def end(self, run: Lockstep) -> None:
        """Note how long the run was."""
        self._end = run.now / SECOND

    def as_dict(self) -> dict[str, Any]:
        """Plain data: the run's end [s], and spans by node and by guard."""
        return {"end": self._end, "nodes": self._alive, "guards": self._guards}
