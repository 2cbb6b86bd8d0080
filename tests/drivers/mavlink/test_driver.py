"""Driver of a PX4 multirotor beyond the contract: settings, arming and denials, missions, and who is in command."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.mavlink import Geofence, Mavlink, driver
from drivers.mavlink.mission import Waypoint
from drivers.mavlink.virtual import VirtualPX4
from embodied.clock import rate_of, tick
from embodied.errors import DeviceLost, NoDevice, NotStopped, WrongDevice
from embodied.messages import DroneCommand, DroneState
from embodied.testing.observations import goes_until
from embodied.testing.serving import Drive, Serving
from tests.drivers.mavlink.bench import MavlinkBench, port
from tests.drivers.multirotor import Sky

RATE = rate_of(150.0)
SQUARE = ((-9.0, -9.0), (9.0, -9.0), (9.0, 9.0), (-9.0, 9.0))


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"url": "udpin:127.0.0.1"}, "url must be udpin:ADDRESS:PORT"),
        ({"url": "udpin:127.0.0.1:99999"}, "url must be udpin:ADDRESS:PORT"),
        ({"url": "udpout:239.1.2.3:14550"}, "no multicast"),
        ({"url": "udpout:10.0.0.255:14550"}, "no broadcast"),
        ({"url": "serial:ttyACM0:57600"}, "serial:/dev/PORT:BAUD"),
        ({"system": 0}, "system must be in [1, 255], got 0"),
        ({"system": 245}, "system and own must differ"),
        ({"speed": math.nan}, "speed must be above 0 m/s and finite, got nan"),
        ({"fence": Geofence(altitude=math.nan, radius=5.0)}, "altitude must be above 0 m and finite, got nan"),
        ({"fence": Geofence(altitude=5.0, polygon=((0.0, 0.0), (1.0, 0.0)))}, "at least 3 corners, got 2"),
        ({"parameters": {"COM_OF_LOSS_T": math.nan}}, "parameter COM_OF_LOSS_T must be finite, got nan"),
    ],
)
def test_wrong_settings_are_refused_before_anything_is_opened(settings: dict[str, Any], problem: str) -> None:
    assert any(problem in sentence for sentence in Mavlink(**settings).check())


def test_right_settings_have_no_problems() -> None:
    fence = Geofence(altitude=20.0, polygon=SQUARE)
    by_path = "serial:/dev/serial/by-path/pci-0000:00:14.0-usb-0:1:1.0-port0:57600"
    for url in ("udpin:0.0.0.0:14540", "udpout:10.41.1.1:14540", "serial:/dev/ttyACM0:57600", by_path):
        assert not list(Mavlink(url=url, fence=fence, parameters={"NAV_DLL_ACT": 2}).check())


def test_a_serial_port_that_is_not_there_is_an_error_at_once(tmp_path: Path) -> None:
    for name in ("nothing", "pci-0000:00:14.0-usb-0:1:1.0-port0"):
        with pytest.raises(NoDevice, match=rf"there is no serial port {tmp_path}/{name}"):
            Mavlink(url=f"serial:{tmp_path}/{name}:57600").open()


def test_the_wrong_system_id_is_refused_with_those_that_send(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BOOT_TIMEOUT", 2.5)
    bench = MavlinkBench()
    with (
        bench.served(),
        pytest.raises(NoDevice, match=r"(?s)no vehicle with system id 7 at udpin:.*those that send have 1:"),
    ):
        bench.driver(system=7).open()  # type: ignore[attr-defined]
    assert not bench.received()


def test_where_nobody_sends_the_vehicle_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(driver, "BOOT_TIMEOUT", 0.3)
    with pytest.raises(DeviceLost, match=r"system id 1 sends in 0\.3 s, nor any other") as caught:
        Mavlink(url=f"udpin:127.0.0.1:{port()}").open()
    assert caught.value.exit_code == 3


def test_of_two_vehicles_at_one_port_the_one_with_the_id_is_flown() -> None:
    bench = MavlinkBench()
    assert isinstance(bench.virtual, VirtualPX4)
    other = VirtualPX4(source=0, target=bench.virtual.target, system=2)
    with bench.served(), Serving(other, Sky()):
        px4: Any = bench.driver(system=2)
        px4.open()
        try:
            assert px4.identify().serial.endswith("02")
            px4.arm()
            drive = Drive(px4)
            drive.go(3.0, lambda _: DroneCommand(position=np.array([0.0, 0.0, 1.0]), frame="world"))
            assert other.position()[2] > 0.5
            assert bench.virtual.position()[2] < 0.1
        finally:
            px4.close()


def test_over_a_serial_line_it_is_armed_denials_are_reported_and_plans_are_kept() -> None:
    bench = MavlinkBench(serial=True)
    with bench.served():
        px4: Any = bench.driver(fence=Geofence(altitude=8.0, polygon=SQUARE), parameters={"MIS_TAKEOFF_ALT": 3.0})
        px4.open()
        try:
            assert px4.identify().virtual
            bench.virtual.inject("low battery")
            with pytest.raises(NotStopped, match="battery at 6 %"):
                px4.arm()
            bench.virtual.clear_faults()
            with pytest.raises(NotStopped, match="not armed"):
                px4.takeoff(2.0)
            px4.arm()
            with pytest.raises(ValueError, match="step 1 of the mission must have a position of three finite numbers"):
                px4.fly([Waypoint(position=np.array([math.nan, 0.0, 2.0]))])
            with pytest.raises(ValueError, match="outside the geofence"):
                px4.fly([Waypoint(position=np.array([50.0, 0.0, 2.0]))])
            with pytest.raises(ValueError, match=r"take-off height must be in \(0, 8\) m, inside the geofence, got 9"):
                px4.takeoff(9.0)
            px4.parameters = {"MIS_TAKEOFF_ALT": 3}
            with pytest.raises(NotStopped, match="must be a number with a fraction, got 3, an integer"):
                px4.arm()
            assert not bench.received()
        finally:
            px4.close()
        assert bench.virtual.stopped()


def test_a_geofence_that_excludes_home_is_not_armed() -> None:
    bench = MavlinkBench()
    far = Geofence(altitude=10.0, polygon=((5.0, 5.0), (9.0, 5.0), (7.0, 9.0)))
    with (
        bench.served(),
        pytest.raises(WrongDevice, match=r"its home, .* is outside the geofence"),
        bench.ready(fence=far),
    ):
        pass
    assert not bench.received()


def test_it_is_identified_and_armed_before_the_clock_of_its_world_begins_and_its_own_runs_on_from_there() -> None:
    bench = MavlinkBench()
    bench.world.reset(0)
    virtual: Any = bench.virtual
    virtual.open(bench.world)
    px4: Any = bench.driver()
    try:
        px4.open()
        assert px4.identify().unfit == ()
        px4.arm()
        telemetry = virtual._aircraft.telemetry
        waited = telemetry.clock
        assert waited > 0
        for n in range(3):
            bench.world.advance(tick(n, RATE))
            virtual.step(tick(n, RATE))
        assert waited + tick(2, RATE) <= telemetry.clock
        assert virtual._aircraft.autopilot.armed
    finally:
        px4.close()
        virtual.close()


def test_it_takes_off_flies_a_mission_returns_lands_and_is_armed_again_by_a_command() -> None:
    bench = MavlinkBench()
    with bench.served():
        px4: Any = bench.driver()
        px4.open()
        try:
            px4.identify()
            px4.arm()
            drive = Drive(px4)
            px4.takeoff(1.0)
            wait(drive, lambda s: s.mode == "hold" and s.position[2] > 0.7)
            px4.fly([Waypoint(position=np.array([1.2, 0.0, 1.0])), Waypoint(do="return", position=np.zeros(3))])
            wait(drive, lambda s: s.position[0] > 0.8)
            wait(drive, lambda s: s.landed and not s.armed)
            assert bench.virtual.position() == pytest.approx([0.0, 0.0, 0.0], abs=0.3)
            drive.go(0.5)
            assert drive.status is not None
            assert drive.status.state == "ready", "on the ground its motors may be off"
            up = DroneCommand(position=np.array([0.0, 0.0, 0.7]), frame="world")
            wait(drive, lambda s: s.position[2] > 0.6, up)
            assert bench.virtual.position() == pytest.approx([0.0, 0.0, 0.7], abs=0.3), (
                "a command arms it, and lifts it"
            )
            down = DroneCommand(position=np.array([0.8, 0.0, 0.0]), land=True, frame="world")
            wait(drive, lambda s: s.landed and not s.armed, down)
            assert bench.virtual.position() == pytest.approx([0.8, 0.0, 0.0], abs=0.3), "it came down over the place"
            bench.virtual.inject("low battery")
            wait(drive, lambda _: drive.status is not None and drive.status.state == "stopped", up)
            drive.go(0.5, lambda _: up)
            assert drive.applied is None
            assert drive.status.state == "stopped"
            assert "battery at 6 %" in drive.status.reason
        finally:
            px4.close()


def test_when_it_flies_home_by_itself_nothing_more_is_sent_and_its_reason_is_reported() -> None:
    bench = MavlinkBench()
    with bench.served(), bench.ready() as drive:
        bench.virtual.inject("low battery")
        assert goes_until(
            drive, lambda: drive.status is not None and drive.status.state == "stopped", 2.5, bench.motion
        )
        drive.go(0.3, bench.motion)
        assert drive.applied is None
        assert drive.status is not None
        assert drive.status.state == "stopped"
        assert "by its pilot or by itself" in drive.status.reason
        assert "Battery at 6 %" in drive.status.reason


def wait(drive: Any, condition: Any, command: DroneCommand | None = None) -> None:
    """Step, with the same command or none, until a state satisfies a condition."""
    end = drive.now + 30.0 * 1e9
    while not (drive.newest(DroneState) and condition(drive.newest(DroneState))):
        assert drive.now < end, f"{drive.newest(DroneState)}, {drive.status}"
        drive.go(0.1, lambda _: command)
