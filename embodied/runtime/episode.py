"""One run of a graph in lockstep, from its seed to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from embodied.clock import SECOND, Time
from embodied.errors import LaunchError, Problem
from embodied.graph.graph import Graph
from embodied.messages import GuardReport
from embodied.node.node import Guard
from embodied.node.ports import Stamped
from embodied.plain_data import plain
from embodied.runtime.digest import Mark
from embodied.runtime.lockstep import Lockstep
from embodied.runtime.report import Report

VERDICT_PERIOD = SECOND // 20
"""How often a run asks its world for the verdict [ns of virtual time]."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Outcome of one lockstep run of a seed, with its verdict.

    Attributes:
        seed: of the run.
        passed: the verdict; None if nothing judges, or nothing was decided in the time given.
        reason: the verdict in a sentence, with its numbers.
        digest: of everything published.
        simulated, wall: time that passed [s].
        details: numbers behind the verdict.
        about: names and versions of what draws the pictures; digests of different ones say nothing about each other.
        nodes, topics: counts and health, as plain data.
        guards: by guard, how many of its steps clipped or refused something, and its most frequent reason.
        faults: what each fault did, as plain data.
        marks: the trace, when one was kept.
    """

    seed: int
    passed: bool | None
    reason: str
    digest: str
    simulated: float
    wall: float
    details: Mapping[str, Any] = field(default_factory=dict)
    about: Mapping[str, str] = field(default_factory=dict)
    nodes: Mapping[str, Any] = field(default_factory=dict)
    topics: Mapping[str, Any] = field(default_factory=dict)
    guards: Mapping[str, Any] = field(default_factory=dict)
    faults: Sequence[Mapping[str, Any]] = ()
    marks: list[Mark] | None = field(default=None, repr=False)

    @property
    def factor(self) -> float:
        """Real-time factor: simulated seconds per second."""
        return self.simulated / self.wall if self.wall else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data, without the trace."""
        return {
            "seed": self.seed,
            "passed": self.passed,
            "reason": self.reason,
            "digest": self.digest,
            "simulated_s": round(self.simulated, 6),
            "wall_s": round(self.wall, 3),
            "real_time_factor": round(self.factor, 2),
            "details": plain(self.details),
            "guards": dict(self.guards),
            "faults": [dict(fault) for fault in self.faults],
            "about": dict(self.about),
            "dropped": sum(state["dropped"] for state in self.topics.values()),
        }


class Watcher:
    """Base of watchers of a lockstep run, which never change it; the run stands still meanwhile."""

    def begin(self, run: Lockstep) -> None:
        """Before the run opens: the moment to observe topics."""

    def look(self, run: Lockstep) -> None:
        """At the start, and then every `VERDICT_PERIOD` of virtual time; not at the end."""

    def end(self, run: Lockstep) -> None:
        """React to the end: the run is decided, or its time is up."""


def play(
    graph: Graph,
    seed: int,
    *,
    limit: Time | None = None,
    trace: bool = False,
    watchers: Sequence[Watcher] = (),
) -> Outcome:
    """Run a graph in lockstep until its world decides, or until a limit.

    Args:
        graph: what to run; build a new one for each run.
        seed: everything random is drawn from it.
        limit: virtual time to stop at [ns].
        trace: keep a mark of each publication.
        watchers: who else looks at it.

    Raises:
        LaunchError: the graph is wrong, or neither a world nor a limit would ever end the run.
        NodeFailed: a node broke.
    """
    if graph.world is None and limit is None:
        help_ = ("say how long to run: --for 10s",)
        raise LaunchError([Problem("E701", "there is no world to judge this run, and no time to stop at", help=help_)])
    lockstep = Lockstep(graph.check(), seed=seed, trace=trace)
    tally = _Guards()
    everyone = (tally, *watchers)
    for watcher in everyone:
        watcher.begin(lockstep)
    with lockstep as run:
        look = 0
        while True:
            over = run.verdict() is not None or (limit is not None and run.now >= limit)
            for watcher in everyone:
                (watcher.end if over else watcher.look)(run)
            if over:
                return _outcome(seed, run.report(), tally.as_dict())
            look += VERDICT_PERIOD
            run.advance(Time(look if limit is None else min(look, limit)))


def reports(run: Lockstep) -> Iterator[tuple[str, str]]:
    """Return the guards of a lockstep run, each with the topic it reports on."""
    for name, planned in run.plan.nodes.items():
        if isinstance(planned.node, Guard):
            for output in planned.ports.outputs.values():
                if output.message is GuardReport:
                    yield name, f"{name}.{output.name}"


class _Guards(Watcher):
    """Counts what the guards report."""

    def __init__(self) -> None:
        self._tallies: dict[str, _Tally] = {}

    def begin(self, run: Lockstep) -> None:
        for name, topic in reports(run):
            self._tallies[name] = _Tally()
            run.observe(topic, self._tallies[name])

    def as_dict(self) -> dict[str, Any]:
        return {name: tally.as_dict() for name, tally in self._tallies.items()}


class _Tally:
    """Counts what a guard reports."""

    def __init__(self) -> None:
        self._counts = {"clips": 0, "refusals": 0}
        self._said: dict[str, Counter[str]] = {"clips": Counter(), "refusals": Counter()}

    def __call__(self, report: Stamped[GuardReport]) -> None:
        for kind in self._counts:
            said: tuple[str, ...] = getattr(report.value, kind)
            if said:
                self._counts[kind] += 1
                self._said[kind][said[0]] += 1

    def as_dict(self) -> dict[str, Any]:
        often = {kind.removesuffix("s"): said.most_common(1)[0][0] for kind, said in self._said.items() if said}
        return {**self._counts, **often}


def _outcome(seed: int, report: Report, guards: Mapping[str, Any]) -> Outcome:
    verdict = report.verdict
    return Outcome(
        seed=seed,
        passed=None if verdict is None else verdict.passed,
        reason=f"not decided within {report.simulated:g} s" if verdict is None else verdict.reason,
        digest=report.digest,
        simulated=report.simulated,
        wall=report.wall,
        details={} if verdict is None else verdict.details,
        about=report.about,
        nodes={name: asdict(count) for name, count in report.nodes.items()},
        topics={name: asdict(state) for name, state in report.topics.items()},
        guards=guards,
        faults=[count.as_dict() for count in report.faults],
        marks=report.marks,
    )
