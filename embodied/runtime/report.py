"""Report of a run: steps per node, health per topic, faults, digest and verdict."""

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
    """Steps of one node in the report of a run.

    Attributes:
        steps: how often it stepped.
        skipped: ticks and triggers that came while it was busy or silenced.
        starved: times it was not called since a required input was absent or stale.
        lost: steps whose outputs a fault dropped, or cut off on their way.
        rejected: steps without a result that may be published, as a number in it was none.
        rejection: why the last of them had none.
    """

    steps: int
    skipped: int
    starved: int
    lost: int
    rejected: int = 0
    rejection: str = ""


@dataclass(frozen=True, slots=True)
class FaultCount:
    """Steps that one fault has changed, in the report of a run.

    Attributes:
        fault: as it was, with the times that were drawn.
        steps: how many steps it changed, delayed, lost or kept from being made.
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
    """Report of a run, complete or so far.

    Attributes:
        verdict: how the world judged it; None where nothing judges.
        digest: SHA-256 of all that was published.
        simulated: virtual time that passed [s].
        wall: real time that passed [s].
        nodes: counts by node.
        topics: health by topic.
        faults: what each did, those of the graph first.
        about: what the digest depends on beside the seed, as the world says it when all nodes are open.
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
