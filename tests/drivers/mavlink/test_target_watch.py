"""Set-points of another client: PX4 follows them beside ours without a word; the driver notices, and lets go.

Law: a vehicle that somebody else commands is sent nothing more until a person arms it again. A target that the vehicle
may owe to this driver, however late, slowed or with open axes, is no sign of another.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import world_axes
from drivers.mavlink.session import Session
from drivers.mavlink.target_watch import DISTANCE, REPORTS_LEAST, SPEED, TargetWatch
from drivers.mavlink.transport import UdpTransport
from embodied.clock import SECOND, Time
from embodied.messages import DroneCommand
from embodied.testing.serving import pause
from tests.drivers.mavlink.bench import MavlinkBench, port
from tests.drivers.mavlink.test_behind_its_back import UP, let_go

OPEN = (math.nan,) * 3


def report(position: Any = OPEN, velocity: Any = OPEN) -> Any:
    numbers = (*world_axes(np.array(position)), *world_axes(np.array(velocity)), *OPEN)
    return common.MAVLink_position_target_local_ned_message(0, common.MAV_FRAME_LOCAL_NED, 0, *numbers, 0.0, 0.0)


class Watched:
    """A watch that is fed at 10 Hz, with the set-point of each time."""

    def __init__(self) -> None:
        self.watch, self.now = TargetWatch(), Time(0)

    def reports(self, command: DroneCommand | None, *reported: Any) -> str:
        for message in reported:
            self.now = Time(self.now + SECOND // 10)
            if command is not None:
                self.watch.sent(command, self.now)
            newest = {"POSITION_TARGET_LOCAL_NED": (message, self.now / SECOND)}
            if problem := self.watch.problem(newest, self.now, 0.05):
                return problem
        return ""


def at(*position: float) -> DroneCommand:
    return DroneCommand(position=np.array(position), frame="world")


def along(*velocity: float) -> DroneCommand:
    return DroneCommand(velocity=np.array(velocity), frame="world")


def test_a_position_that_was_never_sent_is_anothers_after_three_reports() -> None:
    watched = Watched()
    assert watched.reports(at(0, 0, 1.5), *[report((0, 0, 1.5))] * 10) == ""
    assert watched.reports(at(0, 0, 1.5), *[report((3, 0, 1.5))] * (REPORTS_LEAST - 1)) == ""
    problem = watched.reports(at(0, 0, 1.5), report((3, 0, 1.5)))
    assert problem == "somebody else sends it set-points, such as (3.0, 0.0, 1.5)"


def test_a_client_that_sends_by_turns_with_the_driver_is_noticed() -> None:
    ours, theirs = report((0, 0, 1.5)), report((0, 2, 1.5))
    assert "somebody else" in Watched().reports(at(0, 0, 1.5), *[ours, theirs] * 5)


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        (at(0, 0, 1.5), report((0, 0, 1.5 + 0.9 * DISTANCE))),
        (at(0, 0, 1.5), report((0, math.nan, math.nan))),
        (at(0, 0, 1.5), report()),
        (at(0, 0, 1.5), report((0, 0, 1.5), (4, 4, 4))),
        (along(2, 0, -3), report(velocity=(2, 0, -1))),
        (along(2, 0, -3), report((9, 9, 9), (0, 0, 0))),
        (along(0, 0, 0), report(velocity=(0, 0.9 * SPEED, 0))),
        (along(1, 1, 0), report(velocity=(1, math.nan, 0))),
    ],
)
def test_what_the_vehicle_may_owe_to_the_driver_is_no_sign_of_another(command: DroneCommand, reported: Any) -> None:
    assert Watched().reports(command, *[reported] * 30) == ""


@pytest.mark.parametrize(
    ("command", "reported"),
    [
        (at(0, 0, 1.5), report((0, 0, 1.5 + 1.1 * DISTANCE))),
        (along(2, 0, 0), report(velocity=(-1, 0, 0))),
        (along(1, 0, 0), report(velocity=(2, 0, 0))),
        (along(0, 0, 0), report(velocity=(0, 0, -1.1 * SPEED))),
    ],
)
def test_what_the_driver_did_not_send_is_anothers(command: DroneCommand, reported: Any) -> None:
    assert "somebody else" in Watched().reports(command, *[reported] * 3)


def test_a_set_point_counts_as_sent_for_as_long_as_it_may_be_under_way() -> None:
    watched = Watched()
    watched.reports(at(0, 0, 1.5), *[report((0, 0, 1.5))] * 5)
    # The next goal is far away; the vehicle still reports the one before for a while.
    assert watched.reports(at(5, 0, 1.5), *[report((0, 0, 1.5))] * 9) == ""
    assert watched.reports(at(5, 0, 1.5), *[report((5, 0, 1.5))] * 9) == ""
    # And nothing is said of a vehicle that is sent nothing.
    assert watched.reports(None, *[report((5, 0, 1.5))] * 30, report((9, 0, 1.5))) == ""


def test_set_points_of_another_client_are_told_within_a_second_and_a_half_and_nothing_more_is_sent() -> None:
    bench = MavlinkBench()
    with bench.served(), bench.ready() as drive:
        drive.go(1.0, bench.motion)
        bench.virtual.inject("another client's set-points")
        reason = let_go(drive, UP, 1.5)
        assert reason.startswith("somebody else sends it set-points, such as (")
        assert reason.endswith("stop that client, then arm it again")
        pause(0.1)
        count = len(bench.received())
        drive.go(0.5, bench.motion)
        assert drive.applied is None
        assert len(bench.received()) == count
        bench.virtual.clear_faults()
        drive.driver.arm()
        drive.go(0.5, bench.motion)
        assert drive.applied is not None


def test_a_set_point_of_another_system_that_a_router_passes_on_is_noticed() -> None:
    here, there = port(), port()
    session = Session(UdpTransport(("127.0.0.1", here), system=1), 1, 245)
    router = UdpTransport(("127.0.0.1", there), ("127.0.0.1", here))
    packers: dict[int, Any] = {}

    def send(source: int, message: Any) -> None:
        packer = packers.setdefault(source, common.MAVLink(None, source, 1))
        router.send(bytes(message.pack(packer)))
        packer.seq = (packer.seq + 1) % 256

    def target(system: int) -> Any:
        return common.MAVLink_set_position_target_local_ned_message(0, system, 1, 1, 0, *(0.0,) * 9, 0.0, 0.0)

    try:
        for source, system in ((1, 1), (245, 1), (250, 2)):
            send(source, target(system))
        send(1, common.MAVLink_system_time_message(0, 1))
        assert session.wait_for(lambda m: m.get_type() == "SYSTEM_TIME", 2.0)
        assert session.foreign == ""
        send(250, target(1))
        send(1, common.MAVLink_system_time_message(0, 2))
        assert session.wait_for(lambda m: m.get_type() == "SYSTEM_TIME", 2.0)
        assert session.foreign == "the system 250 sends it SET_POSITION_TARGET_LOCAL_NED"
    finally:
        session.close()
        router.close()
