"""What UFACTORY's 53 examples for the xArm 6 do, in scripts of our own, with the vendor's SDK on a virtual box.

The name of each script has the numbers of the examples that do the same. What a box without a force sensor or a linear
motor cannot do it refuses by its own answer, as the last scripts check.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from xarm.core.config.x_config import XCONF
from xarm.wrapper import XArmAPI

from drivers.xarm.sdk import connecting
from drivers.xarm.virtual import StandaloneXArm
from embodied.messages import Vector
from embodied.testing.serving import Serving, pause
from tests.drivers.xarm.bench import PORT, address
from tests.drivers.xarm.test_sdk import angles, ready, until
from tests.embodied.robots import robot

ROBOT = robot("xarm6")
REFUSED = 10
"""The SDK's code for a request that the box does not carry out."""


@pytest.fixture
def box() -> Iterator[StandaloneXArm]:
    made = StandaloneXArm(ROBOT, host=address(), port=PORT)
    with Serving(made):
        yield made


@pytest.fixture
def client(box: StandaloneXArm) -> Iterator[Any]:
    with connecting(XCONF, PORT):
        arm = XArmAPI(box.host, is_radian=True, check_joint_limit=False)
    yield arm
    arm.disconnect()


def pose(arm: Any) -> Vector:
    code, found = arm.get_position()
    assert code == 0
    return np.array(found)


def moved(before: Vector, after: Vector, change: tuple[float, ...]) -> bool:
    """Whether a pose has changed as asked: within 2 mm, and 0.02 rad."""
    turn = np.abs((after[3:] - before[3:] - np.array(change[3:]) + np.pi) % (2 * np.pi) - np.pi)
    return bool(np.abs(after[:3] - before[:3] - np.array(change[:3])).max() < 2.0 and turn.max() < 0.02)


def test_0000_0001_0002_0003_it_is_connected_to_with_callbacks_and_its_properties_are_read(box: StandaloneXArm) -> None:
    heard: list[str] = []
    with connecting(XCONF, PORT):
        arm = XArmAPI(box.host, do_not_open=True, is_radian=True)
        for what in ("state", "cmdnum", "error_warn", "connect", "mtable_mtbrake"):
            name = f"register_{what}_changed_callback"
            getattr(arm, name)(lambda _, what=what: heard.append(what))
        arm.connect()
    ready(arm, 0)
    assert until(lambda: {"state", "connect", "mtable_mtbrake"} <= set(heard))
    for what in ("version", "state", "cmdnum", "err_warn_code", "position", "servo_angle"):
        assert getattr(arm, f"get_{what}")()[0] == 0
    assert arm.tcp_load == [0, [0, 0, 0]]
    assert arm.gravity_direction == [0, 0, -1]
    arm.disconnect()


def test_0004_a_servo_is_detached_and_attached(client: Any) -> None:
    ready(client, 0)
    assert client.set_servo_detach(1) == 0
    assert client.set_servo_attach(1) == 0


def test_1001_1002_a_line_ends_at_its_pose_and_is_straight(box: StandaloneXArm, client: Any) -> None:
    ready(client, 0)
    before = pose(client)
    seen: list[Vector] = []
    goal = before + np.array([0, 120.0, -60.0, 0, 0, 0])
    assert client.set_position(*goal, speed=400, mvacc=5000, wait=False) == 0

    def arrived() -> bool:
        seen.append(pose(client))
        return bool(np.linalg.norm(seen[-1][:3] - goal[:3]) < 2.0)

    assert until(arrived)
    way = (goal - before)[:3] / np.linalg.norm((goal - before)[:3])
    aside = [np.linalg.norm(np.cross(each[:3] - before[:3], way)) for each in seen]
    assert max(aside) < 3.0, "it left the line"


def test_1003_relative_lines_add_up(client: Any) -> None:
    ready(client, 0)
    before = pose(client)
    for change in ((40, 0, 0), (0, 50, 0), (-40, 0, 30)):
        x, y, z = change
        assert client.set_position(x=x, y=y, z=z, relative=True, speed=500, mvacc=5000, wait=True) == 0
    assert moved(before, pose(client), (0, 50, 30, 0, 0, 0))
    q = angles(client)
    assert client.set_servo_angle(angle=[0.1, 0, 0, 0, 0, 0.2], relative=True, speed=2, mvacc=20, wait=True) == 0
    assert np.abs(angles(client) - q - [0.1, 0, 0, 0, 0, 0.2]).max() < 0.01


def test_1004_1005_2005_rounded_corners_are_driven_in_order_with_pauses(client: Any) -> None:
    ready(client, 0)
    before = pose(client)
    assert client.set_pause_time(0.1) == 0
    path = [(before + np.array([0, y, z, 0, 0, 0])).tolist() for y, z in ((40, 0), (40, 30), (0, 30))]
    client.move_arc_lines(path, speed=500, mvacc=5000, times=1, wait=True)
    assert until(lambda: moved(before, pose(client), (0, 0, 30, 0, 0, 0)))
    q = angles(client)
    for turn in (0.2, 0.0):
        goal = (q + np.array([turn, 0, 0, 0, 0, 0])).tolist()
        assert client.set_servo_angle(angle=goal, speed=2, mvacc=20, radius=60, wait=False) == 0
    assert client.get_cmdnum()[1] > 0
    assert until(lambda: client.get_cmdnum()[1] == 0)
    assert np.abs(angles(client) - q).max() < 0.03


def test_1006_a_line_in_the_axes_of_the_tool(client: Any) -> None:
    ready(client, 0)
    before = pose(client)
    assert client.set_tool_position(z=50, speed=500, mvacc=5000, wait=True) == 0
    assert moved(before, pose(client), (0, 0, -50, 0, 0, 0)), "the tool points down"


def test_1007_a_counter_counts_and_the_report_has_it(client: Any) -> None:
    counted: list[int] = []
    client.register_count_changed_callback(lambda item: counted.append(item["count"]))
    assert client.set_counter_reset() == 0
    assert until(lambda: client.count == 0)
    for _ in range(3):
        assert client.set_counter_increase() == 0
    assert until(lambda: 3 in counted)


def test_1008_a_line_in_axis_and_angle(client: Any) -> None:
    ready(client, 0)
    before = pose(client)
    code, axis = client.get_position_aa()
    assert code == 0
    goal = [*np.add(axis[:3], [0, 60, 20]), *axis[3:]]
    assert client.set_position_aa(goal, speed=500, mvacc=5000, wait=True) == 0
    assert moved(before, pose(client), (0, 60, 20, 0, 0, 0))
    assert client.set_position_aa([0, 0, 0, 0, 0, 0.2], relative=True, speed=500, mvacc=5000, wait=True) == 0
    assert moved(before, pose(client), (0, 60, 20, 0, 0, 0.2))


@pytest.mark.parametrize("mode", [4, 5])
def test_1009_2000_velocities_are_held_for_their_time(client: Any, mode: int) -> None:
    ready(client, mode)
    q, before = angles(client), pose(client)
    if mode == 4:
        assert client.vc_set_joint_velocity([0.5, 0, 0, 0, 0, 0], duration=0.4) == 0
        assert until(lambda: abs(angles(client)[0] - q[0] - 0.2) < 0.02)
    else:
        assert client.vc_set_cartesian_velocity([0, 100, 0, 0, 0, 0], duration=0.4) == 0
        assert until(lambda: moved(before, pose(client), (0, 40, 0, 0, 0, 0)))
    assert client.set_state(4) == 0


@pytest.mark.parametrize("mode", [6, 7])
def test_1010_2006_a_new_goal_replaces_the_one_before(client: Any, mode: int) -> None:
    ready(client, mode)
    q, before = angles(client), pose(client)
    for sign in (1, -1):
        if mode == 6:
            assert (
                client.set_servo_angle(angle=(q + np.array([sign * 0.4, 0, 0, 0, 0, 0])).tolist(), speed=1, wait=False)
                == 0
            )
        else:
            assert client.set_position(*(before + np.array([0, sign * 100, 0, 0, 0, 0])), speed=200, wait=False) == 0
        pause(0.1)
    assert client.get_cmdnum()[1] == 1
    end = (lambda: abs(angles(client)[0] - q[0] + 0.4) < 0.02) if mode == 6 else None
    assert until(end or (lambda: moved(before, pose(client), (0, -100, 0, 0, 0, 0))))


def test_2001_2002_2003_2004_joints_one_by_one_and_together_waited_for_or_not(client: Any) -> None:
    ready(client, 0)
    q = angles(client)
    for joint in (1, 6):
        assert client.set_servo_angle(servo_id=joint, angle=float(q[joint - 1]) + 0.2, speed=2, wait=True) == 0
    goal = q + np.array([0.2, 0, 0.1, 0, 0, 0.2])
    assert client.set_servo_angle(angle=goal.tolist(), speed=2, mvacc=20, wait=True) == 0
    assert np.abs(angles(client) - goal).max() < 0.01


def test_3001_a_circle_ends_where_it_began_and_has_its_radius(client: Any) -> None:
    ready(client, 0)
    begin = pose(client)
    around, across = begin + np.array([0, 30, 30, 0, 0, 0]), begin + np.array([0, 0, 60, 0, 0, 0])
    stop = threading.Event()
    seen: list[Vector] = []
    assert client.move_circle(around.tolist(), across.tolist(), percent=100, speed=300, mvacc=5000, wait=False) == 0
    while client.get_cmdnum()[1] and not stop.wait(0.02):
        seen.append(pose(client))
    center = begin[:3] + np.array([0, 0, 30])
    assert max(abs(np.linalg.norm(each[:3] - center) - 30) for each in seen) < 3.0
    assert until(lambda: moved(begin, pose(client), (0, 0, 0, 0, 0, 0)))


def test_3002_3003_a_movement_is_taught_kept_and_played_back(box: StandaloneXArm, client: Any) -> None:
    assert client.load_trajectory("nothing.traj") != 0
    ready(client, 2)
    assert client.start_record_trajectory() == 0
    q = box.position()
    with box._lock:
        # A hand moves the joint: in teaching mode the motors follow it.
        box._plain.push(q + np.array([0.3, 0, 0, 0, 0, 0]))
    assert until(lambda: abs(box.position()[0] - q[0] - 0.3) < 0.01)
    pause(0.1)
    assert client.stop_record_trajectory() == 0
    with box._lock:
        box._plain.push(None)
    assert client.save_record_trajectory("taught.traj") == 0
    ready(client, 0)
    assert client.set_servo_angle(angle=q.tolist(), speed=2, mvacc=20, wait=True) == 0
    assert client.load_trajectory("taught.traj") == 0
    assert client.playback_trajectory() == 0
    assert until(lambda: abs(box.position()[0] - q[0] - 0.3) < 0.02)


def test_3005_an_output_is_set_where_the_tool_is_and_the_client_is_notified(client: Any) -> None:
    ready(client, 0)
    kinds: list[int] = []
    client.register_feedback_callback(lambda data: kinds.append(data[8]))
    assert client.set_feedback_type(14) == 0
    begin = pose(client)
    place = (begin[:3] + np.array([0, 40, 0])).tolist()
    assert client.set_cgpio_digital_with_xyz(0, 1, xyz=place, fault_tolerance_radius=3) == 0
    assert client.get_cgpio_state()[1][5] & 1 == 0
    assert client.set_position(*(begin + np.array([0, 80, 0, 0, 0, 0])), speed=300, mvacc=5000, wait=False) == 0
    assert until(lambda: {2, 4} <= set(kinds))
    assert client.get_cgpio_state()[1][5] & 1 == 1


def test_3006_outputs_and_the_pose_in_standard_modbus(client: Any) -> None:
    assert client.write_multiple_coil_bits(0, [1, 0, 1, 0, 1, 1, 0, 1]) == 0
    assert client.read_coil_bits(0, 8) == (0, [1, 0, 1, 0, 1, 1, 0, 1])
    assert client.read_input_bits(0, 16) == (0, [0] * 16)
    code, numbers = client.read_input_registers(0x40, 9, is_signed=True)
    assert code == 0
    assert np.abs(np.array(numbers[:3]) / 10 - pose(client)[:3]).max() < 1.0
    assert client.read_input_registers(0x900, 9)[0] != 0


def test_5001_5002_5003_5005_5006_5007_5008_ports_of_tool_and_box(client: Any) -> None:
    assert client.get_tgpio_digital() == (0, [0, 0, 0, 0])
    assert client.get_tgpio_analog()[0] == 0
    assert client.set_tgpio_digital(0, 1) == 0
    assert client.get_cgpio_digital()[0] == 0
    assert client.get_cgpio_analog() == (0, [0, 0])
    for number in (0, 9):
        assert client.set_cgpio_digital(number, 1) == 0
    assert client.set_cgpio_analog(1, 2.6) == 0
    assert client.set_cgpio_digital_input_function(3, 1) == 0
    assert client.set_cgpio_digital_output_function(2, 11) == 0
    code, state = client.get_cgpio_state()
    assert code == 0
    assert state[5] == 1 | 1 << 9
    assert state[9] == pytest.approx(2.6, abs=0.01)
    assert state[10][3] == 1
    assert state[11][2] == 11


def test_5000_5004_the_gripper_by_its_bus_and_by_name(client: Any) -> None:
    ready(client, 0)
    assert client.set_tgpio_modbus_baudrate(2000000) == 0
    assert client.getset_tgpio_modbus_data([8, 6, 1, 0, 0, 1])[0] == 0
    assert client.getset_tgpio_modbus_data([8, 0x10, 7, 0, 0, 2, 4, 0, 0, 1, 0x2C])[0] == 0
    assert until(lambda: abs(client.get_gripper_position()[1] - 300) < 5)
    assert client.set_gripper_position(600, wait=True, timeout=5) == 0


def test_6001_6002_a_reduced_speed_and_a_fence_hold(client: Any) -> None:
    ready(client, 0)
    assert client.set_reduced_max_joint_speed(0.1) == 0
    assert client.set_reduced_max_tcp_speed(20) == 0
    assert client.set_reduced_mode(True) == 0
    assert client.get_reduced_mode() == (0, 1)
    q = angles(client)
    assert client.set_servo_angle(angle=(q + np.array([0.3, 0, 0, 0, 0, 0])).tolist(), speed=2, wait=False) == 0
    pause(0.5)
    assert 0 < angles(client)[0] - q[0] < 0.08
    assert client.set_state(4) == 0
    ready(client, 0)
    assert client.set_reduced_mode(False) == 0
    x, y, z = pose(client)[:3]
    assert client.set_reduced_tcp_boundary([x + 50, x - 50, y + 50, y - 50, z + 50, z - 50]) == 0
    assert client.set_fence_mode(True) in (0, [0])
    assert client.set_position(x=float(x), y=float(y) + 90, z=float(z), speed=300, wait=True) != 0
    assert client.get_err_warn_code() == (0, [35, 0])


def test_7001_7002_7003_targets_are_streamed_in_joints_and_in_space(client: Any) -> None:
    ready(client, 1)
    q = angles(client)
    assert client.set_servo_angle_j((q + np.array([0.02, 0, 0, 0, 0, 0])).tolist()) == 0
    assert until(lambda: abs(angles(client)[0] - q[0] - 0.02) < 0.005)
    before = pose(client)
    for y in (1, 2, 3):
        assert client.set_servo_cartesian((before + np.array([0, y, 0, 0, 0, 0])).tolist()) == 0
    assert until(lambda: abs(pose(client)[1] - before[1] - 3) < 0.5)
    assert client.set_servo_cartesian_aa([0, 0, 2, 0, 0, 0], is_tool_coord=True, relative=True) == 0
    assert until(lambda: abs(pose(client)[2] - before[2] + 2) < 0.5)


REFUSALS: dict[str, Callable[[Any], Any]] = {
    "8000 the load cannot be identified": lambda arm: arm.iden_tcp_load()[0],
    "8001 8002 8003 8005 8006 no force sensor is switched on": lambda arm: arm.set_ft_sensor_enable(1),
    "8001 8002 8003 no mode of a force sensor": lambda arm: arm.set_ft_sensor_mode(1),
    "8003 8005 8006 no zero of a force sensor": lambda arm: arm.set_ft_sensor_zero(),
    "8004 the load of a force sensor cannot be identified": lambda arm: arm.iden_ft_sensor_load_offset()[0],
    "8005 no force is measured": lambda arm: arm.get_ft_sensor_data()[0],
    "8010 no settings of a force sensor": lambda arm: arm.get_ft_sensor_config()[0],
    "9000 no linear motor": lambda arm: arm.set_linear_motor_pos(100, wait=False),
}


def test_what_no_such_arm_has_is_refused_by_the_protocol_s_own_answer(client: Any) -> None:
    for what, request in REFUSALS.items():
        ready(client, 0)
        assert request(client) not in (0, 3), f"{what}: it was accepted, or not answered"
        assert client.get_state() == (0, 2), what
