"""The vendor's own client, as it comes from the package index, against the virtual box with PyBullet behind it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from drivers.xarm.sdk import connecting, sdk
from drivers.xarm.virtual import VirtualXArm
from embodied.messages import Vector
from embodied.testing.serving import Serving, pause
from sims.tabletop.world import Tabletop
from tests.drivers.xarm.bench import PORT, address
from tests.embodied.robots import robot

ROBOT = robot("xarm6")
HOME = ROBOT.limit("home")


@pytest.fixture
def box() -> Iterator[VirtualXArm]:
    far = VirtualXArm(ROBOT, host=address(), port=PORT)
    with Serving(far, Tabletop(ROBOT, objects=1)):
        yield far


XArmAPI, XCONF = sdk()


@pytest.fixture
def client(box: VirtualXArm) -> Iterator[Any]:
    with connecting(XCONF, PORT):
        arm = XArmAPI(box.host, is_radian=True, check_joint_limit=False)
    assert arm.connected
    yield arm
    arm.disconnect()


def ready(arm: Any, mode: int) -> None:
    assert arm.motion_enable(True) == 0
    assert arm.set_mode(mode) == 0
    assert arm.set_state(0) == 0
    # It knows the mode from the next report, and warns of targets until then.
    assert until(lambda: arm.mode == mode)


def until(true: Callable[[], bool]) -> bool:
    end = time.monotonic() + 5.0
    while not true() and time.monotonic() < end:
        pause(0.02)
    return true()


def angles(arm: Any) -> Vector:
    code, found = arm.get_servo_angle()
    assert code == 0
    return np.array(found[:6])


def test_it_knows_what_it_is_connected_to(client: Any) -> None:
    assert (client.axis, client.device_type) == (6, 6)
    assert client.version_number == (2, 5, 0)
    assert client.get_robot_sn() == (0, "XF1300VIRTUAL")
    assert client.connected


def test_a_blocking_move_of_the_joints_ends_where_it_was_sent(box: VirtualXArm, client: Any) -> None:
    ready(client, 0)
    goal = HOME + np.array([0.4, 0.1, -0.2, 0.3, 0.2, -0.5])
    assert client.set_servo_angle(angle=goal.tolist(), speed=1.5, mvacc=10.0, wait=True, timeout=10) == 0
    assert np.abs(angles(client) - goal).max() < 0.01
    assert np.abs(box.position() - goal).max() < 0.01
    assert client.get_state() == (0, 2)


def test_moves_wait_for_one_another_and_a_pause_keeps_them(box: VirtualXArm, client: Any) -> None:
    ready(client, 0)
    for turn in (0.3, 0.6):
        goal = HOME.copy()
        goal[0] = turn
        assert client.set_servo_angle(angle=goal.tolist(), speed=1.0, mvacc=10.0, wait=False) == 0
    assert client.get_cmdnum()[1] == 2
    assert client.set_state(3) == 0
    paused = box.position()
    assert client.get_state() == (0, 3)
    assert client.set_state(0) == 0
    assert paused[0] < 0.3
    assert until(lambda: box.position()[0] > 0.59), "what was waiting was dropped"
    assert until(lambda: client.get_cmdnum()[1] == 0)


def test_a_line_of_the_flange_ends_at_its_pose(client: Any) -> None:
    ready(client, 0)
    code, pose = client.get_position()
    assert code == 0
    goal = [pose[0] + 60.0, pose[1] - 80.0, pose[2] + 40.0, *pose[3:]]
    assert client.set_position(*goal, speed=200, mvacc=1000, wait=True, timeout=10) == 0
    code, reached = client.get_position()
    assert code == 0
    assert np.abs(np.array(reached[:3]) - goal[:3]).max() < 2.0


def test_inverse_and_forward_kinematics_are_each_other_s_opposite(client: Any) -> None:
    q = HOME + np.array([0.2, 0.1, -0.1, 0.2, 0.1, 0.3])
    code, pose = client.get_forward_kinematics(q.tolist(), input_is_radian=True, return_is_radian=True)
    assert code == 0
    code, found = client.get_inverse_kinematics(pose, input_is_radian=True, return_is_radian=True)
    assert code == 0
    assert np.abs(np.array(found[:6]) - q).max() < 1e-3


def test_targets_that_are_streamed_are_followed(box: VirtualXArm, client: Any) -> None:
    ready(client, 1)
    goal = HOME.copy()
    for _ in range(100):
        goal[0] += 0.003
        assert client.set_servo_angle_j(goal.tolist()) == 0
    assert until(lambda: bool(np.abs(angles(client) - goal).max() < 0.01))
    assert len(box.received()) == 100


def test_the_gripper_closes_and_opens(client: Any) -> None:
    ready(client, 0)
    assert client.set_gripper_enable(True) == 0
    assert client.set_gripper_mode(0) == 0
    assert client.set_gripper_speed(4000) == 0
    for pulses in (200, 800):
        assert client.set_gripper_position(pulses, wait=True, timeout=5) == 0
        code, found = client.get_gripper_position()
        assert code == 0
        assert abs(found - pulses) < 50, "the simulated fingers give by some millimetres"
    assert client.get_gripper_version() == (0, "3.4.3")
    assert client.get_gripper_err_code() == (0, 0)


def test_a_target_beyond_the_limits_is_an_error_until_it_is_cleared(client: Any) -> None:
    ready(client, 1)
    goal = HOME.copy()
    goal[2] = 0.5
    client.set_servo_angle_j(goal.tolist())
    assert client.get_err_warn_code() == (0, [23, 0])
    assert client.get_state() == (0, 4)
    assert client.set_servo_angle_j(HOME.tolist()) != 0
    assert client.clean_error() == 0
    assert client.get_err_warn_code() == (0, [0, 0])
    ready(client, 1)
    assert client.set_servo_angle_j(HOME.tolist()) == 0


def test_an_emergency_stop_ends_a_blocking_move_and_holds_the_arm(box: VirtualXArm, client: Any) -> None:
    ready(client, 0)
    goal = HOME.copy()
    goal[0] = 2.5
    assert client.set_servo_angle(angle=goal.tolist(), speed=1.0, mvacc=5.0, wait=False) == 0
    assert until(lambda: box.position()[0] > 0.1)
    box.press_stop()
    assert until(lambda: client.error_code == 2)
    assert client.set_servo_angle(angle=HOME.tolist(), wait=True, timeout=5) != 0
    assert client.get_err_warn_code() == (0, [2, 0])
    assert client.motion_enable(True) != 0, "it was enabled with its emergency stop pressed"
    box.release_stop()
    client.clean_error()
    ready(client, 0)
    assert client.get_state() == (0, 2)


def test_reports_tell_joints_state_temperatures_and_errors(box: VirtualXArm, client: Any) -> None:
    told = threading.Event()
    seen: list[Any] = []

    def hear(item: Any) -> None:
        seen.append(item)
        told.set()

    client.register_report_callback(hear, report_cartesian=True, report_joints=True, report_state=True)
    assert told.wait(5)
    assert np.abs(np.array(seen[-1]["joints"][:6]) - HOME).max() < 0.05
    hot = threading.Event()
    client.register_temperature_changed_callback(lambda item: hot.set() if max(item["temperatures"]) > 90 else None)
    box.inject("over-temperature")
    assert hot.wait(5)
    assert client.error_code == 12
    assert client.voltages[0] == pytest.approx(24.0)


def test_connections_of_the_sdk_leave_the_timeout_of_other_sockets_alone(box: VirtualXArm, client: Any) -> None:
    client.disconnect()
    # As its threads do by themselves once a connection is lost.
    with connecting(XCONF, PORT):
        client.connect()
    assert client.connected
    assert socket.getdefaulttimeout() is None
