"""Node of the road and of every world with a lane: the true lane in the place of perception, for `truth` profiles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from embodied import Time
from embodied.messages import Lane
from sims.lane_truth import LaneTruth
from sims.world_node import WorldNode


@runtime_checkable
class LaneWorld(Protocol):
    """World with a shuttle on a lane, as a node of the true lane needs it."""

    def lane_truth(self) -> LaneTruth:
        """Return the true pose of the shuttle in its lane, and what its camera has in view ahead."""


@dataclass
class TrueLane(WorldNode[LaneWorld]):
    """True pose of the vehicle in its lane, published by a node, and what its camera has in view ahead."""

    kind = LaneWorld
    needs = "a world with a lane, such as sims.road:Road"
    rate = 15.0  # [Hz]

    def step(self, now: Time) -> Lane:
        """Return the lane as a faultless detector would see it."""
        true = self.world.lane_truth()
        return Lane(
            offset=true.offset,
            heading=true.heading,
            curvature=true.curvature,
            obstacle=true.obstacle,
            stop_line=true.stop_line,
            score=1.0,
            acquired=now,
        )
