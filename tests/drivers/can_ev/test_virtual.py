"""python-can and cantools, as they are, drive the virtual unit; nothing of the driver is used here but its DBC."""

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
DBC = cantools.database.load_file(FOLDER / "generic.dbc")


def crc(identifier: int, data: bytes) -> int:
    """CRC-8 SAE J1850, bit by bit, of the identifier and of what follows the checksum."""
    crc = 0xFF
    for byte in (identifier >> 8, identifier & 0xFF, *data[1:]):
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x1D if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


@dataclass
class Client:
    """Somebody's own client of the unit."""

    far: VirtualEV
    bus: Any
    count: int = 0
    seen: dict[str, dict[str, Any]] = field(default_factory=dict)

    def order(self, *, bend: int = 0, count: int | None = None, **signals: Any) -> None:
        self.count += 1
        values = {"Enable": 0, "Clear": 0, "Gear": "D", "Steering": 0, "Speed": 0, "Acceleration": 2, **signals}
        values |= {"Counter": (self.count if count is None else count) % 16, "Checksum": 0}
        message = DBC.get_message_by_name("DriveCommand")
        data = message.encode(values)
        data = bytes([crc(message.frame_id, data) ^ bend]) + data[1:]
        self.bus.send(can.Message(arbitration_id=message.frame_id, data=data, is_extended_id=False))

    def read(self, seconds: float = 0.01) -> None:
        end = time.monotonic() + seconds
        while (message := self.bus.recv(max(0.0, end - time.monotonic()))) is not None:
            assert crc(message.arbitration_id, bytes(message.data)) == message.data[0]
            kind = DBC.get_message_by_frame_id(message.arbitration_id)
            self.seen[kind.name] = DBC.decode_message(message.arbitration_id, message.data)

    def go(self, seconds: float, **signals: Any) -> dict[str, Any]:
        """Order the same every 10 ms; gives what is reported in the end."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.order(**signals)
            self.read()
        return self.seen["StatusReport"] | self.seen["MotionReport"]

    def wait(self, true: Callable[[dict[str, Any]], bool], seconds: float = 3.0, **signals: Any) -> float:
        """Order the same until it reports something; gives after how long [s]."""
        began = time.monotonic()
        while not true(self.go(0.02, **signals)):
            assert time.monotonic() < began + seconds, self.seen
        return time.monotonic() - began

    def silent(self, true: Callable[[dict[str, Any]], bool], seconds: float = 3.0) -> float:
        """Order nothing until it reports something; gives after how long [s]."""
        began = time.monotonic()
        while not ("StatusReport" in self.seen and true(self.seen["StatusReport"] | self.seen["MotionReport"])):
            assert time.monotonic() < began + seconds, self.seen
            self.read(0.005)
        return time.monotonic() - began

    def engage(self) -> None:
        self.go(0.06)
        self.wait(lambda seen: seen["Mode"] == "Autonomous", Enable=1)


@pytest.fixture
def client() -> Iterator[Client]:
    far = VirtualEV()
    with Serving(far, KinematicRoad()):
        bus = can.Bus(interface="slcan", channel=far.address, bitrate=500_000, sleep_after_open=0)
        try:
            yield Client(far, bus)
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
    assert client.far.received()[-1].speed == pytest.approx(1.0)
    assert client.far.position()[0] > 0.1
    wheels = client.seen["WheelReport"]
    assert wheels["FrontLeft"] < wheels["FrontRight"], "in a left bend the right wheels have the longer way"


def test_without_an_edge_it_does_not_take_over(client: Client) -> None:
    client.order(Enable=1)
    assert client.go(0.2, Enable=1)["Mode"] == "Manual"


def test_it_does_not_take_over_at_once_with_speed(client: Client) -> None:
    client.go(0.06)
    assert client.go(0.2, Enable=1, Speed=1.0)["Mode"] == "Manual"
    assert client.far.position()[0] == 0.0


def drive(client: Client) -> None:
    client.engage()
    client.wait(lambda seen: seen["Speed"] > 0.8, Enable=1, Speed=1.0)


def test_orders_that_stay_out_end_in_a_controlled_stop_that_is_latched(client: Client) -> None:
    drive(client)
    assert client.silent(lambda seen: seen["Mode"] != "Autonomous") > 0.08
    client.silent(lambda seen: seen["Mode"] == "Manual")
    seen = client.go(0.1, Enable=1, Speed=1.0)
    assert (seen["Mode"], seen["Speed"], seen["CommandTimeout"]) == ("Manual", 0.0, 1)
    client.go(0.1)
    assert client.go(0.2, Enable=1)["Mode"] == "Manual", "the time-out is latched"
    client.wait(lambda seen: seen["CommandTimeout"] == 0, Clear=1)
    client.engage()


def test_bent_repeated_and_stale_orders_are_not_obeyed_and_end_the_ride(client: Client) -> None:
    for bend, behind in ((1, 0), (0, 0), (0, 5)):
        drive(client)
        seen = client.go(0.25, Enable=1, Speed=1.5, bend=bend, count=None if bend else client.count - behind)
        assert seen["Mode"] != "Autonomous"
        assert seen["CommandInvalid"] == 1
        assert seen["Rejected"] > 3
        assert all(heard.speed < 1.1 for heard in client.far.received())
        client.wait(lambda seen: seen["Mode"] == "Manual" and seen["CommandInvalid"] == 0, Clear=1)


def test_one_bent_order_among_good_ones_is_dropped_and_the_ride_goes_on(client: Client) -> None:
    drive(client)
    before = client.seen["StatusReport"]["Rejected"]
    client.order(bend=8, Enable=1, Speed=1.5)
    seen = client.go(0.1, Enable=1, Speed=1.0)
    assert (seen["Mode"], seen["Rejected"]) == ("Autonomous", before + 1)


def test_a_person_who_takes_over_has_the_vehicle_until_it_is_cleared(client: Client) -> None:
    drive(client)
    client.far.inject("driver override")
    client.wait(lambda seen: seen["Mode"] == "Manual" and seen["Overridden"] == 1, Enable=1, Speed=1.0)
    client.wait(lambda seen: seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    assert client.seen["PersonReport"]["Brake"] == 0.5
    assert client.go(0.1, Clear=1)["Overridden"] == 1, "the person is still there"
    client.far.clear_faults()
    client.go(0.1)
    seen = client.go(0.2, Enable=1)
    assert (seen["Mode"], seen["Overridden"]) == ("Manual", 1), "latched until it is cleared"
    client.wait(lambda seen: seen["Overridden"] == 0, Clear=1)
    client.engage()


@pytest.mark.parametrize(
    ("harm", "signal"),
    [("steering fault", "SteeringFault"), ("drive fault", "DriveFault"), ("low battery", "LowBattery")],
)
def test_a_fault_ends_in_a_controlled_stop_with_its_name(client: Client, harm: str, signal: str) -> None:
    drive(client)
    client.far.inject(harm)
    client.wait(lambda seen: seen[signal] == 1 and seen["Mode"] == "Stopping", Enable=1, Speed=1.0)
    client.wait(lambda seen: seen["Mode"] == "Manual" and seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    assert client.far.stopped()


def test_the_emergency_stop_stops_and_its_release_lets_nothing_move(client: Client) -> None:
    drive(client)
    client.far.press_stop()
    client.wait(lambda seen: seen["EmergencyStop"] == 1 and seen["Speed"] == 0.0, Enable=1, Speed=1.0)
    client.far.release_stop()
    at = client.far.position()[0]
    assert client.go(0.3, Enable=1, Speed=1.0)["Mode"] == "Manual"
    assert client.far.position()[0] == at


def test_there_is_no_reverse_behind_it(client: Client) -> None:
    client.engage()
    seen = client.go(0.3, Enable=1, Gear="R", Speed=-0.5)
    assert (seen["Gear"], seen["Speed"]) == ("D", 0.0)


def test_an_adapter_says_its_version_and_refuses_what_it_does_not_know(client: Client) -> None:
    assert client.bus.get_version(1.0) == (10, 13)
    assert client.bus.get_serial_number(1.0) == "VIRT"


def test_a_bus_of_another_speed_is_not_heard() -> None:
    far = VirtualEV()
    with Serving(far, KinematicRoad()):
        bus = can.Bus(interface="slcan", channel=far.address, bitrate=250_000, sleep_after_open=0)
        client = Client(far, bus)
        for _ in range(20):
            client.order(Enable=1)
            client.read()
        assert not client.seen
        assert not far.received()
        bus.shutdown()


def test_a_tesla_tells_what_its_dbc_has_with_its_sums() -> None:
    dbc = cantools.database.load_file(TESLA.dbc)
    far = VirtualEV(vehicle="tesla")
    seen = set()
    with Serving(far, KinematicRoad()):
        bus = slcanBus(far.address, bitrate=500_000, sleep_after_open=0)
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            message = bus.recv(0.05)
            if message is None or message.arbitration_id == 2032:
                continue
            kind = dbc.get_message_by_frame_id(message.arbitration_id)
            signals = dbc.decode_message(message.arbitration_id, message.data)
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


def test_the_bench_is_proven_and_its_unit_is_where_it_is_looked_for() -> None:
    unit = load(FOLDER / "bench.yaml").graph("virtual").check().nodes["unit"].node
    assert isinstance(unit, VirtualEV)
    assert unit.link.endswith("embodied-can_ev")
