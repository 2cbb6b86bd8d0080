"""Fuzzers of an xArm's control and report ports: what clients send to a virtual box, and what a box answers.

Every second frame of an input gets a right length; what a box answers besides gets the head that the driver waits for.
"""

from __future__ import annotations

import socket
import struct
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from drivers.xarm import XArm, codec
from drivers.xarm.codec import HEAD, Frame, Mode, Register
from drivers.xarm.report import Report
from drivers.xarm.virtual.server import REPORTS
from drivers.xarm.virtual.standalone import StandaloneXArm
from embodied.clock import SECOND, Time
from embodied.errors import DeviceLost
from embodied.messages import DeviceStatus, JointState
from embodied.messages.encoding import sealer
from tests.drivers.xarm.bench import PORT, address
from tests.drivers.xarm.client import Client
from tests.embodied.robots import robot
from tests.fuzz.harness import SECONDS_MOST, Kind

PERIOD = 4
"""Time between two steps of the driver, in which a joint can get anywhere in its range [s]."""

seal_state, seal_status = sealer(JointState), sealer(DeviceStatus)


def mended(data: bytes) -> bytes:
    """Return bytes in which every second frame has a length that it can have, and a protocol of the box."""
    changed, at, number = bytearray(data), 0, 0
    while at + HEAD.size < len(changed):
        _, protocol, length = HEAD.unpack_from(changed, at)
        number += 1
        if number % 2 or not 1 <= length <= codec.LONGEST:
            length = 1 + length % min(codec.LONGEST, max(1, len(changed) - at - HEAD.size))
            changed[at + 2 : at + HEAD.size] = struct.pack(">HH", protocol % 4, length)
        at += HEAD.size + length
    return bytes(changed)


class Box:
    """Virtual box with a good client, and a client that sends anything."""

    def __init__(self) -> None:
        self.box = StandaloneXArm(robot("xarm6"), host=address(), port=PORT)
        self.box.open()
        self.good = Client(self.box.host, PORT)
        self.good._channel.settimeout(SECONDS_MOST)
        self.others: dict[int, socket.socket] = {}

    def send(self, port: int, data: bytes) -> None:
        """Send bytes on a connection that is made again where the box has closed it."""
        for _ in range(2):
            if port not in self.others:
                self.others[port] = socket.create_connection((self.box.host, port), SECONDS_MOST)
                self.others[port].setblocking(False)
            try:
                self.others[port].send(data)
                while self.others[port].recv(1 << 16):
                    pass
            except BlockingIOError:
                return
            except OSError:
                pass
            self.others.pop(port).close()

    def arm(self) -> None:
        """Make it ready to move again, whatever was done to it."""
        for register, payload in (
            (Register.CLEAR_ERROR, b""),
            (Register.ENABLE, b"\x08\x01"),
            (Register.SET_STATE, b"\0"),
        ):
            self.good.ask(register, payload)


@cache
def box() -> Box:
    return Box()


def read_client(data: bytes, folder: Path) -> str:
    """Send an input to a port of the box; its joints stay where they can be, and it goes on to answer."""
    one, which = box(), data[:1]
    one.arm()
    if which == b"r":
        one.send(list(REPORTS)[len(data) % len(REPORTS)], data[1:])
    else:
        one.send(PORT, data[1:] if which == b"x" else mended(data[1:]))
    # Its answer comes behind what was sent before.
    assert one.good.ask(Register.GET_STATE).payload[1:] != b""
    for _ in range(2):
        one.box.step()
    assert np.isfinite(one.box.position()).all()
    assert np.isfinite(one.box._box.setpoint).all()
    version = one.good.ask(Register.VERSION).payload[1:]
    assert version.startswith(b"6,"), version
    return ""


def client_examples() -> list[bytes]:
    home = codec.seven(robot("xarm6").limit("home").tolist())
    pose = [300.0, 0.0, 300.0, 3.1, 0.0, 0.0]
    requests = [
        (Register.SET_MODE, bytes([Mode.PLANNED])),
        (Register.SET_STATE, b"\0"),
        (Register.MOVE_JOINT, codec.floats([*home, 0.5, 5.0, 0.0])),
        (Register.MOVE_LINE, codec.floats([*pose, 100.0, 1000.0, 0.0])),
        (Register.MOVE_CIRCLE, codec.floats([*pose, *pose, 100.0, 1000.0, 0.0, 50.0]) + bytes(3)),
        (Register.MOVE_RELATIVE, codec.floats([0.1] * 7 + [0.5, 5.0, 0.0, 0.0]) + b"\1\0\0"),
        (Register.PAUSE, codec.floats([0.5])),
        (Register.INVERSE, codec.floats(pose)),
        (Register.FORWARD, codec.floats(home)),
        (Register.TOOL_OFFSET, codec.floats([0.0, 0.0, 100.0, 0.0, 0.0, 0.0])),
    ]
    streams = [
        (Register.SET_MODE, bytes([Mode.SERVO])),
        (Register.SET_STATE, b"\0"),
        (Register.SERVO_JOINT, codec.floats([*home, 0.0, 0.0, 0.0])),
        (Register.SERVO_LINE, codec.floats([*pose, 0.0, 0.0, 0.0])),
        (Register.SET_MODE, bytes([Mode.JOINT_VELOCITY])),
        (Register.JOINT_VELOCITY, codec.floats([0.1] * 7) + bytes(5)),
        (Register.SET_MODE, bytes([Mode.LINE_VELOCITY])),
        (Register.LINE_VELOCITY, codec.floats([10.0] * 6) + bytes(5)),
        (Register.BUS, bytes.fromhex("09" + "080610001000020400000190")),
        (Register.BOUNDARY, struct.pack("<6i", 900, -900, 900, -900, 900, -900)),
        (Register.FENCE, b"\1"),
        (Register.SET_DIGITAL, b"\1\1"),
        (Register.DIGITAL_AT_PLACE, b"\0\1" + codec.floats([300.0, 0.0, 300.0, 5.0])),
        (Register.RECORD, b"\1"),
        (Register.FEEDBACK, b"\xff"),
    ]

    def packed(group: list[tuple[Register, bytes]]) -> bytes:
        return b"".join(Frame(number, 2, register, payload).pack() for number, (register, payload) in enumerate(group))

    modbus = [bytes([4]) + struct.pack(">HH", 0x40, 9), b"\x0f\0\0\0\x08\1\xff", b"\1\0\0\0\x10"]
    standard = b"".join(Frame(number, 0, 1, payload).pack() for number, payload in enumerate(modbus))
    return [b"f" + packed(requests), b"f" + packed(streams), b"f" + standard, b"r" + bytes(20), b"x" + packed(requests)]


class Lying(Frame):
    """Reply of which the bytes are anything."""

    def pack(self) -> bytes:
        return self.payload


class LyingReport(Report):
    """Report of which the bytes are anything."""

    def pack(self, port: int) -> bytes:
        good = Report.pack(self, port)
        bent = hostile().report[: len(good) - 4]
        return good[:4] + bent + good[4 + len(bent) :]


class Hostile:
    """Driver that is connected to a box which answers what it is given, and then the truth."""

    def __init__(self) -> None:
        self.box = StandaloneXArm(robot("xarm6"), host=address(), port=PORT)
        self.box.open()
        self.reply = self.report = b""
        self.raw = False
        self.driver = XArm(robot("xarm6"), self.box.host, PORT)
        self.driver.open()
        self.driver.identify()
        self.driver.arm()
        self.now = Time(SECOND)
        server: Any = self.box._server
        truth, report = server._answer, server._report

        def answer(request: Frame) -> Frame:
            good = truth(request)
            if not self.reply:
                return good  # type: ignore[no-any-return]
            bent = self.reply if self.raw else Frame(*_head(request), self.reply[: codec.LONGEST]).pack()
            return Lying(*_head(request), bent + good.pack())

        def reported() -> Report:
            made = report()
            names = made.__dataclass_fields__
            return LyingReport(**{name: getattr(made, name) for name in names}) if self.report else made

        server._answer, server._report = answer, reported

    def step(self) -> DeviceStatus:
        self.now = Time(self.now + PERIOD * SECOND)
        self.driver._last_reply = None
        output = self.driver.step(None, self.now)
        seal_status(output.status)
        for numbers in (output.status.temperature, output.status.voltage):
            assert numbers is None or np.isfinite(numbers).all()
        if output.state is not None:
            seal_state(output.state)
            for part in (output.state.position, output.state.velocity, output.state.effort):
                assert part is not None
                assert np.isfinite(part).all()
        if output.gripper is not None:
            assert np.isfinite([output.gripper.width, output.gripper.speed]).all()
        assert output.status.reason.isprintable()
        return output.status


def _head(request: Frame) -> tuple[int, int, int]:
    return request.transaction, request.protocol, request.register


@cache
def hostile() -> Hostile:
    return Hostile()


def read_box(data: bytes, folder: Path) -> str:
    """Step the driver while a box answers an input; what is published is finite, and the truth is believed after."""
    one = hostile()
    one.reply, one.report, one.raw = data[1:], data[1:], data[:1] == b"x"
    if one.raw:
        one.reply = mended(one.reply)[: _whole(mended(one.reply))]
    error = ""
    try:
        one.driver._steps = data[0] % 10 if data else 0
        one.step()
    except DeviceLost as lost:
        error = str(lost)
    one.reply = one.report = b""
    one.driver._steps = 0
    one.step()
    output = one.driver._measured
    assert output is not None
    assert output[0] == one.now, "a good reply after it is not believed"
    return error


def _whole(data: bytes) -> int:
    """Return the length of the whole frames at the beginning of bytes [B]."""
    at = 0
    while at + HEAD.size <= len(data):
        length = HEAD.size + HEAD.unpack_from(data, at)[2]
        if at + length > len(data):
            break
        at += length
    return at


def box_examples() -> list[bytes]:
    joints = b"\0" + codec.floats([0.1] * 21)
    gripper = b"\0" + bytes.fromhex("09080304000001909999")
    report = Report(
        axes=6, kind=6, state=1, mode=1, count=0, error=0, warning=0, position=[0.0] * 6, velocity=[0.0] * 6,
        effort=[0.0] * 6, pose=[0.0] * 6, enabled=True, firmware="2.5.0",
    )  # fmt: skip
    frames = Frame(1, 2, 42, joints).pack() + Frame(2, 2, 13, b"\0\1").pack()
    # The first byte is the step of the driver: after the ninth it reads the gripper.
    short = b"1f\0\1"
    return [
        short,
        b"f" + joints,
        b"f" + gripper,
        b"1" + gripper,
        b"f" + report.pack(30002)[4:],
        b"x" + frames,
        b"f\0\1",
    ]


WORDS = (
    *(b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f", b"\xff\xff\x7f\xff"),
    *(b"\0\0\0\2\0\1", b"\0\0\0\0\0\6", b"\xff\xff", b"\0\2\0\0", b"\x1e", b"\x15", b"\x1b", b"\x53", b"\x7c", b"\xff"),
)

MODULES = ("drivers.xarm",)

BOX = Kind("box", client_examples, WORDS, read_client, MODULES)

BOX_REPLIES = Kind("replies", box_examples, WORDS, read_box, MODULES)
