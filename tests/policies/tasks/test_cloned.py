import importlib.util
import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from embodied.clock import Time
from embodied.geometry import BASE, quaternion, tool_rotation
from embodied.launch import Overrides, load
from embodied.messages import Detections, GripperState, Pose, Target
from embodied.runtime.episode import play
from policies.perception.block_averaging import Grasp
from policies.tasks.cloned import CHUNK, EXECUTED, STATE, ClonedPickPlace, Observation
from policies.tasks.pick_place import DOWN, PickPlace

LAUNCH = Path(__file__).parents[3] / "launch" / "pick_place.yaml"
HOME = np.array([0.28, 0.0, 0.42])
RED = Target(label="red")


class Counting(ClonedPickPlace):
    asked = 0

    def run(self, **arrays: NDArray[Any]) -> dict[str, NDArray[Any]]:
        self.asked += 1
        return super().run(**arrays)


@pytest.fixture
def cloned() -> Counting:
    node = Counting()
    node.open()
    return node


def tool(position: NDArray[np.float64] = HOME, yaw: float = 0.0) -> Pose:
    return Pose(position=position, orientation=quaternion(tool_rotation(DOWN, yaw)), frame=BASE)


def gripper(width: float) -> GripperState:
    return GripperState(width=width, speed=0.0, force=0.0, acquired=Time(0))


IMAGES = itertools.count(1)
"""Times of images, each later than all before [ns]."""


def seen(*labels: str) -> Detections:
    count = len(labels)
    position = np.array([(0.5, 0.1 * k, 0.02) for k in range(count)]).reshape(-1, 3)
    zeros = np.zeros(count)
    return Detections(
        labels=labels, position=position, yaw=zeros, score=zeros + 1.0, frame=BASE, acquired=Time(next(IMAGES))
    )


def test_it_takes_and_gives_what_pick_place_does() -> None:
    mine, theirs = ClonedPickPlace().ports(), PickPlace().ports()
    assert {name: str(port) for name, port in mine.inputs.items()} == {
        name: str(port) for name, port in theirs.inputs.items()
    }
    assert {name: str(port) for name, port in mine.outputs.items()} == {
        name: str(port) for name, port in theirs.outputs.items()
    }


def test_the_shipped_model_fits_and_is_small() -> None:
    assert list(ClonedPickPlace().check()) == []
    assert ClonedPickPlace.model.stat().st_size < 1_000_000


def test_the_network_is_asked_once_for_every_horizon(cloned: Counting) -> None:
    for _ in range(3 * EXECUTED):
        cloned.step(seen("blue"), tool(), gripper(0.075), RED)
    assert EXECUTED < CHUNK
    assert cloned.asked == 3


def test_a_block_that_becomes_known_is_acted_on_at_once(cloned: Counting) -> None:
    for _ in range(cloned.looks):
        cloned.step(seen("red"), tool(), gripper(0.075), RED)
    assert cloned.asked == 2


def test_until_the_block_is_seen_it_stays_where_it_began(cloned: Counting) -> None:
    for _ in range(8):
        goal = cloned.step(seen("blue"), tool(), gripper(0.075), RED)
        assert np.linalg.norm(goal.position - HOME) < 0.02
        assert goal.gripper == cloned.opening


def test_a_known_block_is_approached_with_an_open_gripper(cloned: Counting) -> None:
    for _ in range(cloned.looks + 3):
        goal = cloned.step(seen("red"), tool(), gripper(0.075), RED)
    block = np.array([0.5, 0.0, 0.02])
    assert np.linalg.norm(goal.position - block) < np.linalg.norm(HOME - block) - 0.03
    assert goal.gripper == cloned.opening


def test_over_the_block_it_closes_and_with_the_block_it_rises(cloned: Counting) -> None:
    for _ in range(cloned.looks):
        cloned.step(seen("red"), tool(), gripper(0.075), RED)
    there = tool(np.array([0.5, 0.0, 0.02]), 0.0)
    goals = [cloned.step(seen(), there, gripper(0.075), RED) for _ in range(3 * EXECUTED)]
    assert goals[-1].gripper == 0.0
    goals = [cloned.step(seen(), there, gripper(0.042), RED) for _ in range(3 * EXECUTED)]
    assert goals[-1].gripper == 0.0
    assert goals[-1].position[2] > 0.03


def test_turns_are_counted_beyond_half_a_turn() -> None:
    observation = Observation((0.42, 0.38, 0.032))
    for yaw in np.linspace(0.0, 2.5, 20):
        observation.update(tool(yaw=float(yaw)))
    assert observation.yaw == pytest.approx(2.5)


def test_the_state_is_told_from_the_block_and_zero_while_that_is_unknown() -> None:
    observation = Observation((0.42, 0.38, 0.032))
    observation.update(tool())
    unknown = observation.state(tool(), gripper(0.07), None, closed=False)
    known = observation.state(tool(), gripper(0.07), Grasp(np.array([0.5, 0.1, 0.02]), math.pi / 8), closed=False)
    assert unknown.shape == known.shape == (1, STATE)
    assert not unknown[0, :3].any() and unknown[0, -1] == 0.0
    assert known[0, :3] == pytest.approx([0.22, 0.1, -0.4]) and known[0, -1] == 1.0


@pytest.mark.skipif(importlib.util.find_spec("pybullet") is None, reason="pybullet has no wheels for this Python")
def test_swapped_in_it_puts_the_block_into_the_tray() -> None:
    swap = Overrides(swaps=["policy=policies.tasks.cloned:ClonedPickPlace"])
    outcome = play(load(LAUNCH, swap).graph("truth"), 1_000_300_000)
    assert outcome.passed, outcome.reason
