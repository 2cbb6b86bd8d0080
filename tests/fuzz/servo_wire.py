"""Fuzzers of Feetech's servo bus: what a client sends to the virtual servos, and what servos answer to the driver.

Every second frame of an input gets a right checksum.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from pathlib import Path

import numpy as np
import serial

from drivers.so101 import bus as bus_module
from drivers.so101 import codec, control_table
from drivers.so101.bus import Bus
from drivers.so101.codec import HEADER, LONGEST, SHORTEST, Frame, FrameParser, Instruction
from drivers.so101.motors import READ_ALL, Motors
from drivers.so101.servos import IDS
from drivers.so101.virtual import VirtualSO101
from embodied.devices.virtual_serial import PseudoTerminal
from tests.drivers.kinematic import KinematicWorld
from tests.embodied.robots import robot
from tests.fuzz.harness import SECONDS_MOST, Kind, temporarily

BAUD = 1_000_000
"""Speed of the bus [bit/s]."""

PIECE = 512
"""Length of the pieces in which an input is written, which a terminal holds at once [B]."""

ANSWER_TIMEOUT = 0.004
"""Longest wait of the driver for an answer here, where the other end answers at once [s]."""


def mended(data: bytes) -> bytes:
    """Return bytes in which every second frame has the checksum that its content has."""
    changed = bytearray(data)
    at, number = data.find(HEADER), 0
    while at >= 0 and at + SHORTEST <= len(data):
        end = at + data[at + 3] + 4
        if 2 <= data[at + 3] <= LONGEST - 4 and end <= len(data):
            number += 1
            if number % 2:
                changed[end - 1] = ~sum(data[at + 2 : end - 1]) & 0xFF
        at = data.find(HEADER, max(at + 1, min(end, len(data))))
    return bytes(changed)


class Arm:
    """Virtual SO-101, and a client of its bus."""

    def __init__(self) -> None:
        self.world = KinematicWorld(robot("so101"))
        self.world.reset(0)
        self.arm = VirtualSO101(robot("so101"))
        self.arm.open(self.world)
        self.port = serial.Serial(self.arm.address, BAUD, timeout=SECONDS_MOST / 10)

    def renew(self) -> None:
        """Restore the ids and the speeds of all servos, which a client may have changed."""
        with self.arm._lock:
            for number, servo in zip(IDS, self.arm._servos.values(), strict=True):
                servo._recover()
                servo.put(control_table.ID, number)
                servo.restart()

    def end_frame(self) -> None:
        """End a frame that was begun, so that a good one is one of its own, and restore the servos."""
        self.port.write(bytes(LONGEST))
        self.renew()

    def serves(self) -> bool:
        """Return whether the first servo answers a read of its model."""
        request = codec.read(IDS[0], control_table.MODEL.address, 2).pack()
        model = control_table.MODEL.pack(control_table.MODEL_STS3215)
        for _ in range(8):
            parser = FrameParser()
            self.port.write(request)
            while data := self.port.read(self.port.in_waiting or 1):
                for frame in parser.feed(data):
                    # Others are answers to what was sent before.
                    if frame.id == IDS[0] and frame.parameters == model:
                        return True
        return False


@cache
def arm() -> Arm:
    return Arm()


def read_client(data: bytes, folder: Path) -> str:
    """Send an input to the virtual servos; they stay where they can be, and go on to answer."""
    one, data = arm(), mended(data)
    for start in range(0, len(data), PIECE):
        one.port.write(data[start : start + PIECE])
        if start + PIECE < len(data):
            one.port.reset_input_buffer()
            one.end_frame()
            assert one.serves(), "a good client is not answered"
    one.arm.step()
    position = one.arm.position()
    assert np.isfinite(position).all(), position
    one.end_frame()
    assert one.serves(), "a good client is not answered"
    return ""


def client_examples() -> list[bytes]:
    goals = {servo: control_table.GOAL.pack(2000 + servo) for servo in IDS}
    frames = [
        Frame(1, Instruction.PING),
        codec.read(1, 0, 70),
        codec.write(2, control_table.TORQUE.address, b"\1"),
        codec.write(2, control_table.MODE.address, b"\1"),
        codec.write(3, control_table.ID.address, b"\x09"),
        codec.write(3, control_table.LOCK.address, b"\0"),
        Frame(4, Instruction.REG_WRITE, b"\x2a\0\4"),
        Frame(codec.BROADCAST, Instruction.ACTION),
        codec.sync_read(control_table.GOAL.address, 2, IDS),
        codec.sync_write(control_table.GOAL.address, goals),
        Frame(5, Instruction.RECOVER),
        Frame(6, Instruction.REBOOT),
    ]
    return [b"".join(frame.pack() for frame in frames), b"".join(frame.pack() for frame in frames[1:5] * 3)]


class Servos:
    """Other end of the driver's bus: it answers each request by what it is given."""

    def __init__(self) -> None:
        self.terminal = PseudoTerminal()
        os.set_blocking(self.terminal.descriptor, True)
        self.answer = b""
        self.motors = Motors(self.terminal.address, BAUD)
        threading.Thread(target=self._serve, name="hostile servos", daemon=True).start()

    @property
    def bus(self) -> Bus:
        return self.motors._bus

    def _serve(self) -> None:
        parser = FrameParser()
        while True:
            for _ in parser.feed(os.read(self.terminal.descriptor, 4096)):
                os.write(self.terminal.descriptor, self.answer[:4000])


@cache
def servos() -> Servos:
    return Servos()


def read_servos(data: bytes, folder: Path) -> str:
    """Read answers of servos in each way that the driver does; what is believed is one whole answer of the servo."""
    with temporarily(bus_module, ANSWER_TIMEOUT=ANSWER_TIMEOUT):
        return _read_servos(data)


def _read_servos(data: bytes) -> str:
    one, how = servos(), data[:1]
    one.answer = mended(data[1:])
    for frame in FrameParser().feed(one.answer):
        assert codec.parse(frame.pack()) == frame
    match (how or b"\0")[0] % 4:
        case 0:
            model = one.bus.ping(1)
            assert model is None or 0 <= model < 1 << 16
        case 1:
            reading = one.bus.read(1, control_table.STATE)
            if reading is not None:
                size = SHORTEST + control_table.STATE.width
                assert codec.answers(one.answer[:size], (1,), control_table.STATE.width)[0].id == 1
                assert len(reading.counts) == len(control_table.STATE.registers)
        case 2:
            states = one.motors.read_all()
            assert states is None or len(states) == len(IDS)
        case _:
            one.bus.write(1, control_table.GOAL, 2048)
    one.answer = Frame(1, 0, (9).to_bytes(2, "little")).pack()
    for _ in range(50):
        good = one.bus.read(1, control_table.MODEL)
        if good is not None:
            assert good.counts == (9,)
            return ""
    raise AssertionError("a good answer after it is not believed")


def servo_examples() -> list[bytes]:
    def states(width: int) -> bytes:
        return b"".join(Frame(servo, 0, bytes(range(width))).pack() for servo in IDS)

    wide, narrow = (states(block.width) for block in READ_ALL)
    state = Frame(1, 0, bytes(control_table.STATE.width)).pack()
    return [b"\0" + Frame(1, 0).pack(), b"\1" + state, b"\2" + wide, b"\2" + narrow, b"\3" + Frame(1, 32).pack()]


WORDS = (HEADER, b"\xff\xff\x01", b"\xff\xff\xfe", b"\xff\xff\xff", b"\x02\x00", b"\xfe", b"\xfd", b"\xfa", b"\x82\x83")

MODULES = ("drivers.so101",)

SERVOS = Kind("servos", client_examples, WORDS, read_client, MODULES)

SERVO_ANSWERS = Kind("answers", servo_examples, WORDS, read_servos, MODULES)
