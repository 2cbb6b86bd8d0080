"""Fuzzers of MAVLink: what an autopilot sends to the driver, and what clients send to the virtual PX4.

Every second frame of an input gets the checksum, the sender and the sequence number that it needs to be believed.
"""

from __future__ import annotations

import math
import os
import socket
import time
from collections.abc import Callable, Iterator
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec, identity
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.framing import START_V2, FrameParser
from drivers.mavlink.mission import Item
from drivers.mavlink.session import Session
from drivers.mavlink.transport import UdpTransport
from drivers.mavlink.vehicle import Vehicle
from drivers.mavlink.virtual.aircraft import Aircraft
from embodied.bodies import WORLD
from embodied.clock import SECOND, Time
from embodied.messages import Battery, DroneState
from embodied.messages.encoding import sealer
from tests.drivers.multirotor import Sky
from tests.fuzz.harness import SECONDS_MOST, Kind

HEAD = 10
"""Length of the head of a frame of MAVLink 2 [B]."""

SYSTEM = 1
"""Id of the vehicle."""

CLIENT = 255
"""Id of a client of the virtual PX4."""

GOOD = 14
"""Number of frames in order after which a sender is believed, whatever came before, with some to spare."""

BURST = 40
"""Number of datagrams after which the receiver gets time."""

seal_state, seal_battery = sealer(DroneState), sealer(Battery)
numbers = count()

stamps = [0]
"""Newest time in a good sample [ms]."""


def pieces(data: bytes, system: int) -> Iterator[bytes]:
    """Yield an input as datagrams: what begins as a frame is one, every second of them with a right checksum."""
    at = number = 0
    while at < len(data):
        start = data.find(START_V2, at)
        if start < 0 or start + HEAD > len(data):
            yield data[at : at + 1400]
            return
        if start > at:
            yield data[at : min(start, at + 1400)]
        number += 1
        end = start + HEAD + data[start + 1]
        frame = data[start : end + 2]
        yield mended(data[start:end].ljust(end - start, b"\0"), system) if number % 2 else frame
        at = end + 2


def mended(frame: bytes, system: int) -> bytes:
    """Return a frame without its checksum as the next one of a sender that means it."""
    body = bytes([frame[1], 0, 0, next(numbers) % 256, system, 1]) + frame[7:]
    kind = common.mavlink_map.get(int.from_bytes(frame[7:10], "little"))
    checksum = common.x25crc(body + bytes([kind.crc_extra if kind else 0])).crc
    return bytes([START_V2]) + body + int(checksum).to_bytes(2, "little")


def packed(message: Any, system: int) -> bytes:
    """Return the frame of a message, in order behind all before."""
    packer = common.MAVLink(None, system, 1)
    packer.seq = next(numbers) % 256
    return bytes(message.pack(packer))


@cache
def driver_end() -> tuple[Vehicle, socket.socket]:
    transport = UdpTransport(("127.0.0.1", 0), system=SYSTEM)
    far = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    far.bind(("127.0.0.1", 0))
    far.connect(transport._socket.getsockname())
    far.setblocking(False)
    far.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    return Vehicle(Session(transport, SYSTEM, 245), WORLD), far


def read_autopilot(data: bytes, folder: Path) -> str:
    """Receive what an autopilot sends; what is published is finite, and a good state after it is published."""
    vehicle, far = driver_end()
    for number, piece in enumerate(pieces(data, SYSTEM)):
        far.send(piece)
        if number % BURST == BURST - 1:
            _receive(vehicle)
    _receive(vehicle)
    for number in range(GOOD):
        # Each is later than all before, and none is ahead of the time.
        stamps.append(max(stamps.pop(), time.monotonic_ns() // 1_000_000) + 1 - min(number % 4, 1))
        far.send(packed(_state_part(number, stamps[0] % 2**31), SYSTEM))
    state = _receive(vehicle)
    assert state is not None, "a good state after it is not published"
    assert np.allclose(state.position, (2.0, 1.0, 3.0)), state
    _drain(far)
    return ""


def _state_part(number: int, stamp: int) -> Any:
    match number % 4:
        case 0:
            return common.MAVLink_heartbeat_message(2, 12, 0x81, 6 << 16, 4, 3)
        case 1:
            return common.MAVLink_extended_sys_state_message(0, common.MAV_LANDED_STATE_IN_AIR)
        case 2:
            return common.MAVLink_local_position_ned_message(stamp, 1.0, 2.0, -3.0, 0.0, 0.0, 0.0)
        case _:
            return common.MAVLink_attitude_quaternion_message(stamp, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)


def _receive(vehicle: Vehicle) -> DroneState | None:
    """Process what has come, as the driver does in a step; return the state that it publishes."""
    messages = vehicle.session.poll()
    now = Time(time.monotonic_ns())
    state, battery = vehicle.state(now), vehicle.battery(now)
    if state is not None:
        seal_state(state)
        parts = (state.position, state.orientation, state.linear_velocity, state.angular_velocity)
        assert all(np.isfinite(part).all() for part in parts), state
    if battery is not None:
        seal_battery(battery)
        numbers_ = (battery.voltage, battery.charge, 0.0 if battery.current is None else battery.current)
        assert all(map(math.isfinite, numbers_)), battery
        assert 0.0 <= battery.charge <= 1.0, battery
    assert not math.isnan(vehicle.speed)
    assert vehicle.position is None or np.isfinite(vehicle.position).all()
    assert vehicle.mode_name.isprintable()
    assert vehicle.reason(0.0).isprintable(), vehicle.reason(0.0)
    for message in messages:
        match message.get_type():
            case "AUTOPILOT_VERSION":
                heartbeat = vehicle.session.newest.get("HEARTBEAT", (None, 0.0))[0]
                if heartbeat is not None:
                    assert str(identity.decode(heartbeat, message)).isprintable()
            case "PARAM_VALUE":
                try:
                    assert math.isfinite(codec.decode_value(message.param_value, message.param_type))
                except ValueError as error:
                    assert "finite" in str(error)
            case "MISSION_ITEM_INT":
                item = Item.from_message(message)
                assert item.matches(item)
    return state


def _drain(far: socket.socket) -> None:
    try:
        while far.recv(65536):
            pass
    except BlockingIOError:
        pass


def autopilot_examples() -> list[bytes]:
    stamp = 5000
    text = b"Preflight Fail: no GNSS".ljust(50, b"\0")
    first = [
        common.MAVLink_statustext_message(4, text),
        common.MAVLink_battery_status_message(0, 1, 1, 2500, [4000] * 10, 1000, -1, -1, 80),
        common.MAVLink_param_value_message(b"MPC_XY_VEL_MAX", 5.0, 9, 10, 3),
        common.MAVLink_timesync_message(5, 7),
        common.MAVLink_autopilot_version_message(0, 1, 0, 0, 0, [0] * 8, [0] * 8, [0] * 8, 1, 2, 3, [9] * 18),
        common.MAVLink_command_ack_message(400, 0),
        common.MAVLink_mission_item_int_message(1, 1, 0, 3, 16, 0, 1, 0.0, 0.0, 0.0, math.nan, 5, 6, 7.0, 0),
    ]
    return [
        b"".join(packed(message, SYSTEM) for message in first),
        b"".join(packed(_state_part(number, stamp + number), SYSTEM) for number in range(8)),
    ]


class Pilot:
    """Good client of a virtual PX4, and the socket from which others send too."""

    def __init__(self) -> None:
        self.sky = Sky()
        self.sky.reset(0)
        self.aircraft = Aircraft(self.sky.body, 1 / 150, SYSTEM, Origin(47.4, 8.5, 488.0), {})
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        self._socket.bind(("127.0.0.1", 0))
        self.aircraft.radio.open(0, self._socket.getsockname()[1])
        transport: Any = self.aircraft.radio._transport
        self._address = transport._socket.getsockname()
        self._parser = FrameParser()
        self.steps = 0

    def send(self, data: bytes) -> None:
        self._socket.sendto(data, self._address)

    def expect(self, matches: Callable[[Any], bool]) -> bool:
        """Return whether a message comes in time, and drop what comes before it."""
        self._socket.settimeout(SECONDS_MOST / 10)
        try:
            while True:
                for message in self._parser.feed(self._socket.recv(65536), datagram=True):
                    if matches(message):
                        return True
        except TimeoutError:
            return False

    def serves(self) -> bool:
        """Return whether the virtual PX4 answers a ping."""
        for _ in range(8):
            number = next(numbers) % 2**32
            self.send(packed(common.MAVLink_ping_message(5, number, 0, 0), CLIENT))
            if self.expect(lambda m, n=number: m.get_type() == "PING" and m.seq == n):  # type: ignore[misc]
                return True
        return False

    def step(self) -> None:
        self.steps += 1
        now = Time(self.steps * SECOND // 150)
        self.sky.advance(now)
        self.aircraft.step(now)
        assert np.isfinite(self.sky.body.position).all()
        assert np.isfinite(self.sky.body.commanded).all()


@cache
def pilot() -> Pilot:
    return Pilot()


def read_client(data: bytes, folder: Path) -> str:
    """Send an input to the virtual PX4 in flight; its numbers stay finite, and it goes on to answer."""
    one = pilot()
    with one.aircraft.lock:
        autopilot = one.aircraft.autopilot
        if one.steps % 20 == 0:
            # It is in the air again, whatever was done to it.
            autopilot.armed, autopilot.landed, autopilot.home = True, False, np.zeros(3)
    for number, piece in enumerate(pieces(data, CLIENT)):
        one.send(piece)
        if number % BURST == BURST - 1:
            assert one.serves(), "a good client is not answered"
    one.step()
    one.step()
    assert one.serves(), "a good client is not answered"
    return ""


def client_examples() -> list[bytes]:
    one, target = (0.0,) * 7, (SYSTEM, 1)
    long = common.MAVLink_command_long_message
    orders = [
        long(*target, common.MAV_CMD_COMPONENT_ARM_DISARM, 0, 1.0, *one[1:]),
        long(*target, common.MAV_CMD_NAV_TAKEOFF, 0, *one[:6], 490.0),
        long(*target, common.MAV_CMD_DO_REPOSITION, 0, -1.0, 1.0, 0.0, math.nan, 47.4, 8.5, 495.0),
        long(*target, common.MAV_CMD_DO_ORBIT, 0, 5.0, 1.0, 0.0, 0.0, 47.4, 8.5, 495.0),
        long(*target, common.MAV_CMD_REQUEST_MESSAGE, 0, 242.0, *one[1:]),
        common.MAVLink_set_position_target_local_ned_message(
            0, *target, 1, 0xC07, *(1.0, 2.0, -3.0), *(0.5, 0.0, 0.0), *one[:3], 0.5, 0.1
        ),
        common.MAVLink_set_attitude_target_message(0, *target, 7, [1.0, 0.0, 0.0, 0.0], 0.0, 0.0, 0.0, 0.5),
        common.MAVLink_manual_control_message(SYSTEM, 100, -100, 500, 0, 0),
    ]
    items = [(22, 3.0), (16, 5.0), (21, 0.0)]
    plan = [
        common.MAVLink_mission_count_message(*target, len(items), 0),
        *(
            common.MAVLink_mission_item_int_message(
                *target, n, 6, command, 0, 1, *one[:3], math.nan, 474000000, 85000000, z, 0
            )
            for n, (command, z) in enumerate(items)
        ),
        common.MAVLink_mission_request_list_message(*target, 0),
        common.MAVLink_mission_request_int_message(*target, 1, 0),
    ]
    listing = os.fsencode("/").ljust(239, b"\0")
    services = [
        common.MAVLink_param_set_message(*target, b"MPC_XY_VEL_MAX", 7.0, 9),
        common.MAVLink_param_request_read_message(*target, b"MPC_THR_HOVER", -1),
        common.MAVLink_serial_control_message(10, 2, 0, 0, 4, [*b"ver\n", *[0] * 66]),
        common.MAVLink_file_transfer_protocol_message(0, *target, b"\1\0\0\3\1\0\0\0\0\0\0\0" + listing),
        common.MAVLink_timesync_message(0, 5),
        common.MAVLink_follow_target_message(
            5, 3, 474000000, 85000000, 495.0, *[[0.0] * 3] * 2, *[[1.0] * 4], [0.0] * 3, [0.0] * 3, 0
        ),
    ]
    return [b"".join(packed(message, CLIENT) for message in group) for group in (orders, plan, services)]


WORDS = (
    *(b"\x00\x00\xc0\x7f", b"\x00\x00\x80\x7f", b"\x00\x00\x80\xff", b"\xff\xff\x7f\x7f", b"\xff" * 8, b"\x00" * 8),
    *(bytes([START_V2, 9, 0, 0, 0, 1, 1]), b"\xfe\x09", b"\x4c\x00\x00", b"\x4b\x00\x00", b"\x54\x00\x00"),
    *(b"\x1e\x00\x00", b"\x20\x00\x00", b"\x93\x00\x00", b"\x16\x00\x00", b"\x6f\x00\x00", b"\x49\x00\x00"),
    *(b"\xc0\x00", b"\x90\x01", b"\xb0\x00", b"\x1b[2J", b"\xc3\x28"),
)

MODULES = ("drivers.mavlink",)

AUTOPILOT = Kind("autopilot", autopilot_examples, WORDS, read_autopilot, MODULES)

PX4 = Kind("px4", client_examples, WORDS, read_client, MODULES)
