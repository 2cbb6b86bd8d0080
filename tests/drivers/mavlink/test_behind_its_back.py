"""What changes behind the driver's back: parts of the state, the autopilot, who commands it, and answers.

Every part of a published state has its own age; beyond it there is no state, then a loss. Whoever comes back is
identified again. An order that was sent may have been carried out, until the vehicle says otherwise. Nothing moves by
an order of this driver once somebody else commands the vehicle.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from pymavlink.dialects.v20 import common

from drivers.mavlink import Geofence
from drivers.mavlink.mission import Waypoint
from drivers.mavlink.modes import Mode
from drivers.mavlink.session import Session
from drivers.mavlink.transport import UdpTransport
from embodied.clock import SECOND
from embodied.errors import DeviceLost, NotStopped
from embodied.messages import Battery, DroneCommand, DroneState
from embodied.testing.serving import Drive, pause
from tests.drivers.mavlink.bench import MavlinkBench, port

UP = DroneCommand(position=np.array([0.0, 0.0, 1.5]), frame="world")


@pytest.fixture
def bench() -> Iterator[MavlinkBench]:
    bench = MavlinkBench()
    with bench.served():
        yield bench


@contextmanager
def standing(bench: MavlinkBench, **changes: Any) -> Iterator[Drive]:
    """Arm a vehicle that stands on the ground."""
    driver: Any = bench.driver(**changes)
    driver.open()
    try:
        driver.identify()
        driver.arm()
        drive = Drive(driver)
        drive.go(0.3)
        yield drive
    finally:
        driver.close()


def autopilot(bench: MavlinkBench) -> Any:
    virtual: Any = bench.virtual
    return virtual._aircraft.autopilot


def let_go(drive: Drive, command: DroneCommand | None, seconds: float) -> str:
    """Step until the driver lets go of the vehicle; return its reason."""
    end = drive.now + seconds * SECOND
    while drive.status is None or drive.status.state != "stopped":
        assert drive.now < end, drive.status
        drive.go(0.05, lambda _: command)
    return drive.status.reason


def test_each_part_of_a_state_has_its_age_and_then_its_loss() -> None:
    limits = {"position": (0.5, 1.0), "attitude": (0.5, 1.0), "landed state": (1.5, 3.0), "heartbeat": (2.5, 3.0)}
    # Each waits for a time of its own, so four vehicles lose a part at once.
    with ThreadPoolExecutor(len(limits)) as vehicles:
        for _ in vehicles.map(_loses, limits, limits.values()):
            pass


def _loses(part: str, limits: tuple[float, float]) -> None:
    age, timeout = limits
    bench = MavlinkBench()
    with bench.served(), standing(bench) as drive:
        bench.virtual.inject(f"{part} loss")
        began = drive.now
        drive.outputs.clear()
        with pytest.raises(DeviceLost, match=f"no new, whole {part}"):
            drive.go(timeout + 2.0)
        assert (drive.now - began) / SECOND <= timeout + 0.5
        states = [step.get("state") for step in drive.outputs]
        acquired = [state.acquired for state in states if isinstance(state, DroneState)]
        assert max(acquired, default=began) <= began + (age + 0.2) * SECOND, f"a state with an old {part}"
        bench.virtual.clear_faults()


def test_a_lost_vehicle_that_comes_back_is_not_flown_before_it_is_armed_again(bench: MavlinkBench) -> None:
    with standing(bench) as drive:
        bench.virtual.unplug()
        with pytest.raises(DeviceLost):
            drive.go(3.0, lambda _: UP)
        bench.virtual.plug()
        pause(0.3)
        count = len(bench.received())
        drive.go(0.5, lambda _: UP)
        assert drive.applied is None
        assert len(bench.received()) == count
        drive.driver.arm()
        drive.go(0.3, lambda _: UP)
        assert drive.applied is not None


def test_an_autopilot_that_restarts_is_noticed_and_identified_again(bench: MavlinkBench) -> None:
    with standing(bench) as drive:
        drive.go(1.5)  # long enough to be behind its clock afterwards
        bench.virtual.inject("restart")
        drive.outputs.clear()
        assert "the autopilot restarted" in let_go(drive, UP, 2.0)
        drive.go(0.7, lambda _: UP)
        assert any("state" in step for step in drive.outputs), "its state comes again"
        assert not autopilot(bench).armed
        assert autopilot(bench).mode is Mode.HOLD
        drive.driver.arm()
        drive.go(0.3, lambda _: UP)
        assert drive.applied is not None


def test_another_autopilot_in_its_place_is_not_armed(bench: MavlinkBench) -> None:
    with standing(bench) as drive:
        drive.go(1.5)
        bench.virtual.inject("another autopilot")
        assert "another one answers" in let_go(drive, UP, 2.0)
        with pytest.raises(NotStopped, match="must be the one that was identified"):
            drive.driver.arm()
        drive.go(0.2, lambda _: UP)
        assert drive.applied is None
        assert not autopilot(bench).armed


def test_arming_that_is_in_progress_first_is_armed_and_close_stops_the_motors(bench: MavlinkBench) -> None:
    bench.virtual.inject("slow arming")
    with standing(bench):
        assert autopilot(bench).armed
    assert not autopilot(bench).armed


def test_an_order_to_arm_whose_answer_is_lost_is_read_back(bench: MavlinkBench) -> None:
    driver: Any = bench.driver(fence=None)
    driver.open()
    bench.virtual.inject("lost acknowledgements")
    driver.arm()
    assert autopilot(bench).armed
    driver.close()
    assert not autopilot(bench).armed


def test_an_order_to_arm_without_any_answer_is_taken_back(bench: MavlinkBench) -> None:
    driver: Any = bench.driver(fence=None)
    driver.open()
    driver.identify()
    for fault in ("lost acknowledgements", "heartbeat loss"):
        bench.virtual.inject(fault)
    with pytest.raises((DeviceLost, NotStopped)):
        driver._order_arming(driver._vehicle)
    assert not autopilot(bench).armed
    bench.virtual.clear_faults()
    driver.close()
    assert not autopilot(bench).armed


def test_late_answers_are_waited_for(bench: MavlinkBench) -> None:
    driver: Any = bench.driver()
    driver.open()
    bench.virtual.inject("late answers")
    try:
        driver.identify()
        driver.arm()
        assert autopilot(bench).parameters["GF_MAX_VER_DIST"] == bench.fence.altitude
        assert autopilot(bench).fence is not None
        drive = Drive(driver)
        drive.go(0.3, lambda _: UP)
        assert drive.applied is not None
        bench.virtual.clear_faults()
    finally:
        driver.close()


def test_of_two_batteries_the_one_with_the_lower_charge_counts(bench: MavlinkBench) -> None:
    bench.virtual.inject("second battery")
    with standing(bench) as drive:
        drive.outputs.clear()
        drive.go(3.0)
        batteries = [step.get("battery") for step in drive.outputs]
        charges = [battery.charge for battery in batteries if isinstance(battery, Battery)]
        assert len(charges) >= 2
        assert set(charges) == {0.06}


@pytest.mark.parametrize("yaw", [math.pi, -0.5, 2.0])
def test_a_mission_whose_headings_come_back_as_0_to_360_degrees_is_the_same(bench: MavlinkBench, yaw: float) -> None:
    with standing(bench) as drive:
        driver: Any = drive.driver
        driver.fly([Waypoint(do="takeoff", position=np.array([0.0, 0.0, 1.5]), yaw=yaw)])
        drive.go(0.2)
        assert drive.status is not None
        assert drive.status.state != "stopped"
        kept = autopilot(bench).mission.legs[0].yaw
        assert math.remainder(kept - yaw, math.tau) == pytest.approx(0.0, abs=1e-4)


def test_another_client_that_flies_it_away_is_noticed_and_nothing_more_is_sent(bench: MavlinkBench) -> None:
    with bench.ready() as drive:
        drive.go(0.5, bench.motion)
        bench.virtual.inject("another client")
        reason = let_go(drive, UP, 2.0)
        assert "went to hold by its pilot or by itself" in reason
        count = len(bench.received())
        drive.go(1.0, lambda _: UP)
        assert len(bench.received()) == count
        drive.driver.arm()
        drive.go(2.5)
        assert drive.status is not None
        assert drive.status.state != "stopped"
        bench.virtual.inject("another client")
        assert "leaves its place in hold by somebody else's order" in let_go(drive, None, 6.0)
        drive.go(0.2, lambda _: UP)
        assert drive.applied is None
        count = len(bench.received())
    assert len(bench.received()) == count


def test_motors_that_somebody_stopped_are_not_armed_again_by_a_command(bench: MavlinkBench) -> None:
    with standing(bench) as drive:
        virtual: Any = bench.virtual
        with virtual._aircraft.lock:
            autopilot(bench).disarm()
        drive.go(0.1, lambda _: None)
        drive.go(1.5, lambda _: UP if drive.newest(DroneState).armed is False else None)
        assert "not by itself" in let_go(drive, UP, 3.0)
        assert not autopilot(bench).armed


def test_close_says_so_when_the_vehicle_does_not_report_that_it_holds(bench: MavlinkBench) -> None:
    with bench.ready() as drive:
        drive.go(0.3, bench.motion)
        bench.virtual.ignore_stop()
        with pytest.raises(NotStopped, match="is closed, and may not have stopped"):
            drive.close()


def test_samples_that_are_not_finite_are_dropped_and_counted_and_others_are_kept() -> None:
    here, there = port(), port()
    session = Session(UdpTransport(("127.0.0.1", here), system=1), 1, 245)
    vehicle, packer = UdpTransport(("127.0.0.1", there), ("127.0.0.1", here)), common.MAVLink(None, 1, 1)

    def send(milliseconds: int, *numbers: float) -> None:
        message = common.MAVLink_local_position_ned_message(milliseconds, *numbers)
        vehicle.send(bytes(message.pack(packer)))
        packer.seq = (packer.seq + 1) % 256

    try:
        for axis in range(6):
            send(10 * axis + 10, *(math.nan if axis == at else 1.0 for at in range(6)))
        send(100, *(2.0,) * 6)
        assert session.wait_for(lambda m: m.get_type() == "LOCAL_POSITION_NED", 2.0).x == 2.0
        assert session.rejected == 6
        send(100, *(3.0,) * 6)
        pause(0.05)
        session.poll()
        assert session.newest["LOCAL_POSITION_NED"][0].x == 2.0, "the same sample again is no new one"
        assert session.clock.jumps == 0
    finally:
        session.close()
        vehicle.close()


def test_a_fence_that_excludes_home_after_a_restart_denies_arming(bench: MavlinkBench) -> None:
    with standing(bench) as drive:
        drive.go(1.5)
        bench.virtual.inject("restart")
        let_go(drive, None, 2.0)
        driver: Any = drive.driver
        driver.fence = Geofence(altitude=10.0, polygon=((5.0, 5.0), (9.0, 5.0), (7.0, 9.0)))
        with pytest.raises(NotStopped, match="outside the geofence"):
            driver.arm()
