"""Driver of a CAN vehicle beyond the contract: it engages by an edge, lets go on faults, and refuses wrong settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers.can_ev import CanEV
from drivers.can_ev.command_check import Limits, refusal
from drivers.can_ev.tesla import TESLA
from drivers.can_ev.vehicle import GEARS
from embodied.clock import SECOND
from embodied.errors import DeviceLost, NoDevice, NotStopped
from embodied.messages import Battery, VehicleCommand, VehicleState
from embodied.testing.serving import Drive, pause
from tests.drivers.can_ev.bench import CanEVBench


@contextmanager
def driving(vehicle: str = "generic", **changes: Any) -> Iterator[tuple[CanEVBench, Drive]]:
    """Bring a vehicle into the middle of its motion."""
    bench = CanEVBench(vehicle)
    with bench.judged(), bench.served(), bench.ready(**changes) as drive:
        drive.go(0.7, bench.motion)
        assert drive.applied is not None, drive.status
        yield bench, drive


EITHER = pytest.mark.parametrize("vehicle", ["generic", "tesla"])
"""Either vehicle. A fixture that drives would not do: what a test says of a machine too slow is not seen there."""


def let_go(bench: CanEVBench, drive: Drive, within: float = 0.5) -> str:
    """Command on until nothing is applied any more, and return the reason."""
    end = drive.now + within * SECOND
    while drive.now < end and drive.applied is not None:
        drive.go(0.02, bench.motion)
    assert drive.applied is None, drive.status
    assert drive.status is not None
    return drive.status.reason


def stood(bench: CanEVBench, drive: Drive) -> bool:
    drive.go(drive.driver.stops_within, bench.motion)
    at = bench.position()[0]
    drive.go(0.2, bench.motion)
    return bool(bench.position()[0] == at)


@EITHER
def test_either_vehicle_goes_where_it_is_commanded_and_reports_it(vehicle: str) -> None:
    with driving(vehicle) as (bench, drive):
        drive.go(1.0, lambda _: VehicleCommand(speed=1.0, steering=0.3))
        state = drive.newest(VehicleState)
        assert bench.world is not None
        true = bench.world.body.read()  # type: ignore[attr-defined]
        assert state.speed == pytest.approx(1.0, abs=0.05)
        assert state.speed == pytest.approx(true.speed, abs=0.05)
        assert state.steering == pytest.approx(0.3, abs=2e-3)
        assert (state.engaged, state.overridden, state.faults, state.gear) == (True, False, (), "D")
        assert drive.status is not None
        assert drive.status.state == "moving"


def test_one_that_takes_over_leaves_a_parked_vehicle_in_park() -> None:
    bench = CanEVBench()
    with bench.judged(), bench.served(), bench.ready() as drive:
        drive.go(0.5)
        state = drive.newest(VehicleState)
        assert (state.engaged, state.gear) == (True, "P")
        drive.go(0.5, bench.motion)
        assert drive.newest(VehicleState).gear == "D"


def test_no_command_is_sent_before_the_unit_follows_and_its_edge_comes_at_rest() -> None:
    bench = CanEVBench()
    with bench.judged(), bench.served(), bench.ready() as drive:
        drive.go(0.5, bench.motion)
        received: Any = bench.received()
        outputs: list[dict[str, Any]] = [dict(step) for step in drive.outputs]
        first = next(n for n, step in enumerate(outputs) if "applied" in step)
        assert received[0].speed == 0.0
        assert not any(step["state"].engaged for step in outputs[: first - 1] if "state" in step)
        assert sum(command.speed == 0.0 for command in received) < 20, "and it takes over soon"


def test_it_engages_however_long_ago_it_was_armed() -> None:
    bench = CanEVBench()
    with bench.judged(), bench.served(), bench.ready() as drive:
        pause(0.4)
        drive.go(0.5, bench.motion)
        assert drive.applied is not None, drive.status


def test_the_battery_is_reported_as_often_as_the_bus_has_it() -> None:
    with driving() as (_, drive):
        battery = drive.newest(Battery)
        assert 0.85 < battery.charge < 0.95
        assert battery.current < 0
        reports = sum("battery" in step for step in drive.outputs)
        assert 4 <= reports <= 9, "ten times a second, for 0.7 s"


@EITHER
def test_a_person_who_takes_over_keeps_the_vehicle_until_it_is_armed_again(vehicle: str) -> None:
    with driving(vehicle) as (bench, drive):
        bench.virtual.inject("driver override")
        assert "driver override" in let_go(bench, drive)
        drive.go(0.05, bench.motion)
        assert drive.newest(VehicleState).overridden
        with pytest.raises(NotStopped, match="a person has taken over"):
            drive.driver.arm()
        bench.virtual.clear_faults()
        assert stood(bench, drive)
        assert drive.applied is None, "latched"
        drive.driver.arm()
        drive.go(0.5, bench.motion)
        assert drive.applied is not None


@EITHER
def test_a_fault_ends_the_ride_and_is_reported_by_name(vehicle: str) -> None:
    with driving(vehicle) as (bench, drive):
        bench.virtual.inject("steering fault")
        assert "steering fault" in let_go(bench, drive)
        drive.go(0.05, bench.motion)
        assert drive.status is not None
        assert drive.status.state == "fault"
        assert "steering fault" in drive.newest(VehicleState).faults
        assert stood(bench, drive)


def test_a_low_battery_ends_the_ride() -> None:
    with driving() as (bench, drive):
        bench.virtual.inject("low battery")
        assert "low battery" in let_go(bench, drive)
        assert stood(bench, drive)


@pytest.mark.parametrize("harm", ["stuck counter", "bad checksum"])
def test_stale_or_damaged_reports_end_the_ride_and_the_vehicle_is_lost_in_time(harm: str) -> None:
    with driving() as (bench, drive):
        count = len(drive.outputs)
        bench.virtual.inject(harm)
        with pytest.raises(DeviceLost, match="nothing whole"):
            drive.go(2.0, bench.motion)
        after = drive.outputs[count:]
        assert len(after) < 60, "within half a second, where 0.3 s are stated"
        assert "cannot be trusted" in after[-1]["status"].reason  # type: ignore[attr-defined]
        assert "applied" not in after[-1]
        assert sum("state" in step for step in after) <= 2, "no state is decoded from them"
        assert after[-1]["status"].rejected > 3  # type: ignore[attr-defined]


def test_silence_for_100_ms_ends_the_ride_for_good() -> None:
    with driving() as (bench, drive):
        bench.virtual.freeze()
        assert "nothing for 100 ms" in let_go(bench, drive, 0.25)
        bench.virtual.thaw()
        assert stood(bench, drive)
        assert drive.applied is None


def test_reports_that_came_during_a_gap_between_steps_are_not_published() -> None:
    with driving() as (bench, drive):
        pause(0.3)
        bench.virtual.freeze()
        count = len(drive.outputs)
        drive.go(0.1, bench.motion)
        assert len(drive.outputs) > count
        assert not any("state" in step for step in drive.outputs[count:]), "its age is unknown"
        # A vehicle that reports nothing has not stopped, as far as anybody knows.
        with pytest.raises(NotStopped, match="did not stop: it reports nothing"):
            drive.close()


def test_after_a_gap_between_steps_a_state_waits_for_each_of_its_parts() -> None:
    with driving("tesla") as (bench, drive), bench.silent("DI_systemStatus"):
        pause(0.15)
        count = len(drive.outputs)
        drive.go(0.08, bench.motion)
        assert len(drive.outputs) > count
        assert not any("state" in step for step in drive.outputs[count:]), "one of its parts is older than the gap"


def test_another_vehicle_on_the_bus_is_not_identified(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.can_ev.driver.BOOT_TIMEOUT", 1.0)
    bench = CanEVBench("tesla")
    with (
        bench.judged(),
        bench.served(),
        pytest.raises(DeviceLost, match="is it this kind of vehicle"),
        bench.ready(vehicle="generic"),
    ):
        pass


@EITHER
def test_its_identity_has_model_number_and_that_it_is_virtual(vehicle: str) -> None:
    with driving(vehicle) as (_, drive):
        identity = drive.driver.identify()
        assert identity.model.endswith("EV-1")
        assert (identity.serial, identity.virtual) == ("VIRTUAL-EV", True)


def problems(**changes: Any) -> str:
    return "\n".join(CanEV(**{"channel": "/dev/ttyACM0", "interface": "slcan", **changes}).check())


def test_right_settings_have_no_problems() -> None:
    assert not problems()
    assert not problems(vehicle="tesla", speed_limit=20.0)
    assert not problems(interface="socketcan", channel="can0", bitrate=0)


@pytest.mark.parametrize("interface", ["udp_multicast", "socketcand", "cannelloni"])
def test_an_interface_that_reaches_a_network_is_refused(interface: str) -> None:
    assert "to a network, where anybody may listen" in problems(interface=interface)


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"interface": "pcan"}, "must be socketcan or slcan, got 'pcan'"),
        ({"channel": ""}, "channel is empty"),
        ({"interface": "socketcan"}, "must be the name of a network interface"),
        ({"bitrate": 300_000}, "must be one of 10000, 20000"),
        ({"vehicle": "generc"}, "did you mean 'generic'"),
        ({"vehicle": "byd_seal"}, "there is no vehicle 'byd_seal'; known: generic, tesla"),
        ({"dbc": Path("there/is/none.dbc")}, "cannot be read"),
        ({"dbc": TESLA.dbc}, "no message 'DriveCommand'"),
        ({"dbc": Path(__file__)}, "no DBC that can be parsed"),
        ({"speed_limit": 100.0}, "the limits do not fit into the messages: DriveCommand.Speed"),
        ({"steering_limit": 2.0}, "DriveCommand.Steering must be in [-1.00005, 1.00005] rad, got 2"),
        ({"acceleration_limit": math.nan}, "acceleration_limit must be above 0 m/s² and finite, got nan"),
        ({"vehicle": "tesla", "acceleration_limit": 9.0}, "acceleration_limit must be at most 2 m/s²"),
    ],
)
def test_settings_that_do_not_fit_are_refused_before_anything_is_opened(changes: dict[str, Any], problem: str) -> None:
    assert problem in problems(**changes)


def test_a_rate_too_slow_for_the_unit_is_refused() -> None:
    slow = CanEV(channel="/dev/ttyACM0", interface="slcan")
    slow.rate = 20.0
    assert "rate must be in [50, 200] Hz, got 20" in "\n".join(slow.check())


def test_a_serial_port_that_is_not_there_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.can_ev.driver.BOOT_TIMEOUT", 0.1)
    car = CanEV(channel=str(tmp_path / "adapter"), interface="slcan")
    with pytest.raises(NoDevice, match="is the CAN adapter plugged in"):
        car.open()
    car.close()


def test_a_network_interface_that_is_not_there_is_an_error() -> None:
    with pytest.raises(NoDevice, match="ip link set can_none up type can bitrate 500000"):
        CanEV(channel="can_none").open()


def test_gears_and_directions_go_together() -> None:
    limits = Limits(speed=2.0, steering=0.5, acceleration=1.0)
    allowed = {"P": {0.0}, "R": {-1.0, 0.0}, "N": {0.0}, "D": {0.0, 1.0}}
    for gear in GEARS:
        for speed in (-1.0, 0.0, 1.0):
            reason = refusal(VehicleCommand(speed=speed, steering=0.0, gear=gear), limits)
            assert (reason == "") == (speed in allowed[gear]), reason
