from collections.abc import Callable

import numpy as np
import pytest

from embodied import SECOND, Time
from embodied.devices.jaw import SO101_JAW
from embodied.geometry import rotation, transform
from embodied.messages import JointCommand, Vector
from embodied.node.node import generator
from embodied.robot import Robot
from sims.arm import SimArm
from sims.bodies import so101, xarm6
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


def test_the_linkage_of_the_xarm6_gripper_is_invertible_and_closes_as_it_turns() -> None:
    assert xarm6.width(0.0) == pytest.approx(0.089, abs=1e-3)
    assert xarm6.width(xarm6.CLOSED) == pytest.approx(0.0, abs=2e-3)
    for angle in np.linspace(0.01, xarm6.CLOSED, 50).tolist():
        assert xarm6.drive(xarm6.width(angle)) == pytest.approx(angle, abs=1e-9)
        assert xarm6.slope(angle) == pytest.approx(
            (xarm6.width(angle + 1e-6) - xarm6.width(angle - 1e-6)) / 2e-6, rel=1e-6
        )
        assert xarm6.slope(angle) < 0


def test_the_jaw_of_the_so101_is_invertible_and_opens_as_it_turns() -> None:
    assert SO101_JAW.opening(0.0) == pytest.approx(0.0235, abs=1e-4)
    for angle in np.linspace(SO101_JAW.closed, so101.OPEN, 50).tolist():
        assert so101.drive(SO101_JAW.opening(angle)) == pytest.approx(angle, abs=1e-9)
        slope = (SO101_JAW.opening(angle + 1e-6) - SO101_JAW.opening(angle - 1e-6)) / 2e-6
        assert SO101_JAW.slope(angle) == pytest.approx(slope, rel=1e-6)
        assert SO101_JAW.slope(angle) > 0
    assert so101.drive(0.0) == SO101_JAW.closed
    assert so101.drive(1.0) == so101.OPEN


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
