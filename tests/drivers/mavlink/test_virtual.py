"""Unmodified pymavlink, used as in any script, flies the virtual autopilot."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pymavlink import mavutil
from pymavlink.dialects.v20 import common

from drivers.mavlink.virtual import VirtualPX4
from embodied.testing.serving import Serving
from tests.drivers.mavlink.bench import port
from tests.drivers.multirotor import Sky

MISSION = common.MAV_MISSION_TYPE_MISSION
FENCE = common.MAV_MISSION_TYPE_FENCE
GLOBAL = common.MAV_FRAME_GLOBAL_RELATIVE_ALT_INT


class Script:
    """Client at the port where ground software listens."""

    def __init__(self, virtual: VirtualPX4) -> None:
        self.link: Any = mavutil.mavlink_connection(virtual.address, source_system=255)
        assert self.link.wait_heartbeat(timeout=5) is not None
        self.link.mav.heartbeat_send(common.MAV_TYPE_GCS, common.MAV_AUTOPILOT_INVALID, 0, 0, 0)

    def until(self, kind: str, condition: Callable[[Any], bool] = lambda _: True, seconds: float = 25.0) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            message = self.link.recv_match(type=kind, blocking=True, timeout=0.5)
            if message is not None and condition(message):
                return message
        raise AssertionError(f"no such {kind} in {seconds} s")

    def command(self, number: int, *parameters: float) -> int:
        self.link.mav.command_long_send(1, 1, number, 0, *[*parameters, *[0.0] * 7][:7])
        return int(self.until("COMMAND_ACK", lambda m: m.command == number).result)

    def mode(self, main: float, sub: float) -> int:
        return self.command(common.MAV_CMD_DO_SET_MODE, 129, main, sub)

    def in_mode(self, main: int, sub: int) -> None:
        self.until("HEARTBEAT", lambda m: m.custom_mode == main << 16 | sub << 24)

    def upload(
        self, items: list[tuple[int, int, tuple[float, float, float, float], int, int, float]], kind: int
    ) -> int:
        self.link.mav.mission_count_send(1, 1, len(items), kind)
        while True:
            asked = self.until("MISSION_REQUEST_INT", seconds=2) if items else None
            if asked is None:
                return int(self.until("MISSION_ACK").type)
            frame, command, four, x, y, z = items[asked.seq]
            self.link.mav.mission_item_int_send(1, 1, asked.seq, frame, command, 0, 1, *four, x, y, z, kind)
            if asked.seq == len(items) - 1:
                return int(self.until("MISSION_ACK").type)


@pytest.fixture
def virtual() -> Iterator[VirtualPX4]:
    autopilot = VirtualPX4(source=0, target=port(), parameters={"COM_DISARM_LAND": 0.5})
    with Serving(autopilot, Sky()):
        yield autopilot


@pytest.fixture
def script(virtual: VirtualPX4) -> Iterator[Script]:
    client = Script(virtual)
    yield client
    client.link.close()


def test_a_script_arms_takes_off_flies_offboard_and_lands(virtual: VirtualPX4, script: Script) -> None:
    virtual.inject("low battery")
    script.until("SYS_STATUS", lambda m: not m.onboard_control_sensors_health & common.MAV_SYS_STATUS_PREARM_CHECK)
    assert script.command(common.MAV_CMD_COMPONENT_ARM_DISARM, 1) == common.MAV_RESULT_TEMPORARILY_REJECTED
    assert "battery at 6 %" in script.until("STATUSTEXT", lambda m: "denied" in m.text).text
    virtual.clear_faults()
    script.until("SYS_STATUS", lambda m: m.onboard_control_sensors_health & common.MAV_SYS_STATUS_PREARM_CHECK)
    assert script.command(common.MAV_CMD_COMPONENT_ARM_DISARM, 1) == common.MAV_RESULT_ACCEPTED
    nan = math.nan
    assert script.command(common.MAV_CMD_NAV_TAKEOFF, nan, nan, nan, nan, nan, nan, nan) == common.MAV_RESULT_ACCEPTED
    script.in_mode(4, 3)
    assert script.until("LOCAL_POSITION_NED").z == pytest.approx(-2.5, abs=0.5)
    assert script.mode(6, 0) == common.MAV_RESULT_TEMPORARILY_REJECTED, "no set-points"
    arrived = False
    asked = 0
    end = time.monotonic() + 20
    while not arrived and time.monotonic() < end:
        # One metre north, one east, and two up.
        script.link.mav.set_position_target_local_ned_send(
            0, 1, 1, common.MAV_FRAME_LOCAL_NED, 2552, 1.0, 1.0, -2.0, 0, 0, 0, 0, 0, 0, 0.0, 0
        )
        if not asked:
            asked = script.mode(6, 0) == common.MAV_RESULT_ACCEPTED
        place = script.until("LOCAL_POSITION_NED")
        arrived = max(abs(place.x - 1), abs(place.y - 1), abs(place.z + 2)) < 0.1
    assert arrived
    assert virtual.position() == pytest.approx([1.0, 1.0, 2.0], abs=0.2)
    assert script.command(common.MAV_CMD_NAV_LAND) == common.MAV_RESULT_ACCEPTED
    script.until("EXTENDED_SYS_STATE", lambda m: m.landed_state == common.MAV_LANDED_STATE_ON_GROUND)
    script.until("HEARTBEAT", lambda m: not m.base_mode & common.MAV_MODE_FLAG_SAFETY_ARMED)


def test_parameters_are_listed_read_set_and_kept_by_their_type(script: Script) -> None:
    mav = script.link.mav
    mav.param_request_list_send(1, 1)
    first = script.until("PARAM_VALUE")
    found = {first.param_id, *(script.until("PARAM_VALUE").param_id for _ in range(first.param_count - 1))}
    assert len(found) == first.param_count
    assert {"COM_OF_LOSS_T", "MIS_TAKEOFF_ALT", "GF_ACTION"} <= found
    mav.param_set_send(1, 1, b"MIS_TAKEOFF_ALT", 4.0, common.MAV_PARAM_TYPE_REAL32)
    assert script.until("PARAM_VALUE").param_value == 4.0
    for value, kind in ((math.nan, common.MAV_PARAM_TYPE_REAL32), (9.0, common.MAV_PARAM_TYPE_INT32)):
        mav.param_set_send(1, 1, b"MIS_TAKEOFF_ALT", value, kind)
        kept = script.until("PARAM_VALUE")
        assert (kept.param_value, kept.param_type) == (4.0, common.MAV_PARAM_TYPE_REAL32), (
            "refused: it keeps what it had"
        )


def test_a_mission_is_accepted_read_back_and_flown_and_one_with_nan_is_not(virtual: VirtualPX4, script: Script) -> None:
    home = script.until("HOME_POSITION")
    way, north = (0.0, 0.0, 0.0, math.nan), home.latitude + 180  # two metres
    good = [
        (GLOBAL, common.MAV_CMD_NAV_TAKEOFF, way, home.latitude, home.longitude, 1.5),
        (GLOBAL, common.MAV_CMD_NAV_WAYPOINT, way, north, home.longitude, 1.5),
    ]
    assert script.upload(good, MISSION) == common.MAV_MISSION_ACCEPTED
    bad = [good[0], (*good[1][:5], math.nan)]
    assert script.upload(bad, MISSION) == common.MAV_MISSION_INVALID_PARAM7
    assert script.upload([(GLOBAL, 9999, way, 0, 0, 1.0)], MISSION) == common.MAV_MISSION_UNSUPPORTED
    script.link.mav.mission_request_list_send(1, 1, MISSION)
    assert script.until("MISSION_COUNT").count == 2, "it kept the good one"
    script.link.mav.mission_request_int_send(1, 1, 1, MISSION)
    item = script.until("MISSION_ITEM_INT")
    assert (item.command, item.x, item.z) == (common.MAV_CMD_NAV_WAYPOINT, north, 1.5)
    assert script.command(common.MAV_CMD_COMPONENT_ARM_DISARM, 1) == common.MAV_RESULT_ACCEPTED
    assert script.command(common.MAV_CMD_MISSION_START) == common.MAV_RESULT_ACCEPTED
    script.until("LOCAL_POSITION_NED", lambda m: m.x > 1.6 and m.z < -1.0)
    script.in_mode(4, 3)


def test_a_fence_that_excludes_home_denies_arming(script: Script) -> None:
    home = script.until("HOME_POSITION")
    corners = [(2000, 2000), (4000, 2000), (3000, 4000)]
    items = [
        (
            common.MAV_FRAME_GLOBAL_INT,
            common.MAV_CMD_NAV_FENCE_POLYGON_VERTEX_INCLUSION,
            (3.0, 0.0, 0.0, 0.0),
            home.latitude + x,
            home.longitude + y,
            0.0,
        )
        for x, y in corners
    ]
    assert script.upload(items, FENCE) == common.MAV_MISSION_ACCEPTED
    assert script.command(common.MAV_CMD_COMPONENT_ARM_DISARM, 1) == common.MAV_RESULT_TEMPORARILY_REJECTED
    assert "outside the geofence" in script.until("STATUSTEXT", lambda m: "denied" in m.text).text


def test_unknown_modes_and_commands_are_denied_and_those_for_others_not_answered(script: Script) -> None:
    assert script.mode(7, 0) == common.MAV_RESULT_DENIED
    assert script.mode(math.nan, 0) == common.MAV_RESULT_DENIED
    assert script.command(common.MAV_CMD_DO_PARACHUTE, 1) == common.MAV_RESULT_UNSUPPORTED
    script.link.mav.command_long_send(2, 1, common.MAV_CMD_COMPONENT_ARM_DISARM, 0, 1, 0, 0, 0, 0, 0, 0)
    with pytest.raises(AssertionError, match="no such COMMAND_ACK"):
        script.until("COMMAND_ACK", seconds=1.0)


def test_clocks_are_compared(script: Script) -> None:
    script.link.mav.timesync_send(0, 12345)
    answer = script.until("TIMESYNC", lambda m: m.ts1 == 12345)
    boot = script.until("LOCAL_POSITION_NED").time_boot_ms
    assert abs(answer.tc1 / 1e6 - boot) < 1000


def test_two_run_side_by_side(virtual: VirtualPX4, script: Script) -> None:
    other = VirtualPX4(source=0, target=port(), system=2)
    with Serving(other, Sky()):
        link: Any = mavutil.mavlink_connection(other.address, source_system=255)
        assert link.wait_heartbeat(timeout=5).get_srcSystem() == 2
        link.close()
    assert script.until("HEARTBEAT").get_srcSystem() == 1
