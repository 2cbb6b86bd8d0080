from collections.abc import Callable

import numpy as np
import pytest

from embodied import SECOND, Time
from embodied.messages import JointCommand, Vector
from embodied.robot import Robot
from embodied.world import Verdict
from sims.tabletop.scene import COLOURS
from sims.tabletop.world import Tabletop

SEED = 10**9 + 5
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])
IN_TRAY = np.array([0.42, 0.38, 0.024])


def later(world: Tabletop, seconds: float) -> Verdict | None:
    world.advance(Time(world.now + round(seconds * SECOND)))
    return world.verdict()


@pytest.fixture
def world(panda_table: Tabletop) -> Tabletop:
    panda_table.reset(SEED)
    return panda_table


def another(world: Tabletop) -> str:
    return next(block.label for block in world.scene.blocks if block.label != world.target)


def test_the_target_at_rest_in_the_tray_passes_after_a_while(world: Tabletop) -> None:
    world.place(world.target, IN_TRAY, LEVEL)
    assert later(world, 0.25) is None
    verdict = later(world, 0.3)
    assert verdict is not None
    assert verdict.passed
    assert world.target in verdict.reason


def test_another_block_in_the_tray_is_a_failure(world: Tabletop) -> None:
    world.place(another(world), IN_TRAY, LEVEL)
    verdict = later(world, 0.1)
    assert verdict is not None
    assert not verdict.passed
    assert another(world) in verdict.reason


@pytest.mark.parametrize(("push", "passed"), [(0.018, True), (0.022, False)])
def test_another_block_may_be_moved_by_less_than_2_cm(world: Tabletop, push: float, passed: bool) -> None:
    # The one nearest to the robot, towards it, where nothing stands.
    others = {label: true for label, true in world.truth().items() if label in COLOURS and label != world.target}
    label = min(others, key=lambda name: others[name].position[0])
    world.place(label, others[label].position - np.array([push, 0.0, 0.0]), others[label].orientation)
    world.place(world.target, IN_TRAY, LEVEL)
    verdict = later(world, 0.05) or later(world, 1.0)
    assert verdict is not None
    assert verdict.passed is passed


def test_a_block_that_leans_on_the_tray_from_outside_does_not_count(world: Tabletop) -> None:
    world.place(world.target, np.array([0.42, 0.38 - 0.127, 0.02]), LEVEL)
    assert later(world, 2.0) is None


def test_a_block_that_leaves_the_table_is_a_failure(world: Tabletop) -> None:
    world.place(world.target, np.array([1.2, 0.0, 0.1]), LEVEL)
    verdict = later(world, 1.0)
    assert verdict is not None
    assert not verdict.passed
    assert "left the table" in verdict.reason


def test_time_runs_out_with_a_reason(panda: Robot) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Tabletop(panda, time_limit=0.5)
    world.reset(SEED)
    assert later(world, 0.4) is None
    verdict = later(world, 0.2)
    world.close()
    assert verdict is not None
    assert not verdict.passed
    assert "mm outside the tray" in verdict.reason
    assert verdict.details["time"] == pytest.approx(0.5)


def test_a_block_in_the_tray_that_is_still_held_does_not_pass(
    table: Tabletop, delivered: Vector, above: Callable[[Robot, Vector], Vector]
) -> None:
    table.reset(SEED)
    block = table.scene.worktable.block
    table.place(table.target, delivered, LEVEL)
    joints = above(table.robot, delivered)
    table.arm().place(joints, 1.25 * block)
    table.arm().command(JointCommand(gripper=0.0))
    assert later(table, 1.5) is None
    table.arm().command(JointCommand(gripper=1.75 * block))
    later(table, 0.3)
    # A jaw that does not move stays where it is, beside the block, until the arm goes away.
    table.arm().place(table.robot.limit("home"), 1.75 * block)
    verdict = later(table, 1.0)
    assert verdict is not None
    assert verdict.passed
