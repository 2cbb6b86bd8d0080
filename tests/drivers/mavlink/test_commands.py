"""Commands of clients to the virtual autopilot: executed, or answered with the protocol's own result.

MAVProxy and dronekit command a take-off by a height above the ground where PX4 takes one above the sea; it rises to its
least height then, and says so.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from drivers.mavlink.coordinates import Origin
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.commands import CommandHandler
from drivers.mavlink.virtual.telemetry import Telemetry
from embodied.autopilot import Estimate
from embodied.clock import Time
from tests.drivers.mavlink.flight import Flight

ORIGIN = Origin(47.397742, 8.545594, 488.0)
NAN = math.nan
ACCEPTED, REJECTED = common.MAV_RESULT_ACCEPTED, common.MAV_RESULT_TEMPORARILY_REJECTED


class Client:
    """Client who commands a vehicle."""

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        at_rest = Estimate(np.zeros(3), np.zeros(3), np.array([0.0, 0.0, 0.0, 1.0]), np.zeros(3), Time(0))
        telemetry = Telemetry(flight.autopilot, ORIGIN, codec.VIRTUAL.ljust(18, b"\0"), at_rest, 16.0)
        self.restarts = 0
        self.handler = CommandHandler(flight.autopilot, telemetry, self.restart)

    def restart(self) -> None:
        self.restarts += 1

    def _result(self, message: Any) -> int:
        message.get_srcSystem = message.get_srcComponent = lambda: 255
        return int(self.handler.answer(message)[0].result)

    def long(self, number: int, *parameters: float) -> int:
        return self._result(common.MAVLink_command_long_message(1, 1, number, 0, *[*parameters, *[0.0] * 7][:7]))

    def int(self, number: int, frame: int, four: tuple[float, ...], x: int, y: int, z: float) -> int:
        return self._result(common.MAVLink_command_int_message(1, 1, frame, number, 0, 0, *four, x, y, z))


@pytest.fixture
def client() -> Client:
    return Client(Flight())


@pytest.mark.parametrize(
    ("altitude", "height"), [(10.0, 2.5), (0.0, 2.5), (NAN, 2.5), (488.0, 2.5), (489.5, 1.5), (493.0, 5.0)]
)
def test_a_take_off_rises_whatever_its_height_counts_from(client: Client, altitude: float, height: float) -> None:
    flight = client.flight
    flight.autopilot.arm()
    assert client.long(common.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, 0, 0, 0, altitude) == ACCEPTED
    flight.wait(lambda: flight.mode() is Mode.HOLD)
    assert flight.at[2] == pytest.approx(height, abs=0.4)
    assert ("Using minimum takeoff altitude: 2.50 m" in flight.texts) == (altitude < 489)


def test_a_take_off_above_home_is_flown_as_its_frame_says(client: Client) -> None:
    client.flight.autopilot.arm()
    frame = common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
    assert client.int(common.MAV_CMD_NAV_TAKEOFF, frame, (0, 0, 0, NAN), 0, 0, 4.0) == ACCEPTED
    client.flight.wait(lambda: client.flight.mode() is Mode.HOLD)
    assert client.flight.at[2] == pytest.approx(4.0, abs=0.4)


def test_a_goto_flies_there_at_its_speed_and_holds(client: Client) -> None:
    flight = client.flight
    flight.lift()
    latitude, longitude = (round(1e7 * degrees) for degrees in ORIGIN.geodetic(6.0, 0.0))
    four = (1.0, 1.0, 0.0, 0.0)
    assert (
        client.int(common.MAV_CMD_DO_REPOSITION, common.MAV_FRAME_GLOBAL_INT, four, latitude, longitude, 491.0)
        == ACCEPTED
    )
    flight.go(3.0)
    assert np.linalg.norm(flight.sky.body.velocity[:2]) == pytest.approx(1.0, abs=0.2)
    flight.go(5.0)
    assert flight.at == pytest.approx([6.0, 0.0, 3.0], abs=0.2)
    assert flight.mode() is Mode.HOLD
    assert flight.yaw == pytest.approx(math.pi / 2, abs=0.1), "a heading of 0 is north"


def test_the_height_of_a_circle_counts_from_the_sea_in_any_frame(client: Client) -> None:
    flight = client.flight
    flight.lift()
    latitude, longitude = (round(1e7 * degrees) for degrees in ORIGIN.geodetic(2.0, 0.0))
    frame = common.MAV_FRAME_GLOBAL_RELATIVE_ALT
    assert client.int(common.MAV_CMD_DO_ORBIT, frame, (3.0, 2.0, 0.0, NAN), latitude, longitude, 491.0) == ACCEPTED
    flight.go(4.0)
    assert flight.mode() is Mode.ORBIT
    assert flight.at[2] == pytest.approx(3.0, abs=0.2)


@pytest.mark.parametrize("radius", [0.0, NAN, math.inf, 1e6])
def test_a_circle_that_there_is_not_is_rejected(client: Client, radius: float) -> None:
    client.flight.lift()
    assert client.long(common.MAV_CMD_DO_ORBIT, radius, 2.0, 0.0, NAN, NAN, NAN, NAN) == REJECTED
    assert client.flight.mode() is Mode.HOLD


def test_what_needs_the_air_is_rejected_on_the_ground(client: Client) -> None:
    for number in (common.MAV_CMD_DO_REPOSITION, common.MAV_CMD_DO_ORBIT):
        assert client.long(number, 3.0, 1.0, 0.0, NAN, NAN, NAN, NAN) == REJECTED


def test_a_failure_is_injected_only_where_the_parameter_allows_it(client: Client) -> None:
    flight = client.flight
    flight.lift()
    gps, off, on = common.FAILURE_UNIT_SENSOR_GPS, common.FAILURE_TYPE_OFF, common.FAILURE_TYPE_OK
    assert client.long(common.MAV_CMD_INJECT_FAILURE, gps, off) == common.MAV_RESULT_DENIED
    flight.autopilot.parameters["SYS_FAILURE_EN"] = 1
    assert client.long(common.MAV_CMD_INJECT_FAILURE, gps, on) == ACCEPTED
    assert client.long(common.MAV_CMD_INJECT_FAILURE, 99, off) == common.MAV_RESULT_UNSUPPORTED
    assert client.long(common.MAV_CMD_INJECT_FAILURE, gps, off) == ACCEPTED
    flight.go(2.5)
    assert flight.mode() is Mode.LAND


def test_it_restarts_on_the_ground_alone(client: Client) -> None:
    assert client.long(common.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 2.0) == common.MAV_RESULT_DENIED
    assert client.long(common.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1.0) == ACCEPTED
    client.flight.autopilot.arm()
    assert client.long(common.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN, 1.0) == common.MAV_RESULT_DENIED
    assert client.restarts == 1


@pytest.mark.parametrize("number", [common.MAV_CMD_DO_PARACHUTE, common.MAV_CMD_PREFLIGHT_CALIBRATION, 65535])
def test_what_it_does_not_do_is_unsupported(client: Client, number: int) -> None:
    assert client.long(number, NAN, NAN, NAN, NAN, NAN, NAN, NAN) == common.MAV_RESULT_UNSUPPORTED
