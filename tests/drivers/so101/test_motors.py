"""Answers on the bus belong to the request that is under way, and to the servo that was asked."""

from __future__ import annotations

import os
import threading
import tty
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from drivers.so101 import SO101, codec, control_table
from drivers.so101.bus import Bus
from drivers.so101.control_table import TICKS
from drivers.so101.motors import Motors
from drivers.so101.servos import IDS, NAMES
from drivers.so101.virtual.dispatch import dispatch
from drivers.so101.virtual.servo import Servo
from embodied.errors import DeviceLost
from embodied.node.identity import Identity, differences
from tests.drivers.so101.bench import CALIBRATION, ROBOT


@contextmanager
def scripted(answer: Callable[[codec.Frame], bytes]) -> Iterator[str]:
    """Port at which a script answers each frame."""
    master, slave = os.openpty()
    tty.setraw(slave)

    def serve() -> None:
        parser = codec.FrameParser()
        while data := os.read(master, 4096):
            if data == b"end":
                return
            for frame in parser.feed(data):
                os.write(master, answer(frame))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield os.ttyname(slave)
    finally:
        os.write(slave, b"end")
        thread.join()
        os.close(master)
        os.close(slave)


def test_an_arm_that_is_real_is_not_armed_without_its_calibration() -> None:
    servos = [Servo(number, 0, TICKS - 1, b"") for number in IDS]

    def answer(frame: codec.Frame) -> bytes:
        return b"".join(each.pack() for each in dispatch(frame, servos))

    with scripted(answer) as port:
        driver = SO101(ROBOT, port=port)
        driver.open()
        identity = driver.identify()
        driver.close()
        assert not identity.virtual
        assert f"it is not calibrated ({', '.join(NAMES)})" in "".join(differences(identity, driver))
        driver = SO101(ROBOT, port=port, calibration=CALIBRATION)
        driver.open()
        assert not list(differences(driver.identify(), driver))
        driver.close()


def test_an_answer_that_comes_a_question_late_is_not_taken_for_the_next_ones() -> None:
    asked: list[codec.Frame] = []

    def late(frame: codec.Frame) -> bytes:
        asked.append(frame)
        if len(asked) < 2:
            return b""
        _, width, *ids = asked[-2].parameters
        return b"".join(codec.Frame(servo, 0, bytes(width)).pack() for servo in ids)

    with scripted(late) as port:
        motors = Motors(port, control_table.BAUDS[0])
        assert [motors.read_all() for _ in range(4)] == [None] * 4
        assert motors.rejected >= 3
        motors.close()


@pytest.mark.parametrize("servo", [2, 7])
def test_an_answer_of_another_servo_is_rejected(servo: int) -> None:
    with scripted(lambda frame: codec.Frame(servo, 0, bytes(frame.parameters[1])).pack()) as port:
        motors = Motors(port, control_table.BAUDS[0])
        with pytest.raises(DeviceLost, match=r"servo 1 .* gives no valid answer"):
            motors.read(1, control_table.MODE)
        assert motors.rejected > 0
        motors.close()


def test_a_ping_whose_answer_has_no_model_is_none() -> None:
    with scripted(lambda frame: codec.Frame(frame.id, 0).pack()) as port:
        bus = Bus(port, 1_000_000)
        assert bus.ping(1) is None
        assert bus.write(1, control_table.TORQUE, 0)
        bus.close()


def test_noise_without_a_header_is_not_searched_through_for_an_answer() -> None:
    with scripted(lambda frame: b"\x55" * 3000) as port:
        bus = Bus(port, 1_000_000)
        assert bus.read(1, control_table.MODEL) is None
        assert bus._port.getBytesAvailable() > 1000
        assert not bus.write(1, control_table.TORQUE, 0)
        bus.close()


def test_a_nameplate_that_is_no_text_has_what_is_wrong_replaced() -> None:
    plate = control_table.PLATE + b"\xff\x1b[2J"
    servos = [Servo(number, 0, TICKS - 1, plate) for number in IDS]
    with scripted(lambda frame: b"".join(each.pack() for each in dispatch(frame, servos))) as port:
        motors = Motors(port, 1_000_000)
        serial = Identity(model="SO-101", serial=motors.nameplate()).serial
        motors.close()
    assert serial == "\ufffd\\x1b[2J"
