"""Decisions of the virtual autopilot in simulated time, with a flight controller and a rigid body."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.mavlink.geofence import Geofence
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Denied
from drivers.mavlink.virtual.mission_follower import Leg
from tests.drivers.mavlink.flight import PERIOD, Flight


def test_it_rises_hovers_and_lands_and_its_motors_stop() -> None:
    flight = Flight()
    flight.lift()
    flight.go(3.0)
    assert flight.at == pytest.approx([0.0, 0.0, 2.0], abs=0.1)
    assert not flight.landed()
    flight.autopilot.change(Mode.LAND)
    flight.wait(lambda: not flight.armed())
    assert flight.landed()
    assert flight.at[2] == 0.0


def test_set_points_that_cease_make_it_hold_and_then_return() -> None:
    flight = Flight(COM_FAIL_ACT_T=3.0)
    flight.lift()
    flight.command(4.0, np.array([6.0, 0.0, 2.0]))
    assert flight.mode() is Mode.OFFBOARD
    flight.go(0.4)
    assert flight.mode() is Mode.OFFBOARD, "not before the stated time"
    flight.go(0.2)
    assert flight.mode() is Mode.HOLD
    flight.go(2.0)
    stood = flight.at.copy()
    flight.go(0.5)
    assert flight.at == pytest.approx(stood, abs=0.1)
    flight.wait(lambda: flight.mode() is Mode.RETURN, seconds=1.0)
    flight.wait(lambda: not flight.armed())
    assert flight.at == pytest.approx([0.0, 0.0, 0.0], abs=0.3)
    assert "Set-points lost: hold" in flight.texts


def test_a_requested_mode_ends_the_failsafe_that_was_pending() -> None:
    flight = Flight(COM_FAIL_ACT_T=1.0)
    flight.lift()
    flight.command(1.0, np.array([1.0, 0.0, 2.0]))
    flight.go(0.8)
    assert flight.mode() is Mode.HOLD
    flight.autopilot.change(Mode.HOLD)
    flight.go(3.0)
    assert flight.mode() is Mode.HOLD


def test_a_link_that_falls_silent_makes_it_hold_and_then_return() -> None:
    flight = Flight(COM_FAIL_ACT_T=1.0, COM_DL_LOSS_T=2)
    flight.lift()
    flight.autopilot.heartbeat_time = flight.steps * PERIOD
    flight.go(2.5)
    assert "Link lost: hold" in flight.texts
    flight.wait(lambda: flight.mode() in (Mode.RETURN, Mode.LAND), seconds=2.0)
    flight.wait(lambda: not flight.armed())


@pytest.mark.parametrize(("charge", "mode"), [(0.1, Mode.HOLD), (0.06, Mode.RETURN), (0.04, Mode.LAND)])
def test_a_low_battery_warns_a_critical_one_returns_and_an_empty_one_lands(charge: float, mode: Mode) -> None:
    flight = Flight()
    flight.lift()
    flight.command(4.0, np.array([4.0, 0.0, 2.0]))
    flight.autopilot.change(Mode.HOLD)
    flight.autopilot.charge = charge
    flight.go(0.1)
    assert flight.mode() is mode
    assert f"Battery at {100 * charge:.0f} %" in flight.texts


@pytest.mark.parametrize(
    "fence", [Geofence(1e9, radius=3.0), Geofence(1e9, polygon=((-3, -3), (3, -3), (3, 3), (-3, 3)))]
)
def test_it_returns_from_beyond_its_geofence(fence: Geofence) -> None:
    flight = Flight()
    flight.autopilot.fence = fence
    flight.lift()
    flight.command(6.0, np.array([9.0, 0.0, 2.0]))
    assert flight.mode() is not Mode.OFFBOARD
    assert flight.at[0] < 5.0
    assert "Geofence breached" in flight.texts
    flight.wait(lambda: not flight.armed())
    assert flight.at == pytest.approx([0.0, 0.0, 0.0], abs=0.3)


def test_it_returns_from_above_its_ceiling() -> None:
    flight = Flight(GF_MAX_VER_DIST=4.0)
    flight.lift()
    flight.command(4.0, np.array([0.0, 0.0, 9.0]))
    assert flight.mode() is not Mode.OFFBOARD


def denied(flight: Flight) -> str:
    with pytest.raises(Denied) as refused:
        flight.autopilot.arm()
    assert not flight.armed()
    assert "Arming denied" in flight.texts
    return str(refused.value)


def test_it_is_not_armed_with_a_low_battery() -> None:
    flight = Flight()
    flight.autopilot.charge = 0.1
    assert denied(flight) == "battery at 10 %"


def test_it_is_not_armed_outside_its_geofence() -> None:
    flight = Flight((20.0, 0.0))
    flight.autopilot.fence = Geofence(1e9, radius=10.0)
    assert denied(flight) == "home is outside the geofence"


def test_it_is_not_armed_before_it_knows_where_it_is() -> None:
    flight = Flight()
    flight.autopilot.home = None
    assert "no position" in denied(flight)


def test_offboard_needs_set_points_and_a_mission_needs_one() -> None:
    flight = Flight()
    for mode, reason in ((Mode.OFFBOARD, "no set-points"), (Mode.MISSION, "no mission"), (Mode.MANUAL, "no pilot")):
        with pytest.raises(Denied, match=reason):
            flight.autopilot.change(mode)
    assert flight.mode() is Mode.HOLD


def test_its_motors_are_not_stopped_in_the_air_unless_forced() -> None:
    flight = Flight()
    flight.lift()
    with pytest.raises(Denied, match="not landed"):
        flight.autopilot.disarm()
    flight.autopilot.disarm(forced=True)
    assert not flight.armed()


def test_armed_and_not_flown_it_disarms_itself() -> None:
    flight = Flight(COM_DISARM_PRFLT=2.0)
    flight.autopilot.arm()
    flight.go(1.9)
    assert flight.armed()
    flight.go(0.3)
    assert not flight.armed()
    assert flight.at[2] == 0.0


def test_a_pilot_takes_it_over_and_no_computer_changes_that() -> None:
    flight = Flight()
    flight.lift()
    flight.autopilot.set_piloted(True)
    assert flight.mode() is Mode.POSITION
    with pytest.raises(Denied, match="pilot"):
        flight.autopilot.change(Mode.HOLD)
    flight.autopilot.set_piloted(False)
    assert flight.mode() is Mode.POSITION, "let go, it stays where it is"
    flight.autopilot.change(Mode.HOLD)


def test_it_flies_its_mission_stays_as_long_as_commanded_and_lands_there() -> None:
    flight = Flight()
    there = np.array([3.0, 2.0, 2.0])
    flight.autopilot.mission.load(
        [
            Leg(position=np.array([0.0, 0.0, 2.0])),
            Leg(position=there, hold=1.0),
            Leg(do="land", position=np.array([3.0, 2.0, 0.0])),
        ]
    )
    flight.autopilot.arm()
    flight.autopilot.change(Mode.MISSION)
    flight.wait(lambda: flight.autopilot.mission.current == 2)
    assert flight.at == pytest.approx(there, abs=0.35)
    flight.wait(lambda: not flight.armed())
    assert flight.at == pytest.approx([3.0, 2.0, 0.0], abs=0.3)
