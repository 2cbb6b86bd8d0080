"""A world that falls behind the clock says nothing about the robot, whatever its verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from embodied.clock import SECOND, Time
from embodied.graph.graph import Graph
from embodied.live.episode import play_live
from embodied.node.node import Node
from embodied.world import Verdict, World
from tests.embodied.live.nodes import Count, count, wait


@dataclass
class Slow:
    """A world of which a second takes longer than one, and which passes after two."""

    cost: float = 0.0  # [s/s]
    rate: float = 300.0

    def reset(self, seed: int) -> None:
        self.now = Time(0)

    def advance(self, to: Time) -> None:
        wait(self.cost * (to - self.now) / SECOND)
        self.now = to

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {}

    def verdict(self) -> Verdict | None:
        return Verdict(True, "two seconds have passed") if self.now >= 2 * SECOND else None

    def close(self) -> None:
        return


class Inside(Node):
    """Keeps the world's process stepping."""

    rate = 100.0

    def open(self, world: World) -> None:
        self.number = 0

    def step(self) -> Count:
        self.number += 1
        return count(self.number)


@pytest.mark.parametrize("cost", [0.0, 1.5])
def test_a_run_whose_world_falls_behind_the_clock_is_no_pass(cost: float) -> None:
    graph = Graph(clock="steady", world=Slow(cost))
    graph.add("inside", Inside())
    outcome = play_live(graph, 0, name="pace", about={}, limit=Time(20 * SECOND))
    assert outcome.passed
    if cost:
        assert outcome.pace < 0.95
        assert "too slow to judge: the world's time passed at" in outcome.failure
    elif outcome.pace >= 0.95:
        assert not outcome.failure
