from collections.abc import Callable

import numpy as np
import pytest

from embodied import SECOND, Time
from embodied.geometry import rotation, transform
from embodied.messages import JointCommand, Vector
from embodied.node.node import generator
from embodied.robot import Robot
from sims.arm import SimArm
from sims.tabletop.world import Tabletop

SEED = 10**9 + 11
LEVEL = np.array([0.0, 0.0, 0.0, 1.0])


def later(world: Tabletop, seconds: float) -> None:
    world.advance(Time(world.now + round(seconds * SECOND)))


def test_the_shipped_kinematics_is_that_of_the_simulated_body(table: Tabletop) -> None:
    table.reset(SEED)
    robot, arm = table.robot, table.arm()
    rng = generator(SEED, "joints")
    for _ in range(20):
        joints = rng.uniform(robot.limit("lower"), robot.limit("upper"))
        arm.place(joints, robot.opening)
        position, orientation = arm.link(robot.tool.link)
        pose = np.eye(4)
        pose[:3, :3], pose[:3, 3] = rotation(orientation), position
        assert np.abs(pose @ transform(robot.tool.position, robot.tool.rpy) - robot.chain.tool(joints)).max() < 1e-4


def test_at_home_the_tool_points_down_with_its_fingers_along_y(robot: Robot) -> None:
    pose = robot.chain.tool(robot.limit("home"))
    assert np.abs(pose[:3, :3] - np.diag([1.0, -1.0, -1.0])).max() < 1e-3


def test_without_a_command_the_arm_stays_at_home(table: Tabletop) -> None:
    table.reset(SEED)
    node = SimArm(table.robot)
    node.open(table)
    for n in range(1, 101):
        table.advance(Time(n * SECOND // 100))
        output = node.step(None)
    assert output.applied is None
    assert np.abs(output.state.position - table.robot.limit("home")).max() < 1e-3
    assert output.gripper.width == pytest.approx(table.robot.opening, abs=1e-3)


def test_the_joints_go_where_they_are_told(table: Tabletop) -> None:
    table.reset(SEED)
    arm = table.arm()
    robot, home = table.robot, table.robot.limit("home")
    goal = home + np.where(home + 0.2 < robot.limit("upper"), 0.2, -0.2)
    arm.command(JointCommand(position=goal))
    later(table, 1.0)
    state, _ = arm.read()
    assert np.abs(state.position - goal).max() < 2e-3
    assert np.abs(state.velocity).max() < 1e-2
    assert state.effort is not None
    assert np.all(np.abs(state.effort) <= table.robot.limit("effort"))


def test_what_a_limit_allows_is_what_is_applied(table: Tabletop) -> None:
    table.reset(SEED)
    node = SimArm(table.robot)
    node.open(table)
    applied = node.step(JointCommand(position=np.full(len(table.robot.joints), 50.0), gripper=1.0)).applied
    assert applied is not None
    assert applied.position is not None
    assert np.array_equal(applied.position, table.robot.limit("upper"))
    assert applied.gripper == table.robot.opening


def test_the_gripper_opens_to_the_width_it_is_told(table: Tabletop) -> None:
    table.reset(SEED)
    arm = table.arm()
    for wanted in (0.06, 0.02, 0.04, table.robot.opening):
        arm.command(JointCommand(gripper=wanted))
        later(table, 1.0)
        assert arm.read()[1].width == pytest.approx(wanted, abs=0.0015)


def test_friction_alone_carries_a_block(
    table: Tabletop, delivered: Vector, above: Callable[[Robot, Vector], Vector]
) -> None:
    table.reset(SEED)
    block, arm = table.scene.worktable.block, table.arm()
    up = np.array([0.0, 0.0, 1.8 * block])
    table.place(table.target, delivered, LEVEL)
    arm.place(above(table.robot, delivered), 1.4 * block)
    arm.command(JointCommand(gripper=0.0))
    later(table, 0.5)
    _, gripper = arm.read()
    assert gripper.width == pytest.approx(block, abs=block / 10)
    assert 5.0 < gripper.force < 40.0
    before = table.truth()[table.target].position
    low, high = above(table.robot, delivered), above(table.robot, delivered + up)
    for share in np.linspace(0.0, 1.0, 80).tolist():
        arm.command(JointCommand(position=low + share * (high - low)))
        later(table, 0.01)
    later(table, 1.0)
    after = table.truth()[table.target].position
    assert after - before == pytest.approx(up, abs=0.004)
    arm.command(JointCommand(gripper=1.75 * block))
    later(table, 0.6)
    assert table.truth()[table.target].position[2] < 1.2 * block


def test_the_driver_states_its_joints_and_that_it_takes_positions(robot: Robot) -> None:
    ports = SimArm(robot).ports()
    assert ports.inputs["command"].refined.modes == frozenset({"position"})
    assert ports.inputs["command"].refined.sizes == {"n": len(robot.joints)}
    assert ports.outputs["state"].refined.sizes == {"n": len(robot.joints)}
