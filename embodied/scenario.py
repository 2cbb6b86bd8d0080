"""One run of a graph in lockstep, from its seed to its verdict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.clock import SECOND, Time
from embodied.digest import Mark
from embodied.errors import FOREIGN, LaunchError, Problem, WorldFailed, told
from embodied.graph import Graph, plain
from embodied.lockstep import Lockstep
from embodied.messages import GuardReport
from embodied.node import Guard
from embodied.ports import Stamped
from embodied.report import Report

LOOK = SECOND // 20
"""How often a run asks its world for the verdict [ns of virtual time]."""

VIEW = "overview"
"""The camera that pictures for people are taken with."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one seed.

    Attributes:
        seed: of the run.
        passed: the verdict; None if nothing judges, or nothing was decided in the time given.
        reason: the verdict in a sentence, with its numbers.
        digest: of everything published.
        simulated, wall: time that passed [s].
        details: numbers behind the verdict.
        about: names and versions of what draws the pictures; digests of different ones say nothing about each other.
        nodes, topics: counts and health, as plain data.
        guards: by guard, how many of its steps clipped or refused something, and what it said most often.
        faults: what each fault did, as plain data.
        marks: the trace, when one was kept.
        pictures: (time [s], RGB image of shape (h, w, 3)), when some were asked for.
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
    pictures: list[tuple[float, Picture]] = field(default_factory=list, repr=False)

    @property
    def factor(self) -> float:
        """Real-time factor: simulated seconds per second."""
        return self.simulated / self.wall if self.wall else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Plain data, without trace and pictures."""
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
        }


def play(
    graph: Graph,
    seed: int,
    *,
    limit: Time | None = None,
    trace: bool = False,
    moments: Sequence[float] = (),
    final: bool = False,
    progress: Callable[[Time], None] | None = None,
) -> Outcome:
    """Run a graph until its world decides, or until a limit.

    Args:
        graph: what to run; build a new one for each run.
        seed: everything random is drawn from it.
        limit: virtual time to stop at [ns].
        trace: keep a mark of each publication.
        moments: times at which to take pictures [s].
        final: take a picture of the last moment as well.
        progress: called with the virtual time after each look.

    Raises:
        LaunchError: the graph is wrong, or neither a world nor a limit would ever end the run.
        NodeFailed: a node broke.
    """
    if graph.world is None and limit is None:
        help_ = ("say how long to run: --for 10s",)
        raise LaunchError([Problem("E701", "there is no world to judge this run, and no time to stop at", help=help_)])
    plan = graph.check()
    pictures: list[tuple[float, Picture]] = []
    due = sorted(moments)
    lockstep = Lockstep(plan, seed=seed, trace=trace)
    tallies = {name: _Tally() for name, planned in plan.nodes.items() if isinstance(planned.node, Guard)}
    for name, tally in tallies.items():
        for output in plan.nodes[name].ports.outputs.values():
            if output.message is GuardReport:
                lockstep.observe(f"{name}.{output.name}", tally)
    with lockstep as run:
        look = 0
        while True:
            over = run.verdict() is not None or (limit is not None and run.now >= limit)
            while due and due[0] * SECOND <= run.now:
                at = due.pop(0)
                pictures += [] if over and final else _picture(graph, at)
            if over:
                break
            look += LOOK
            run.advance(Time(look if limit is None else min(look, limit)))
            if progress is not None:
                progress(run.now)
        if final:
            pictures += _picture(graph, run.now / SECOND)
        return _outcome(seed, run.report(), {n: t.as_dict() for n, t in tallies.items()}, pictures)


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


def _picture(graph: Graph, at: float) -> list[tuple[float, Picture]]:
    if graph.world is None:
        return []
    try:
        rgb = graph.world.camera(VIEW, width=640, height=480).render(rgb=True).rgb
    except FOREIGN as error:
        raise WorldFailed(f"the world has no picture from '{VIEW}': {told(error)}") from error
    return [] if rgb is None else [(at, rgb)]


def _outcome(seed: int, report: Report, guards: Mapping[str, Any], pictures: list[tuple[float, Picture]]) -> Outcome:
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
        pictures=pictures,
    )
