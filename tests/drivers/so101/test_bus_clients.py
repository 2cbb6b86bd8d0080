"""What LeRobot's bus of Feetech servos does, operation by operation, in the vendor's SDK and our own words.

Law: what a register reports follows a write at once; what does not fit is kept within what a register can hold; and
nothing that a client sends ends a virtual device.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scservo_sdk import COMM_SUCCESS, GroupSyncRead, GroupSyncWrite, PortHandler, sms_sts

from drivers.so101 import codec, control_table
from drivers.so101.codec import BROADCAST, Frame, FrameParser, Instruction
from drivers.so101.control_table import FULL_ANGLE, MIDDLE, MODEL_STS3215, TICK, TICKS, Register
from drivers.so101.jaw import CLOSED, OPEN
from drivers.so101.servos import IDS, NAMES
from drivers.so101.virtual import VirtualSO101
from drivers.so101.virtual.dispatch import dispatch
from drivers.so101.virtual.servo import Servo
from embodied.testing.serving import Serving, pause
from tests.drivers.kinematic import KinematicWorld
from tests.drivers.so101.bench import ROBOT

PAN, ROLL, GRIPPER = IDS[0], IDS[4], IDS[5]

READABLE = [
    control_table.MODEL,
    control_table.ID,
    control_table.BAUD,
    control_table.RETURN_DELAY,
    control_table.STATUS_RETURN_LEVEL,
    control_table.MIN_POSITION,
    control_table.MAX_POSITION,
    control_table.MAX_TEMPERATURE,
    control_table.MAX_TORQUE,
    control_table.PHASE,
    control_table.OFFSET,
    control_table.MODE,
    control_table.TORQUE,
    control_table.GOAL,
    control_table.LOCK,
    control_table.VOLTAGE,
    control_table.STATUS,
    control_table.MOVING,
]

WRITABLE = {
    control_table.RETURN_DELAY: 0,
    control_table.MAX_ACCELERATION: 254,
    control_table.MAX_SPEED: 60,
    control_table.MOVING_THRESHOLD: 3,
    control_table.ACCELERATION: 254,
    control_table.GAIN_P: 16,
    control_table.GAIN_I: 0,
    control_table.GAIN_D: 32,
    control_table.MAX_TORQUE: 500,
    control_table.MAX_CURRENT: 250,
    control_table.OVERLOAD: 80,
    control_table.OFFSET: -85,
}


class Client:
    """Client of one virtual bus, through the vendor's SDK."""

    def __init__(self, arm: VirtualSO101) -> None:
        self.arm = arm
        self.port: Any = PortHandler(arm.address)
        self.port.openPort()
        self.sdk: Any = sms_sts(self.port)

    def get(self, servo: int, register: Register) -> int:
        data, result, _ = self.sdk.readTxRx(servo, register.address, register.width)
        assert result == COMM_SUCCESS
        return register.unpack(bytes(data))

    def put(self, servo: int, register: Register, count: int) -> None:
        data = list(register.pack(count))
        assert self.sdk.writeTxRx(servo, register.address, len(data), data)[0] == COMM_SUCCESS

    def get_all(self, register: Register) -> list[int]:
        read = GroupSyncRead(self.sdk, register.address, register.width)
        for servo in IDS:
            assert read.addParam(servo)
        assert read.txRxPacket() == COMM_SUCCESS
        width = register.width
        raw = [read.getData(servo, register.address, width) for servo in IDS]
        return [register.unpack(count.to_bytes(width, "little")) for count in raw]

    def put_all(self, register: Register, counts: list[int]) -> None:
        write = GroupSyncWrite(self.sdk, register.address, register.width)
        for servo, count in zip(IDS, counts, strict=True):
            assert write.addParam(servo, list(register.pack(count)))
        assert write.txPacket() == COMM_SUCCESS

    def sent(self, frame: Frame, count: int, seconds: float = 2.0) -> list[Frame]:
        """Send a frame, and return the answers, of which some number is expected in time."""
        self.port.clearPort()
        self.port.writePort(frame.pack())
        parser, frames = FrameParser(), list[Frame]()
        end = time.monotonic() + seconds
        while len(frames) < count and time.monotonic() < end:
            frames += parser.feed(bytes(self.port.readPort(256)))
        return frames

    def until(self, holds: Callable[[], bool], seconds: float = 4.0) -> None:
        end = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < end, "it never came true"
            pause(0.005)


@pytest.fixture(scope="module")
def served() -> Iterator[VirtualSO101]:
    arm = VirtualSO101(ROBOT)
    with Serving(arm, KinematicWorld(ROBOT)):
        yield arm


@pytest.fixture
def client(served: VirtualSO101, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    """A client of an arm whose servos have just been switched on."""
    monkeypatch.setattr("scservo_sdk.port_handler.LATENCY_TIMER", 400)
    served.inject("power loss")
    served.clear_faults()
    client = Client(served)
    try:
        yield client
    finally:
        client.port.closePort()


def test_every_servo_answers_a_ping_to_all_once(client: Client) -> None:
    answers = client.sent(Frame(BROADCAST, Instruction.PING), 6)
    assert [answer.id for answer in answers] == list(IDS)
    assert client.get_all(control_table.MODEL) == [MODEL_STS3215] * 6


def test_one_register_is_read_alike_from_one_servo_and_from_all(client: Client) -> None:
    for register in READABLE:
        assert client.get_all(register) == [client.get(servo, register) for servo in IDS], register


def test_what_is_acknowledged_is_kept(client: Client) -> None:
    for register, count in WRITABLE.items():
        client.put(GRIPPER, register, count)
        assert client.get(GRIPPER, register) == count, register


def test_factory_limits_that_were_written_with_the_lock_open_outlive_the_power(client: Client) -> None:
    client.put(PAN, control_table.LOCK, 0)
    client.put(PAN, control_table.MAX_ACCELERATION, 33)
    client.put(PAN, control_table.LOCK, 1)
    client.put(ROLL, control_table.MAX_ACCELERATION, 33)
    client.arm.inject("power loss")
    client.arm.clear_faults()
    assert client.get(PAN, control_table.MAX_ACCELERATION) == 33
    assert client.get(ROLL, control_table.MAX_ACCELERATION) == 254
    client.put(PAN, control_table.LOCK, 0)
    client.put(PAN, control_table.MAX_ACCELERATION, 254)


def test_a_maximum_acceleration_is_kept_to() -> None:
    reached = {}
    for most in (10, 254):
        servo = Servo(1, 0, TICKS - 1, b"")
        servo.write(control_table.MAX_ACCELERATION.address, bytes((most,)))
        servo.write(control_table.GOAL.address, control_table.GOAL.pack(MIDDLE + 1000))
        servo.write(control_table.TORQUE.address, b"\1")
        for _ in range(20):
            servo.advance(0.01)
        reached[most] = servo.target - MIDDLE
    assert reached[10] == pytest.approx(0.5 * 1000 * 0.2**2, rel=0.2), "1000 ticks/s² for 0.2 s"
    assert reached[254] > 10 * reached[10]


def test_half_turn_homing_reads_the_middle_at_once_everywhere(client: Client) -> None:
    for servo in IDS:
        client.put(servo, control_table.OFFSET, 0)
        client.put(servo, control_table.MIN_POSITION, 0)
        client.put(servo, control_table.MAX_POSITION, TICKS - 1)
    positions = client.get_all(control_table.POSITION)
    for servo, position in zip(IDS, positions, strict=True):
        client.put(servo, control_table.OFFSET, position - (MIDDLE - 1))
    assert client.get_all(control_table.POSITION) == [MIDDLE - 1] * 6


def test_a_phase_with_bit_4_counts_many_turns_and_without_it_one(client: Client) -> None:
    client.put(PAN, control_table.OFFSET, -2047)
    assert 0 <= client.get(PAN, control_table.POSITION) < TICKS
    before = client.get(PAN, control_table.POSITION)
    client.put(PAN, control_table.PHASE, 12 | FULL_ANGLE)
    many = client.get(PAN, control_table.POSITION)
    assert many % TICKS == before
    client.put(PAN, control_table.PHASE, 12)
    assert client.get(PAN, control_table.POSITION) == before


def test_a_goal_is_under_way_as_soon_as_it_is_acknowledged(client: Client) -> None:
    goals = client.get_all(control_table.POSITION)
    client.put_all(control_table.GOAL, goals)
    for servo in IDS:
        client.put(servo, control_table.TORQUE, 1)
    client.until(lambda: client.get_all(control_table.MOVING) == [0] * 6)
    client.put(PAN, control_table.GOAL, goals[0] + 100)
    assert client.get(PAN, control_table.MOVING) == 1
    client.until(lambda: client.get(PAN, control_table.MOVING) == 0)
    assert abs(client.get(PAN, control_table.POSITION) - goals[0] - 100) <= 2


def test_the_jaw_goes_to_both_ends_of_its_travel(client: Client) -> None:
    ends = [round(MIDDLE + angle / TICK) for angle in (OPEN, CLOSED)]
    client.put(GRIPPER, control_table.TORQUE, 1)
    for end in ends:
        client.put(GRIPPER, control_table.GOAL, end)
        client.until(lambda: abs(client.get(GRIPPER, control_table.POSITION) - end) <= 3)  # noqa: B023
    client.put(GRIPPER, control_table.TORQUE, 0)
    for angle, end in zip((OPEN, CLOSED), ends, strict=True):
        client.arm.push(NAMES[-1], angle)
        client.until(lambda: abs(client.get(GRIPPER, control_table.POSITION) - end) <= 3)  # noqa: B023


@pytest.mark.parametrize("mode", [1, 2])
def test_a_wheel_turns_both_ways_and_stops(client: Client, mode: int) -> None:
    register = {1: control_table.GOAL_SPEED, 2: control_table.GOAL_TIME}[mode]
    fast, speed = {1: (400, 400), 2: (130, 130e-3 * control_table.NO_LOAD / TICK)}[mode]
    client.put(ROLL, control_table.MODE, mode)
    client.put(ROLL, register, 0)
    client.put(ROLL, control_table.TORQUE, 1)
    for sign in (1, -1):
        client.put(ROLL, register, sign * fast)
        # A machine that does other things as well steps the body less often, and never faster.
        client.until(lambda: 0.4 * speed < sign * client.get(ROLL, control_table.SPEED))  # noqa: B023
        assert sign * client.get(ROLL, control_table.SPEED) < 1.1 * speed
    client.put(ROLL, register, 0)
    client.until(lambda: client.get(ROLL, control_table.MOVING) == 0)


def test_a_step_goes_by_its_goal_from_where_it_is(client: Client) -> None:
    client.put(PAN, control_table.MODE, 3)
    client.put(PAN, control_table.TORQUE, 1)
    for step in (60, -25):
        before = client.get(PAN, control_table.POSITION)
        client.put(PAN, control_table.GOAL, step)
        client.until(lambda: abs(client.get(PAN, control_table.POSITION) - before - step) <= 1)  # noqa: B023


def test_an_id_and_a_speed_that_no_servo_has_are_not_kept(client: Client) -> None:
    client.put(GRIPPER, control_table.ID, 254)
    client.put(GRIPPER, control_table.BAUD, 99)
    client.put(GRIPPER, control_table.MODE, 7)
    assert client.get(GRIPPER, control_table.ID) == GRIPPER
    assert client.get(GRIPPER, control_table.BAUD) == 0
    assert client.get(GRIPPER, control_table.MODE) == 0


@pytest.mark.parametrize("speed", [9_600, 38_400, 128_000, 250_000, 500_000])
def test_no_servo_answers_at_another_speed_of_the_bus(client: Client, speed: int) -> None:
    client.port.ser.baudrate = speed
    assert not client.sent(Frame(BROADCAST, Instruction.PING), 1, seconds=0.1)
    client.port.ser.baudrate = 1_000_000
    assert len(client.sent(Frame(BROADCAST, Instruction.PING), 6)) == 6


frames = st.builds(
    Frame,
    st.sampled_from((*IDS, 0, 9, 253, BROADCAST)),
    st.sampled_from([*Instruction]) | st.integers(0, 255),
    st.binary(max_size=40)
    | st.builds(lambda address, data: bytes((address,)) + data, st.integers(0, 127), st.binary(max_size=8)),
)


@given(st.lists(frames, max_size=12))
def test_whatever_a_client_sends_no_servo_raises_and_every_answer_is_a_frame(sent: list[Frame]) -> None:
    servos = [Servo(number, 0, TICKS - 1, b"") for number in IDS]
    for frame in sent:
        for answer in dispatch(frame, servos):
            assert codec.parse(answer.pack()) == answer
        for servo in servos:
            servo.advance(0.01)


@given(st.floats(-1e12, 1e12), st.floats(-1e12, 1e12), st.sampled_from([0, 12 | FULL_ANGLE]))
def test_registers_saturate_whatever_the_body_does(raw: float, speed: float, phase: int) -> None:
    servo = Servo(1, 0, TICKS - 1, b"")
    servo.write(control_table.PHASE.address, bytes((phase,)))
    servo.raw, servo.speed = raw, speed
    servo.advance(0.01)
    most = control_table.SPEED.largest
    assert servo.get(control_table.SPEED) == min(max(round(speed), -most), most)
    assert abs(servo.get(control_table.POSITION)) <= most
