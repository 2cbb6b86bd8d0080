"""The vendor's SDK, as it is, drives the virtual bus with every command that the arm uses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scservo_sdk import COMM_RX_TIMEOUT, COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PortHandler, sms_sts

from drivers.so101 import control_table
from drivers.so101.codec import Status
from drivers.so101.control_table import MIDDLE, TICK
from drivers.so101.virtual import VirtualSO101
from embodied.errors import LinkFailed
from embodied.messages import JointCommand
from embodied.testing.serving import Serving, pause
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.so101.bench import ROBOT

ALL = range(1, 7)


@dataclass
class Client:
    """The SDK at a virtual bus."""

    far: VirtualSO101
    port: Any
    sdk: Any

    def get(self, servo: int, register: control_table.Register) -> int:
        data, result, _ = self.sdk.readTxRx(servo, register.address, register.width)
        assert result == COMM_SUCCESS
        return register.unpack(bytes(data))

    def put(self, servo: int, register: control_table.Register, count: int) -> None:
        data = list(register.pack(count))
        assert self.sdk.writeTxRx(servo, register.address, len(data), data)[0] == COMM_SUCCESS

    def on(self, servo: int) -> None:
        self.put(servo, control_table.GOAL, self.sdk.ReadPos(servo)[0])
        self.put(servo, control_table.TORQUE, 1)


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    # The SDK waits 50 ms for an answer; on a busy machine the virtual device may sleep longer.
    monkeypatch.setattr("scservo_sdk.port_handler.LATENCY_TIMER", 400)
    far = VirtualSO101(ROBOT)
    with Serving(far, KinematicWorld(ROBOT)):
        port = PortHandler(far.address)
        port.openPort()
        try:
            yield Client(far, port, sms_sts(port))
        finally:
            port.closePort()


def until(true: Callable[[], bool], seconds: float = 3.0) -> float:
    """After how long it became true [s]."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() < began + seconds, "it never came true"
        pause(0.005)
    return time.monotonic() - began


def test_six_servos_answer_and_nobody_else(client: Client) -> None:
    for servo in ALL:
        assert client.sdk.ping(servo) == (control_table.MODEL_STS3215, COMM_SUCCESS, 0)
    assert client.sdk.ping(7)[1] == COMM_RX_TIMEOUT


def test_what_is_measured_is_where_the_body_is(client: Client) -> None:
    position, speed, result, error = client.sdk.ReadPosSpeed(1)
    assert (result, error) == (COMM_SUCCESS, 0)
    assert abs((position - MIDDLE) * TICK - client.far.position()[0]) < TICK
    assert speed == 0
    assert client.sdk.ReadMoving(1) == (0, COMM_SUCCESS, 0)
    assert client.get(1, control_table.VOLTAGE) == 120


def test_a_motor_that_is_on_goes_to_its_goal_no_faster_than_its_profile(client: Client) -> None:
    client.on(1)
    start, _, _ = client.sdk.ReadPos(1)
    assert client.sdk.WritePosEx(1, start + 400, 800, 100) == (COMM_SUCCESS, 0)
    assert until(lambda: client.sdk.ReadMoving(1)[0] == 1) < 1.0
    took = until(lambda: client.sdk.ReadMoving(1)[0] == 0)
    assert took > 0.4, "400 ticks at 800 a second take half a second, and a little to get going"
    assert abs(client.sdk.ReadPos(1)[0] - start - 400) <= 1
    assert abs((start + 400 - MIDDLE) * TICK - client.far.position()[0]) < 2 * TICK


def test_a_motor_that_is_off_does_not_follow(client: Client) -> None:
    start, _, _ = client.sdk.ReadPos(1)
    client.put(1, control_table.GOAL, start + 400)
    pause(0.2)
    assert client.sdk.ReadPos(1)[0] == start


def test_all_are_written_in_one_frame_and_read_in_one(client: Client) -> None:
    read = GroupSyncRead(client.sdk, control_table.PRESENT.address, control_table.PRESENT.width)
    start = {}
    for servo in ALL:
        client.on(servo)
        start[servo] = client.sdk.ReadPos(servo)[0]
        assert read.addParam(servo)
        assert client.sdk.SyncWritePosEx(servo, start[servo] - 50, 0, 0)
    assert client.sdk.groupSyncWrite.txPacket() == COMM_SUCCESS

    def arrived() -> bool:
        assert read.txRxPacket() == COMM_SUCCESS
        return all(
            abs(read.getData(servo, control_table.POSITION.address, 2) - start[servo] + 50) <= 2 for servo in ALL
        )

    until(arrived)
    assert read.isAvailable(6, control_table.TEMPERATURE.address, 1) == (True, 0)
    assert read.getData(6, control_table.TEMPERATURE.address, 1) == 28
    received = client.far.received()[-1]
    assert isinstance(received, JointCommand)
    assert received.position is not None
    assert np.abs(received.position - client.far.position()).max() < 3 * TICK


def test_goals_alone_are_written_to_all_and_acknowledged_by_none(client: Client) -> None:
    goals = GroupSyncWrite(client.sdk, control_table.GOAL.address, control_table.GOAL.width)
    for servo in ALL:
        assert goals.addParam(servo, list(control_table.GOAL.pack(2000 + servo)))
    assert goals.txPacket() == COMM_SUCCESS
    assert client.port.getBytesAvailable() == 0
    assert [client.get(servo, control_table.GOAL) for servo in ALL] == [2000 + servo for servo in ALL]


def test_what_is_written_in_advance_waits_for_its_action(client: Client) -> None:
    client.on(2)
    start, _, _ = client.sdk.ReadPos(2)
    assert client.sdk.RegWritePosEx(2, start + 100, 0, 0) == (COMM_SUCCESS, 0)
    assert client.get(2, control_table.REG_WRITE_PENDING) == 1
    assert client.get(2, control_table.GOAL) == start
    assert client.sdk.RegAction() == COMM_SUCCESS
    until(lambda: abs(client.sdk.ReadPos(2)[0] - start - 100) <= 1)
    assert client.get(2, control_table.REG_WRITE_PENDING) == 0


def test_only_what_was_written_with_the_lock_open_outlives_the_power(client: Client) -> None:
    client.put(3, control_table.MAX_POSITION, 3000)
    assert client.sdk.unLockEprom(3) == (COMM_SUCCESS, 0)
    client.put(3, control_table.MIN_POSITION, 1000)
    assert client.sdk.LockEprom(3) == (COMM_SUCCESS, 0)
    assert (client.get(3, control_table.MIN_POSITION), client.get(3, control_table.MAX_POSITION)) == (1000, 3000)
    client.far.inject("power loss")
    assert client.sdk.ping(3)[1] == COMM_RX_TIMEOUT
    client.far.clear_faults()
    assert client.get(3, control_table.MIN_POSITION) == 1000
    assert client.get(3, control_table.MAX_POSITION) != 3000
    assert client.get(3, control_table.TORQUE) == 0


def test_a_goal_beyond_a_servos_limits_is_gone_to_as_far_as_they_are(client: Client) -> None:
    client.on(1)
    start, _, _ = client.sdk.ReadPos(1)
    client.put(1, control_table.MAX_POSITION, start + 30)
    client.put(1, control_table.GOAL, start + 500)
    until(lambda: abs(client.sdk.ReadPos(1)[0] - start - 30) <= 1)
    pause(0.1)
    assert abs(client.sdk.ReadPos(1)[0] - start - 30) <= 1


def test_a_servo_of_another_speed_is_not_heard(client: Client) -> None:
    client.put(4, control_table.BAUD, control_table.BAUDS.index(500_000))
    assert client.sdk.ping(4)[1] == COMM_RX_TIMEOUT
    assert client.sdk.ping(5)[1] == COMM_SUCCESS
    assert client.port.setBaudRate(500_000)
    assert client.sdk.ping(4)[1] == COMM_SUCCESS
    assert client.sdk.ping(5)[1] == COMM_RX_TIMEOUT


def test_a_servo_takes_another_id_and_its_middle_where_it_is(client: Client) -> None:
    client.put(5, control_table.ID, 9)
    assert client.sdk.ping(5)[1] == COMM_RX_TIMEOUT
    assert client.get(9, control_table.POSITION) != MIDDLE
    client.put(9, control_table.TORQUE, 128)
    assert client.get(9, control_table.POSITION) == MIDDLE
    assert client.get(9, control_table.TORQUE) == 0


def test_what_everybody_is_told_nobody_answers(client: Client) -> None:
    assert client.sdk.write1ByteTxRx(0xFE, control_table.TORQUE.address, 1)[0] == COMM_SUCCESS
    pause(0.05)
    assert client.port.getBytesAvailable() == 0
    assert [client.get(servo, control_table.TORQUE) for servo in ALL] == [1] * 6


def test_a_servo_that_answers_reads_alone_acknowledges_nothing(client: Client) -> None:
    assert client.sdk.write1ByteTxOnly(1, control_table.STATUS_RETURN_LEVEL.address, 0) == COMM_SUCCESS
    until(lambda: client.get(1, control_table.STATUS_RETURN_LEVEL) == 0)
    assert client.sdk.write1ByteTxRx(1, control_table.TORQUE.address, 1)[0] == COMM_RX_TIMEOUT
    assert client.get(1, control_table.TORQUE) == 1


def test_one_that_overheats_says_so_lets_go_and_comes_back_by_itself(client: Client) -> None:
    client.on(2)
    client.far.inject("over-temperature")
    until(lambda: client.sdk.ReadPos(2)[2] == Status.TEMPERATURE, 5.0)
    assert client.get(2, control_table.TEMPERATURE) > client.get(2, control_table.MAX_TEMPERATURE)
    start = client.sdk.ReadPos(2)[0]
    client.put(2, control_table.GOAL, start + 300)
    pause(0.2)
    assert abs(client.sdk.ReadPos(2)[0] - start) <= 1, "it drove although it had let go"
    client.far.clear_faults()
    until(lambda: client.sdk.ReadPos(2)[2] == 0)
    until(lambda: abs(client.sdk.ReadPos(2)[0] - start - 300) <= 1)


def test_a_supply_that_sags_is_said_by_every_servo(client: Client) -> None:
    client.far.inject("low voltage")
    until(lambda: all(client.sdk.ReadPos(servo)[2] == Status.VOLTAGE for servo in ALL))


@pytest.fixture
def link(tmp_path: Path) -> Path:
    return tmp_path / "arm"


def test_a_port_that_is_plugged_in_anew_is_another_and_its_link_leads_there(link: Path) -> None:
    far = VirtualSO101(ROBOT, link=str(link))
    with Serving(far, KinematicWorld(ROBOT)):
        assert far.address == str(link)
        assert link.is_char_device()
        far.unplug()
        assert not link.is_symlink()
        far.plug()
        assert link.is_char_device()
    assert not link.is_symlink()


def test_a_link_that_another_bus_has_is_left_to_it(link: Path) -> None:
    with Serving(VirtualSO101(ROBOT, link=str(link)), KinematicWorld(ROBOT)):
        first = link.readlink()
        second = VirtualSO101(ROBOT, link=str(link))
        with pytest.raises(LinkFailed, match="choose another link"), Serving(second, KinematicWorld(ROBOT)):
            pass
        assert link.readlink() == first


def test_a_link_that_was_left_behind_is_taken_over(link: Path) -> None:
    link.symlink_to("/dev/pts/there-is-none")
    with Serving(VirtualSO101(ROBOT, link=str(link)), KinematicWorld(ROBOT)):
        assert link.is_char_device()
