"""Missions that clients upload: each item is flown as it is meant, or refused by the protocol's own result."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import Origin
from drivers.mavlink.mission import Item
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.legs import HERE, RefusedItem, as_kept, leg
from tests.drivers.mavlink.flight import Flight

ORIGIN = Origin(47.397742, 8.545594, 488.0)
ABOVE_HOME = common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT
NAN = math.nan


def item(
    command: int,
    *parameters: float,
    at: tuple[float, float] = (0.0, 0.0),
    height: float = 2.0,
    frame: int = ABOVE_HOME,
) -> Item:
    """Return an item at a place in the local frame [m]."""
    latitude, longitude = ORIGIN.geodetic(*at)
    four = (*parameters, *[0.0] * 4)[:4]
    return Item(command, frame, four, round(1e7 * latitude), round(1e7 * longitude), height)  # type: ignore[arg-type]


def fly(*items: Item) -> Flight:
    """Load a mission, and start it on the ground."""
    flight = Flight()
    flight.autopilot.mission.load([leg(number, item, ORIGIN) for number, item in enumerate(items, 1)])
    flight.autopilot.arm()
    flight.autopilot.change(Mode.MISSION)
    return flight


TAKEOFF = item(common.MAV_CMD_NAV_TAKEOFF, NAN, NAN, NAN, NAN)


def test_take_off_speed_delay_and_landing_are_flown_in_their_order() -> None:
    flight = fly(
        TAKEOFF,
        item(common.MAV_CMD_DO_CHANGE_SPEED, 1.0, 1.0, -1.0, NAN),
        item(common.MAV_CMD_NAV_WAYPOINT, 0.0, NAN, NAN, NAN, at=(5.0, 0.0)),
        item(common.MAV_CMD_NAV_DELAY, 2.0, -1.0, -1.0, -1.0),
        item(common.MAV_CMD_NAV_LAND, NAN, NAN, NAN, NAN, at=(5.0, 0.0), height=0.0),
    )
    mission = flight.autopilot.mission
    flight.wait(lambda: mission.current == 2)
    flight.wait(lambda: flight.at[0] > 1.5)
    assert np.linalg.norm(flight.sky.body.velocity[:2]) == pytest.approx(1.0, abs=0.15)
    flight.wait(lambda: mission.current == 3)
    arrived = flight.steps
    flight.wait(lambda: mission.current == 4)
    assert (flight.steps - arrived) / 150 == pytest.approx(2.0, abs=0.1)
    flight.wait(lambda: not flight.armed())
    assert flight.at == pytest.approx([5.0, 0.0, 0.0], abs=0.3)
    assert mission.reached == [0, 1, 2, 3, 4]


def test_a_faster_speed_than_by_default_is_flown() -> None:
    flight = fly(
        TAKEOFF,
        item(common.MAV_CMD_DO_CHANGE_SPEED, 1.0, 5.0),
        item(common.MAV_CMD_NAV_WAYPOINT, at=(25.0, 0.0)),
    )
    flight.wait(lambda: flight.at[0] > 10.0)
    assert np.linalg.norm(flight.sky.body.velocity[:2]) == pytest.approx(5.0, abs=0.5)


def test_a_take_off_rises_before_it_flies_to_its_place() -> None:
    flight = fly(item(common.MAV_CMD_NAV_TAKEOFF, 0, 0, 0, NAN, at=(3.0, 0.0), height=3.0))
    flight.wait(lambda: flight.at[2] > 2.0)
    assert abs(flight.at[0]) < 0.3
    flight.wait(lambda: flight.mode() is Mode.HOLD)
    assert flight.at == pytest.approx([3.0, 0.0, 3.0], abs=0.4)


def test_jumps_are_counted_and_a_circle_of_jumps_ends_the_mission() -> None:
    there, back = (item(common.MAV_CMD_NAV_WAYPOINT, at=(1.0 * n, 0.0)) for n in (1, 0))
    flight = fly(TAKEOFF, there, back, item(common.MAV_CMD_DO_JUMP, 1.0, 1.0))
    flight.wait(lambda: flight.mode() is Mode.HOLD)
    assert flight.autopilot.mission.reached == [0, 1, 2, 3, 1, 2, 3]
    flight = fly(TAKEOFF, item(common.MAV_CMD_DO_JUMP, 1.0, -1.0))
    flight.wait(lambda: flight.mode() is Mode.HOLD)


def test_loitering_stays_for_its_time_or_for_good() -> None:
    flight = fly(TAKEOFF, item(common.MAV_CMD_NAV_LOITER_TIME, 1.0), item(common.MAV_CMD_NAV_LOITER_UNLIM))
    flight.wait(lambda: flight.autopilot.mission.current == 2)
    flight.go(3.0)
    assert flight.mode() is Mode.MISSION
    assert flight.at == pytest.approx([0.0, 0.0, 2.0], abs=0.4)


def test_the_place_where_it_is_is_kept() -> None:
    here = Item(common.MAV_CMD_NAV_LAND, ABOVE_HOME, (NAN, NAN, NAN, NAN), HERE, HERE, NAN)
    flight = fly(TAKEOFF, item(common.MAV_CMD_NAV_WAYPOINT, at=(2.0, 1.0)), here)
    flight.wait(lambda: not flight.armed())
    assert flight.at == pytest.approx([2.0, 1.0, 0.0], abs=0.4)


def test_heights_above_the_sea_are_flown_from_any_home() -> None:
    flight = fly(item(common.MAV_CMD_NAV_TAKEOFF, height=ORIGIN.altitude + 2.5, frame=common.MAV_FRAME_GLOBAL_INT))
    flight.wait(lambda: flight.mode() is Mode.HOLD)
    assert flight.at[2] == pytest.approx(2.5, abs=0.35)


def test_a_mission_that_is_over_begins_again() -> None:
    flight = fly(TAKEOFF)
    flight.wait(lambda: flight.mode() is Mode.HOLD)
    flight.autopilot.change(Mode.MISSION)
    assert flight.autopilot.mission.current == 0


@pytest.mark.parametrize(
    ("bad", "result"),
    [
        (item(9999), common.MAV_MISSION_UNSUPPORTED),
        (item(common.MAV_CMD_DO_MOUNT_CONTROL), common.MAV_MISSION_UNSUPPORTED),
        (item(common.MAV_CMD_NAV_WAYPOINT, frame=common.MAV_FRAME_LOCAL_NED), common.MAV_MISSION_UNSUPPORTED_FRAME),
        (item(common.MAV_CMD_NAV_WAYPOINT, math.inf), common.MAV_MISSION_INVALID_PARAM1),
        (item(common.MAV_CMD_NAV_WAYPOINT, 0.0, 0.0, 0.0, -math.inf), common.MAV_MISSION_INVALID_PARAM4),
        (item(common.MAV_CMD_NAV_WAYPOINT, height=NAN), common.MAV_MISSION_INVALID_PARAM7),
        (item(common.MAV_CMD_NAV_TAKEOFF, height=math.inf), common.MAV_MISSION_INVALID_PARAM7),
        (item(common.MAV_CMD_NAV_DELAY, -1.0, 12.0), common.MAV_MISSION_INVALID_PARAM1),
        (item(common.MAV_CMD_NAV_DELAY, NAN), common.MAV_MISSION_INVALID_PARAM1),
        (item(common.MAV_CMD_DO_JUMP, NAN, 1.0), common.MAV_MISSION_INVALID_PARAM1),
    ],
)
def test_an_item_that_is_not_flown_is_refused_by_its_own_result(bad: Item, result: int) -> None:
    with pytest.raises(RefusedItem, match="item 3") as refused:
        leg(3, bad, ORIGIN)
    assert refused.value.result == result


@pytest.mark.parametrize("speed", [-1.0, -2.0, NAN, 0.0])
def test_a_speed_that_is_none_keeps_the_one_before(speed: float) -> None:
    assert leg(1, item(common.MAV_CMD_DO_CHANGE_SPEED, 1.0, speed), ORIGIN).speed is None


@pytest.mark.parametrize("yaw", [-90.0, 0.0, 359.0, 720.0, -1e-3, 180.0])
def test_headings_are_kept_as_0_to_360_degrees_and_match_what_was_sent(yaw: float) -> None:
    sent = item(common.MAV_CMD_NAV_WAYPOINT, 0.0, 0.0, 0.0, yaw)
    kept = as_kept(sent)
    assert 0 <= kept.parameters[3] <= 360
    assert sent.matches(kept)
    assert not sent.matches(as_kept(item(common.MAV_CMD_NAV_WAYPOINT, 0.0, 0.0, 0.0, yaw + 1.0)))
