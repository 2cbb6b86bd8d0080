import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.clock import Time
from embodied.geometry import BASE, norm, rotation, rotation_matrix, rotation_vector, tool_rotation
from embodied.launch import Overrides, load
from embodied.messages import Goal, JointState, Vector
from embodied.node.node import generator
from embodied.robot import Robot
from policies.motion.kinematics import InverseKinematics
from policies.motion.setpoint import Pace, pursue

LAUNCH = Path(__file__).parents[3] / "launch" / "pick_place.yaml"
TICK = 10_000_000  # [ns]
DOWN = np.array([0.0, 0.0, -1.0])


def shipped(name: str) -> InverseKinematics:
    """The node with the settings of the launch file."""
    node = load(LAUNCH, Overrides(sets=[f"robot={name}"])).graph("truth").entries["ik"].node
    assert isinstance(node, InverseKinematics)
    return node


def robot(name: str) -> Robot:
    return shipped(name).robot


@pytest.fixture(params=["panda", "xarm6"])
def ik(request: pytest.FixtureRequest) -> InverseKinematics:
    node = InverseKinematics(robot=robot(request.param))
    node.open()
    return node


def state(q: Vector, tick: int) -> JointState:
    return JointState(position=q, velocity=np.zeros(len(q)), acquired=Time(tick * TICK))


def goal(position: tuple[float, float, float], yaw: float = 0.0, approach: Vector = DOWN) -> Goal:
    return Goal(position=np.array(position), approach=approach, yaw=yaw, gripper=0.05, frame=BASE)


def follow(ik: InverseKinematics, q: Vector, goals: list[Goal]) -> list[Vector]:
    """Commanded joints, one a tick, of an arm that follows them exactly."""
    path = [q]
    for tick, wanted in enumerate(goals):
        command = ik.step(state(path[-1], tick), wanted).command
        assert command is not None and command.position is not None
        path.append(command.position)
    return path


def test_the_tool_pose_is_that_of_the_halls_own_kinematics(ik: InverseKinematics) -> None:
    rng = generator(0, "poses")
    for tick in range(50):
        q = rng.uniform(ik.robot.limit("lower"), ik.robot.limit("upper"))
        tcp = ik.step(state(q, tick), None).tcp
        expected = ik.robot.chain.tool(q)
        assert np.allclose(tcp.position, expected[:3, 3], atol=1e-9)
        assert np.allclose(rotation(tcp.orientation), expected[:3, :3], atol=1e-9)


def test_without_a_goal_there_is_no_command_but_still_a_tool_pose(ik: InverseKinematics) -> None:
    motion = ik.step(state(ik.robot.limit("home"), 0), None)
    assert motion.command is None and motion.residual is None
    assert motion.tcp.frame == BASE


def test_the_first_command_after_silence_is_where_the_arm_stands(ik: InverseKinematics) -> None:
    home = ik.robot.limit("home")
    follow(ik, home, [goal((0.4, 0.1, 0.1))] * 20)
    ik.step(state(home, 20), None)
    command = ik.step(state(home, 21), goal((0.4, 0.1, 0.1))).command
    assert command is not None
    assert command.position is not None
    assert np.array_equal(command.position, home)


def test_reachable_goals_are_reached_within_a_millimetre_and_half_a_degree(ik: InverseKinematics) -> None:
    rng = generator(1, "goals")
    q = ik.robot.limit("home")
    for _ in range(8):
        x, y, z = rng.uniform((0.3, -0.3, 0.02), (0.58, 0.4, 0.3))
        wanted = goal((x, y, z), yaw=math.atan2(y, x) + rng.uniform(-1.4, 1.4))
        q = follow(ik, q, [wanted] * 300)[-1]
        tool = ik.robot.chain.tool(q)
        assert norm(tool[:3, 3] - wanted.position) < 0.001
        fingers = np.array([-math.sin(wanted.yaw), math.cos(wanted.yaw), 0.0])
        assert math.degrees(math.acos(min(1.0, abs(float(tool[:3, 1] @ fingers))))) < 0.5
        assert math.degrees(math.acos(min(1.0, -tool[2, 2]))) < 0.5
        ik.step(state(q, 0), None)


def test_whatever_is_asked_joints_stay_within_position_velocity_and_acceleration(ik: InverseKinematics) -> None:
    rng = generator(2, "wild")
    wild: list[Goal] = []
    for _ in range(25):
        position = rng.uniform((-1.0, -1.0, -0.2), (1.0, 1.0, 1.2))
        approach = rng.normal(size=3)
        turned = replace(goal((0, 0, 0), rng.uniform(-6, 6), approach / norm(approach)), position=position)
        wild += [turned] * int(rng.integers(1, 60))
    path = np.array(follow(ik, ik.robot.limit("home"), wild))
    assert np.all(path >= ik.robot.limit("lower")) and np.all(path <= ik.robot.limit("upper"))
    velocity = np.diff(path, axis=0) / 0.01
    assert np.all(np.abs(velocity) <= ik.robot.limit("velocity"))
    assert np.all(np.abs(np.diff(velocity, axis=0)) / 0.01 <= ik.robot.limit("acceleration"))


def test_the_tool_travels_in_a_straight_line(ik: InverseKinematics) -> None:
    begin = follow(ik, ik.robot.limit("home"), [goal((0.35, -0.15, 0.2))] * 200)[-1]
    path = follow(ik, begin, [goal((0.5, 0.15, 0.1))] * 200)
    points = np.array([ik.robot.chain.tool(q)[:3, 3] for q in path])
    line = (points[-1] - points[0]) / norm(points[-1] - points[0])
    aside = (points - points[0]) - np.outer((points - points[0]) @ line, line)
    assert np.linalg.norm(aside, axis=1).max() < 0.001


def test_a_stream_of_close_goals_comes_out_without_a_stop(ik: InverseKinematics) -> None:
    begin = follow(ik, ik.robot.limit("home"), [goal((0.45, -0.2, 0.15))] * 250)[-1]
    stream = [goal((0.45, -0.2 + 0.03 * (k // 10 + 1), 0.15)) for k in range(130)]  # 10 goals a second, 0.3 m/s
    points = np.array([ik.robot.chain.tool(q)[:3, 3] for q in follow(ik, begin, stream)])
    speed = np.linalg.norm(np.diff(points, axis=0), axis=1) / 0.01
    assert speed[30:100].min() > 0.2


def test_near_the_base_it_slows_to_what_the_joints_can_brake_from(ik: InverseKinematics) -> None:
    above = follow(ik, ik.robot.limit("home"), [goal((0.3, -0.07, 0.12), yaw=-1.0)] * 250)[-1]
    path = follow(ik, above, [goal((0.3, -0.07, 0.02), yaw=-1.0)] * 250)
    heights = np.array([ik.robot.chain.tool(q)[2, 3] for q in path])
    assert heights.min() > 0.0195
    assert heights[-1] == pytest.approx(0.02, abs=1e-3)


def test_an_arm_that_cannot_reach_says_how_far_it_is_off(ik: InverseKinematics) -> None:
    there = goal((1.5, 0.0, 0.2))
    path = follow(ik, ik.robot.limit("home"), [there] * 400)
    motion = ik.step(state(path[-1], 400), there)
    assert motion.residual is not None
    left = norm(motion.tcp.position - there.position)
    assert left > 0.3 and motion.residual.position == pytest.approx(left, abs=0.05)


def test_five_joints_serve_the_position_and_say_what_turn_is_left(tmp_path: Path) -> None:
    six = robot("xarm6")
    urdf = tmp_path / "five.urdf"
    urdf.write_text(
        six.urdf.read_text().replace('<joint name="joint4" type="revolute"', '<joint name="joint4" type="fixed"')
    )
    joints = {name: joint for name, joint in six.joints.items() if name != "joint4"}
    node = InverseKinematics(robot=replace(six, urdf=urdf, joints=joints), orientation_weight=0.03)
    node.open()
    home = node.robot.limit("home")
    for approach, angle in ((DOWN, 0.0), (np.array([0.0, 0.5, -0.87]), 0.5)):
        wanted = goal((0.4, 0.1, 0.15), 0.5, approach)
        q = follow(node, home, [wanted] * 300)[-1]
        left = node.step(state(q, 300), wanted).residual
        assert left is not None
        assert left.position < 0.001 and left.angle == pytest.approx(angle, abs=0.03)
        node.step(state(q, 301), None)


@pytest.mark.parametrize("turn", [-1.55, -1.2, -0.8, 0.0, 0.7, 1.3, 1.55])
def test_the_so101_takes_a_block_at_any_yaw_though_its_wrist_turns_by_less(turn: float) -> None:
    node = shipped("so101")
    node.open()
    q = node.robot.limit("home")
    for x, y in ((0.17, -0.1), (0.26, 0.0), (0.2, 0.1)):
        yaw = math.atan2(y, x) + turn
        above = follow(node, q, [goal((x, y, 0.06), yaw)] * 250)[-1]
        path = follow(node, above, [goal((x, y, 0.0125), yaw)] * 120)
        heights = np.array([node.robot.chain.tool(q)[2, 3] for q in path])
        # Below the goal is the table.
        assert heights.min() > 0.012
        q = path[-1]
        tool = node.robot.chain.tool(q)
        assert norm(tool[:3, 3] - (x, y, 0.0125)) < 0.001
        assert abs(float(tool[:3, 1] @ (-math.sin(yaw), math.cos(yaw), 0.0))) > math.cos(math.radians(1.0))
        assert -tool[2, 2] > math.cos(math.radians(1.0))


def test_a_command_never_runs_far_ahead_of_an_arm_that_is_held(ik: InverseKinematics) -> None:
    home = ik.robot.limit("home")
    for tick in range(200):
        command = ik.step(state(home, tick), goal((0.5, 0.3, 0.1))).command
        assert command is not None and command.position is not None
        assert np.abs(command.position - home).max() < ik.lead + 0.05


@given(st.floats(-3.1, 3.1), st.floats(-1.5, 1.5), st.floats(-3.1, 3.1))
def test_a_rotation_vector_leads_back_to_its_rotation(a: float, b: float, c: float) -> None:
    vector = np.array([a, b, c]) / max(1.0, math.sqrt(a * a + b * b + c * c) / 3.1)
    assert np.allclose(rotation_matrix(rotation_vector(rotation_matrix(vector))), rotation_matrix(vector), atol=1e-6)


@given(st.floats(-10, 10), st.sampled_from([-1.0, 1.0]))
def test_fingers_of_a_tool_that_points_down_open_along_the_yaw(yaw: float, facing: float) -> None:
    tool = tool_rotation(DOWN, yaw, facing)
    assert np.allclose(tool @ tool.T, np.eye(3), atol=1e-12) and np.linalg.det(tool) == pytest.approx(1.0)
    assert abs(float(tool[:, 1] @ [-math.sin(yaw), math.cos(yaw), 0.0])) == pytest.approx(1.0)


@settings(max_examples=50)
@given(st.floats(0.01, 1.0), st.floats(0.1, 1.0), st.floats(0.5, 10.0), st.sampled_from([0.005, 0.01, 0.02]))
def test_a_pursuit_arrives_without_overshoot(distance: float, speed: float, acceleration: float, dt: float) -> None:
    at, velocity = 0.0, np.zeros(3)
    pace = Pace(speed, acceleration)
    for _ in range(round((distance / speed + 2 * speed / acceleration + 2 * math.sqrt(distance / acceleration)) / dt)):
        before = velocity
        velocity = pursue(velocity, np.array([distance - at, 0.0, 0.0]), pace, dt)
        at += float(velocity[0]) * dt
        assert norm(velocity) <= speed * (1 + 1e-9)
        assert norm(velocity - before) <= acceleration * dt * (1 + 1e-9)
        assert at <= distance * (1 + 1e-9)
    assert at == pytest.approx(distance, rel=0.02)
