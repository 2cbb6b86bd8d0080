"""Report on a run: counts by node, health by topic, faults, digest and verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from embodied.graph.faults import Fault
from embodied.runtime.digest import Mark
from embodied.runtime.health import Health
from embodied.world import Verdict


@dataclass(frozen=True, slots=True)
class NodeCount:
    """Counts of one node over a run.

    Attributes:
        steps: number of steps.
        skipped: ticks and triggers that came while it was busy or silenced.
        starved: number of times that a required input was absent or stale.
        lost: steps whose outputs a fault dropped, at once or during their latency.
    """

    steps: int
    skipped: int
    starved: int
    lost: int


@dataclass(frozen=True, slots=True)
class FaultCount:
    """Count of the effects of one fault.

    Attributes:
        fault: the fault, with the times that were drawn.
        steps: number of steps that it changed, delayed, dropped or prevented.
    """

    fault: Fault
    steps: int

    def as_dict(self) -> dict[str, Any]:
        """Return the count as plain data."""
        fault = self.fault
        return {
            "fault": str(fault),
            "kind": fault.kind,
            "target": fault.target,
            "at_s": fault.at.low / 1e9,
            "for_s": None if fault.length is None else fault.length.low / 1e9,
            "steps": self.steps,
        }


@dataclass(frozen=True, slots=True)
class Report:
    """Report on a run so far.

    Attributes:
        verdict: verdict of the world; None while it has none.
        digest: SHA-256 of everything published.
        simulated: virtual time that passed [s].
        wall: real time that passed [s].
        nodes: counts by node.
        topics: health by topic.
        faults: count of each fault, those of the graph first.
        about: what the digest depends on beside the seed, read from the world when all nodes are open.
        marks: the trace, when one was kept.
    """

    verdict: Verdict | None
    digest: str
    simulated: float
    wall: float
    nodes: Mapping[str, NodeCount]
    topics: Mapping[str, Health]
    faults: tuple[FaultCount, ...]
    about: Mapping[str, str]
    marks: list[Mark] | None = field(default=None, repr=False)

    @property
    def factor(self) -> float:
        """Real-time factor: simulated seconds per second."""
        return self.simulated / self.wall if self.wall else 0.0
