"""What clients stream to the virtual autopilot: it is flown as it is meant, or refused by a text.

A set-point has a frame, and a mask for each of its axes. A velocity in axes of the body turns with the vehicle, a yaw
rate turns it, an axis without a position keeps to its velocity alone.
"""

from __future__ import annotations

import math
from copy import deepcopy
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin, heading
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.setpoints import SetpointHandler
from drivers.mavlink.virtual.targets import Target
from embodied.messages import DroneCommand, Vector
from tests.drivers.mavlink.flight import PERIOD, Flight

ORIGIN = Origin(47.397742, 8.545594, 488.0)
POSITION = 0xDF8
"""Mask of a set-point that has a position alone."""
VELOCITY = 0xDC7
"""Mask of a set-point that has a velocity alone."""
YAW_RATE = ~0x800
"""Mask of a set-point that has a yaw rate, too, in conjunction with another."""


class Client:
    """Client who streams set-points to a vehicle that hovers in offboard mode."""

    def __init__(self, flight: Flight) -> None:
        self.flight = flight
        self.received: list[DroneCommand] = []
        self.handler = SetpointHandler(flight.autopilot, ORIGIN, self.received)

    def send(self, message: Any) -> None:
        assert self.handler.handle(message, self.flight.yaw)

    def fly(self, message: Any, seconds: float) -> None:
        """Stream one message at 25 Hz."""
        for _ in range(round(25 * seconds)):
            self.send(message)
            self.flight.go(6 * PERIOD)

    def face(self, yaw: float) -> None:
        """Turn the vehicle to a yaw from east [rad]."""
        here = DroneCommand(position=self.flight.at.copy(), yaw=yaw, frame="world")
        self.flight.autopilot.receive_setpoint(Target.of(here))
        self.flight.go(4.5)
        assert math.remainder(self.flight.yaw - yaw, math.tau) == pytest.approx(0.0, abs=0.1)


@cache
def hovering() -> Flight:
    """Return a flight that hovers in offboard mode, headed east; each test flies a copy of it."""
    flight = Flight(COM_OF_LOSS_T=60.0)
    flight.lift()
    flight.command(1.0, flight.at.copy())
    return flight


@pytest.fixture
def client() -> Client:
    return Client(deepcopy(hovering()))


def local(
    frame: int,
    mask: int,
    position: tuple[float, ...] = (0, 0, 0),
    velocity: tuple[float, ...] = (0, 0, 0),
    **yaw: float,
) -> Any:
    """Return a set-point in north, east, down or forward, right, down."""
    angles = (yaw.get("yaw", 0.0), yaw.get("rate", 0.0))
    return common.MAVLink_set_position_target_local_ned_message(
        0, 1, 1, frame, mask, *position, *velocity, 0, 0, 0, *angles
    )


def moved(client: Client, message: Any, seconds: float = 2.0) -> Vector:
    before = client.flight.at.copy()
    client.fly(message, seconds)
    return client.flight.at - before


@pytest.mark.parametrize("degrees", [0, 90])
def test_a_velocity_in_axes_of_the_body_is_flown_along_its_nose(client: Client, degrees: float) -> None:
    yaw = heading(math.radians(degrees))
    client.face(yaw)
    ahead = np.array([math.cos(yaw), math.sin(yaw), 0.0])
    right = np.array([math.sin(yaw), -math.cos(yaw), 0.0])
    for velocity, direction in (((1.0, 0.0, 0.0), ahead), ((0.0, 1.0, 0.0), right), ((0.0, 0.0, -1.0), (0, 0, 1.0))):
        way = moved(client, local(common.MAV_FRAME_BODY_NED, VELOCITY, velocity=velocity))
        assert way @ np.array(direction) > 1.0
        assert np.linalg.norm(way - (way @ np.array(direction)) * np.array(direction)) < 0.6
        client.fly(local(common.MAV_FRAME_BODY_NED, VELOCITY), 2.0)
    assert not client.received, "it is no set-point in the local frame"


def test_a_yaw_rate_turns_it_and_none_leaves_it_there(client: Client) -> None:
    before = client.flight.yaw
    client.fly(local(common.MAV_FRAME_BODY_NED, VELOCITY & YAW_RATE, rate=math.radians(30)), 3.0)
    turned = math.remainder(before - client.flight.yaw, math.tau)
    assert turned == pytest.approx(math.pi / 2, abs=0.35), "clockwise is positive"
    client.fly(local(common.MAV_FRAME_LOCAL_NED, VELOCITY & YAW_RATE, rate=0.0), 1.5)
    stood = client.flight.yaw
    client.fly(local(common.MAV_FRAME_LOCAL_NED, VELOCITY & YAW_RATE, rate=0.0), 1.5)
    assert math.remainder(client.flight.yaw - stood, math.tau) == pytest.approx(0.0, abs=0.05)


def test_a_circle_of_a_velocity_ahead_and_a_yaw_rate_comes_back(client: Client) -> None:
    message = local(common.MAV_FRAME_BODY_NED, VELOCITY & YAW_RATE, velocity=(1.0, 0.0, 0.0), rate=math.pi / 4)
    client.fly(message, 3.0)
    here = client.flight.at.copy()
    client.fly(message, 4.0)
    assert np.linalg.norm(client.flight.at - here) > 1.5
    client.fly(message, 4.0)
    assert client.flight.at == pytest.approx(here, abs=0.7)


def test_an_axis_without_a_position_keeps_to_its_velocity(client: Client) -> None:
    mask = (POSITION | 0b100) & ~0b100000  # north and east, and a velocity down
    message = local(common.MAV_FRAME_LOCAL_NED, mask, position=(1.0, 2.0, 77.0), velocity=(9.0, 9.0, -0.5))
    way = moved(client, message, 4.0)
    assert client.flight.at[:2] == pytest.approx([2.0, 1.0], abs=0.2)
    assert way[2] == pytest.approx(2.0, abs=0.5)


def test_a_set_point_on_the_globe_is_flown(client: Client) -> None:
    latitude, longitude = ORIGIN.geodetic(2.0, 1.0)
    for frame, height in (
        (common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT, 3.0),
        (common.MAV_FRAME_GLOBAL_INT, ORIGIN.altitude + 2.0),
    ):
        client.fly(
            common.MAVLink_set_position_target_global_int_message(
                0, 1, 1, frame, POSITION, round(1e7 * latitude), round(1e7 * longitude), height, 0, 0, 0, 0, 0, 0, 0, 0
            ),
            4.0,
        )
        assert client.flight.at == pytest.approx([2.0, 1.0, height % ORIGIN.altitude], abs=0.2)


def attitude(roll: float, thrust: float, mask: int = 0b111, rates: tuple[float, ...] = (0, 0, 0)) -> Any:
    """Return an attitude target that faces east, which is a heading of 90°, rolled to the right [rad]."""
    half, quarter = roll / 2, math.pi / 4
    quaternion = [math.cos(quarter) * math.cos(half), math.cos(quarter) * math.sin(half)]
    quaternion += [math.sin(quarter) * math.sin(half), math.sin(quarter) * math.cos(half)]
    return common.MAVLink_set_attitude_target_message(0, 1, 1, mask, quaternion, *rates, thrust)


def test_an_attitude_and_a_thrust_are_flown(client: Client) -> None:
    way = moved(client, attitude(0.0, 0.7), 1.0)
    assert way[2] > 0.5
    way = moved(client, attitude(0.3, 0.52), 1.5)
    assert way[1] < -0.7, "rolled to the right, headed east, it flies south"
    assert abs(way[0]) < 0.3


def test_angular_rates_and_a_thrust_are_flown(client: Client) -> None:
    before = client.flight.yaw
    client.fly(attitude(0.0, 0.5, mask=0x80, rates=(0.0, 0.0, 0.5)), 1.0)
    assert math.remainder(before - client.flight.yaw, math.tau) == pytest.approx(0.5, abs=0.15)


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (local(common.MAV_FRAME_BODY_OFFSET_NED, VELOCITY), "frame 9 unsupported"),
        (local(common.MAV_FRAME_LOCAL_OFFSET_NED, POSITION), "frame 7 unsupported"),
        (local(common.MAV_FRAME_BODY_NED, POSITION), "no position, no velocity"),
        (local(common.MAV_FRAME_LOCAL_NED, 0xFFF), "no position, no velocity"),
        (local(common.MAV_FRAME_LOCAL_NED, VELOCITY, velocity=(math.inf, 0, 0)), "not finite"),
        (local(common.MAV_FRAME_LOCAL_NED, POSITION, position=(math.nan,) * 3), "no position, no velocity"),
        (attitude(0.0, math.nan), "lacks a part"),
        (attitude(0.0, 0.5, mask=0x80 | 0x01), "lacks a part"),
        (common.MAVLink_set_attitude_target_message(0, 1, 1, 7, [0.0] * 4, 0, 0, 0, 0.5), "no unit quaternion"),
    ],
)
def test_what_is_not_flown_is_refused_by_a_text(client: Client, message: Any, text: str) -> None:
    before = client.flight.autopilot._setpoint
    client.fly(message, 0.2)
    assert client.flight.autopilot._setpoint is before
    assert client.flight.texts.count(text) == 1, "once a second, not each time"


def test_sticks_fly_it_in_position_mode_and_let_go_it_holds(client: Client) -> None:
    flight = client.flight
    client.send(common.MAVLink_manual_control_message(1, 0, 0, 500, 0, 0))
    flight.autopilot.change(Mode.POSITION)
    way = moved(client, common.MAVLink_manual_control_message(1, 500, 0, 500, 0, 0), 2.0)
    assert way[0] > 1.0
    assert np.abs(way[1:]).max() < 0.2
    way = moved(client, common.MAVLink_manual_control_message(1, 0, 0, 1000, 0, 0), 2.0)
    assert way[2] > 1.0
    client.fly(common.MAVLink_manual_control_message(1, 0, 0, 500, 0, 0), 1.5)
    assert np.linalg.norm(moved(client, common.MAVLink_manual_control_message(1, 0, 0, 500, 0, 0), 1.0)) < 0.1
    flight.go(1.0)
    assert flight.mode() is Mode.HOLD
    assert "Sticks lost: hold" in flight.texts


def test_it_follows_a_target_at_its_distance_and_height(client: Client) -> None:
    flight = client.flight
    flight.autopilot.parameters |= {"FLW_TGT_DST": 3.0, "FLW_TGT_HT": 4.0}
    flight.autopilot.change(Mode.FOLLOW)
    latitude, longitude = ORIGIN.geodetic(8.0, 0.0)
    client.fly(
        common.MAVLink_follow_target_message(
            0, 1, round(1e7 * latitude), round(1e7 * longitude), 488.0, [0] * 3, [0] * 3, [0] * 4, [0] * 3, [0] * 3, 0
        ),
        5.0,
    )
    assert flight.at == pytest.approx([5.0, 0.0, 4.0], abs=0.3)
    assert flight.yaw == pytest.approx(0.0, abs=0.1)


def test_an_orbit_stays_on_its_circle_and_faces_the_centre(client: Client) -> None:
    flight = client.flight
    flight.autopilot.orbit(3.0, 2.0, np.array([3.0, 0.0, 2.0]), faces=True)
    flight.go(3.0)
    angles = []
    for _ in range(20):
        flight.go(0.2)
        arm = flight.at - np.array([3.0, 0.0, 2.0])
        assert np.linalg.norm(arm[:2]) == pytest.approx(3.0, abs=0.6)
        angles.append(math.atan2(arm[1], arm[0]))
    steps = [math.remainder(b - a, math.tau) for a, b in pairwise(angles)]
    assert sum(steps) < -1.5, "clockwise from above"
    assert math.remainder(flight.yaw - math.atan2(-arm[1], -arm[0]), math.tau) == pytest.approx(0.0, abs=0.4)
