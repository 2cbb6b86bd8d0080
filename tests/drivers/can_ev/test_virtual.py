"""Unmodified python-can and cantools drive the virtual unit; nothing of the driver is used here but its DBC."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import can
import cantools
import pytest
from can.interfaces.slcan import slcanBus

from drivers.can_ev.tesla import TESLA
from drivers.can_ev.virtual import VirtualEV
from embodied.errors import LinkFailed
from embodied.launch import load
from embodied.testing.serving import Serving
from tests.drivers.kinematic import KinematicRoad

FOLDER = Path(__file__).parents[3] / "drivers" / "can_ev"
DBC: Any = cantools.database.load_file(FOLDER / "generic.dbc")


def crc(identifier: int, data: bytes) -> int:
    """Return the CRC-8 SAE J1850, bit by bit, of the identifier and of what follows the checksum."""
    crc = 0xFF
    for byte in (identifier >> 8, identifier & 0xFF, *data[1:]):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


@dataclass
class Client:
    """Independent client of the unit.

    Attributes:
        virtual: unit that it drives.
        bus: bus of python-can.
        count: number of commands that were sent.
        seen: newest signals by message.
    """

    virtual: VirtualEV
    bus: Any
    count: int = 0
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    def send(self, *, flip: int = 0, count: int | None = None, **signals: Any) -> None:
        self.count += 1
        values = {"Enable": 0, "Clear": 0, "Gear": "D", "Steering": 0, "Speed": 0, "Acceleration": 2, **signals}
        values |= {"Counter": (self.count if count is None else count) % 16, "Checksum": 0}
        message = DBC.get_message_by_name("DriveCommand")
        data = message.encode(values)
        data = bytes([crc(message.frame_id, data) ^ flip]) + data[1:]
        self.bus.send(can.Message(arbitration_id=message.frame_id, data=data, is_extended_id=False))

    def read(self, seconds: float = 0.01) -> None:
        end = time.monotonic() + seconds
        while (message := self.bus.recv(max(0.0, end - time.monotonic()))) is not None:
            assert crc(message.arbitration_id, bytes(message.data)) == message.data[0]
            kind = DBC.get_message_by_frame_id(message.arbitration_id)
            self.seen[kind.name] = DBC.decode_message(message.arbitration_id, message.data)

    def go(self, seconds: float, **signals: Any) -> dict[str, Any]:
        """Send the same command every 10 ms, and return what is reported in the end."""
        end = time.monotonic() + seconds
        # The first reports of a unit on a busy machine may come later than that.
        while (now := time.monotonic()) < end or (
            not {"StatusReport", "MotionReport"} <= self.seen.keys() and now < end + 2.0
        ):
            self.send(**signals)
            self.read()
        return self.seen["StatusReport"] | self.seen["MotionReport"]

    def wait(self, condition: Callable[[dict[str, Any]], bool], seconds: float = 3.0, **signals: Any) -> float:
        """Send the same command until a report satisfies a condition; return how long it took [s]."""
        began = time.monotonic()
        while not condition(self.go(0.02, **signals)):
            assert time.monotonic() < began + seconds, self.seen
        return time.monotonic() - began

    def silent(self, condition: Callable[[dict[str, Any]], bool], seconds: float = 3.0) -> float:
        """Send nothing until a report satisfies a condition; return how long it took [s]."""
        began = time.monotonic()
        while not ("StatusReport" in self.seen and condition(self.seen["StatusReport"] | self.seen["MotionReport"])):
            assert time.monotonic() < began + seconds, self.seen
            self.read(0.005)
        return time.monotonic() - began

    def engage(self) -> None:
        self.go(0.06)
        self.wait(lambda seen: seen["Mode"] == "Autonomous", Enable=1)


@pytest.fixture
def client() -> Iterator[Client]:
    virtual = VirtualEV()
    with Serving(virtual, KinematicRoad()):
        bus = can.Bus(interface="slcan", channel=virtual.address, bitrate=500_000, sleep_after_open=0)
        try:
            yield Client(virtual, bus)
        finally:
            bus.shutdown()


def test_every_frame_on_the_bus_is_one_of_the_dbc_and_all_of_them_come(client: Client) -> None:
    client.go(0.4)
    assert set(client.seen) == {message.name for message in DBC.messages if "Unit" in message.senders}
    assert client.seen["BatteryReport"]["Charge"] == 0.9


def test_it_takes_over_on_a_rising_edge_and_follows_speed_and_angle(client: Client) -> None:
    assert client.go(0.1)["Mode"] == "Manual"
    client.engage()
    client.wait(lambda seen: abs(seen["Speed"] - 1.0) < 0.02, Enable=1, Speed=1.0, Steering=0.2)
    seen = client.go(0.1, Enable=1, Speed=1.0, Steering=0.2)
    assert (seen["Gear"], round(float(seen["Steering"]), 3)) == ("D", 0.2)
    command: Any = client.virtual.received()[-1]
    assert command.speed == pytest.approx(1.0)
    assert client.virtual.position()[0] > 0.1
    wheels = client.seen["WheelReport"]
    assert wheels["FrontLeft"] < wheels["FrontRight"], "in a left bend the right wheels have the longer way"


def test_without_an_edge_it_does_not_take_over(client: Client) -> None:
    client.send(Enable=1)
    assert client.go(0.2, Enable=1)["Mode"] == "Manual"


def test_it_does_not_take_over_at_once_with_speed(client: Client) -> None:
    client.go(0.06)
    assert client.go(0.2, Enable=1, Speed=1.0)["Mode"] == "Manual"
    assert client.virtual.position()[0] == 0.0


def drive(client: Client) -> None:
    client.engage()
    client.wait(lambda seen: seen["Speed"] > 0.8, Enable=1, Speed=1.0)


def test_commands_that_cease_end_in_a_controlled_stop_that_is_latched(client: Client) -> None:
    drive(client)
    assert client.silent(lambda seen: seen["Mode"] != "Autonomous") > 0.08
    client.silent(lambda seen: seen["Mode"] == "Manual")
    seen = client.go(0.1, Enable=1, Speed=1.0)
    assert (seen["Mode"], seen["Speed"], seen["CommandTimeout"]) == ("Manual", 0.0, 1)
    client.go(0.1)
    assert client.go(0.2, Enable=1)["Mode"] == "Manual", "the time-out is latched"
    client.wait(lambda seen: seen["CommandTimeout"] == 0, Clear=1)
    client.engage()


def test_damaged_repeated_and_stale_commands_are_not_followed_and_end_the_ride(client: Client) -> None:
    for flip, behind in ((1, 0), (0, 0), (0, 5)):
        drive(client)
        seen = client.go(0.25, Enable=1, Speed=1.5, flip=flip, count=None if flip else client.count - behind)
        assert seen["Mode"] != "Autonomous"
        assert seen["CommandInvalid"] == 1
        assert seen["Rejected"] > 3
        received: Any = client.virtual.received()
        assert all(command.speed < 1.1 for command in received)
        client.wait(lambda seen: seen["Mode"] == "Manual" and seen["CommandInvalid"] == 0, Clear=1)


def test_one_damaged_command_among_good_ones_is_dropped_and_the_ride_goes_on(client: Client) -> None:
    drive(client)
    before = client.seen["StatusReport"]["Rejected"]
    client.send(flip=8, Enable=1, Speed=1.5)
    seen = client.go(0.1, Enable=1, Speed=1.0)
    assert (seen["Mode"], seen["Rejected"]) == ("Autonomous", before + 1)


def test_a_person_who_takes_over_has_the_vehicle_until_it_is_cleared(client: Client) -> None:
    drive(client)
    client.virtual.inject("driver override")
    client.wait(lambda seen: seen["Mode"] == "Manual" and seen["Overridden"] == 1, Enable=1, Speed=1.0)
    client.wait(lambda seen: seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    assert client.seen["PersonReport"]["Brake"] == 0.5
    assert client.go(0.1, Clear=1)["Overridden"] == 1, "the person is still there"
    client.virtual.clear_faults()
    client.go(0.1)
    seen = client.go(0.2, Enable=1)
    assert (seen["Mode"], seen["Overridden"]) == ("Manual", 1), "latched until it is cleared"
    client.wait(lambda seen: seen["Overridden"] == 0, Clear=1)
    client.engage()


@pytest.mark.parametrize(
    ("fault", "signal"),
    [("steering fault", "SteeringFault"), ("drive fault", "DriveFault"), ("low battery", "LowBattery")],
)
def test_a_fault_ends_in_a_controlled_stop_with_its_name(client: Client, fault: str, signal: str) -> None:
    drive(client)
    client.virtual.inject(fault)
    client.wait(lambda seen: seen[signal] == 1 and seen["Mode"] == "Stopping", Enable=1, Speed=1.0)
    client.wait(lambda seen: seen["Mode"] == "Manual" and seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    assert client.virtual.stopped()


def test_the_emergency_stop_stops_and_its_release_lets_nothing_move(client: Client) -> None:
    drive(client)
    client.virtual.press_stop()
    client.wait(lambda seen: seen["EmergencyStop"] == 1 and seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    client.virtual.release_stop()
    at = client.virtual.position()[0]
    assert client.go(0.3, Enable=1, Speed=1.0)["Mode"] == "Manual"
    assert client.virtual.position()[0] == at


def test_there_is_no_reverse_behind_it(client: Client) -> None:
    client.engage()
    seen = client.go(0.3, Enable=1, Gear="R", Speed=-0.5)
    assert (seen["Gear"], seen["Speed"]) == ("D", 0.0)


def test_an_adapter_reports_its_version_and_serial_number(client: Client) -> None:
    assert client.bus.get_version(1.0) == (10, 13)
    assert client.bus.get_serial_number(1.0) == "VIRT"


def test_nothing_is_received_at_another_bit_rate() -> None:
    virtual = VirtualEV()
    with Serving(virtual, KinematicRoad()):
        bus = can.Bus(interface="slcan", channel=virtual.address, bitrate=250_000, sleep_after_open=0)
        client = Client(virtual, bus)
        for _ in range(20):
            client.send(Enable=1)
            client.read()
        assert not client.seen
        assert not virtual.received()
        bus.shutdown()


def test_a_tesla_reports_the_messages_of_its_dbc_with_their_checksums() -> None:
    dbc: Any = cantools.database.load_file(TESLA.dbc)
    virtual = VirtualEV(vehicle="tesla")
    seen = set()
    with Serving(virtual, KinematicRoad()):
        bus = slcanBus(virtual.address, bitrate=500_000, sleep_after_open=0)
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            message = bus.recv(0.05)
            if message is None or message.arbitration_id == 2032:
                continue
            kind = dbc.get_message_by_frame_id(message.arbitration_id)
            signals = dbc.decode_message(message.arbitration_id, bytes(message.data))
            (checksum,) = (name for name in signals if name.endswith("hecksum"))
            place = kind.get_signal_by_name(checksum).start // 8
            rest = sum(message.data) - message.data[place]
            assert (message.arbitration_id // 256 + message.arbitration_id % 256 + rest) % 256 == signals[checksum]
            seen.add(kind.name)
        bus.shutdown()
    assert seen == {"EPAS3S_sysStatus", "DI_speed", "DI_systemStatus", "DI_state"}


def test_a_link_leads_to_its_port_and_another_unit_is_not_put_over_it(tmp_path: Path) -> None:
    link = tmp_path / "car"
    with Serving(VirtualEV(link=str(link)), KinematicRoad()):
        assert link.is_char_device()
        with (
            pytest.raises(LinkFailed, match="choose another link"),
            Serving(VirtualEV(link=str(link)), KinematicRoad()),
        ):
            pass
    assert not link.is_symlink()


def test_a_unit_of_no_known_vehicle_or_with_too_long_a_name_is_refused() -> None:
    (unknown,) = VirtualEV(vehicle="teslla").check()
    assert "did you mean 'tesla'?" in unknown
    (long,) = VirtualEV(serial="A" * 19).check()
    assert "1 to 18" in long


def test_the_launch_file_of_the_bench_is_valid_and_names_the_link() -> None:
    unit = load(FOLDER / "bench.yaml").graph("virtual").check().nodes["unit"].node
    assert isinstance(unit, VirtualEV)
    assert unit.link.endswith("embodied-can_ev")
