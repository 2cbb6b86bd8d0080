from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.guards import DroneGuard
from embodied.guards.drone import DroneGuardOutput
from embodied.messages import DroneCommand, Vector
from tests.embodied.guards.drone_rig import HIGH, LOW, Rig, flying, leaning, standing

LAND = DroneCommand(land=True, frame=WORLD)


def go(x: float, y: float = 0.0, z: float = 2.0, yaw: float | None = None) -> DroneCommand:
    return DroneCommand(position=np.array([x, y, z]), yaw=yaw, frame=WORLD)


def drive(x: float, y: float = 0.0, z: float = 0.0) -> DroneCommand:
    return DroneCommand(velocity=np.array([x, y, z]), frame=WORLD)


def where(given: DroneGuardOutput) -> Vector:
    assert given.command is not None
    assert given.command.position is not None
    return given.command.position


def speed(given: DroneGuardOutput) -> Vector:
    assert given.command is not None
    assert given.command.velocity is not None
    return given.command.velocity


def test_a_position_is_approached_within_the_limits_and_its_heading_is_passed_on() -> None:
    rig = Rig()
    first = rig.step(go(3.0, yaw=0.7))
    assert (first.report.state, first.report.source, first.report.refusals) == ("following", "command", ())
    assert first.command is not None
    assert (first.command.yaw, first.command.land, first.command.frame) == (0.7, False, WORLD)
    np.testing.assert_allclose(where(first), [1.5 * 0.02 * 0.02, 0.0, 2.0])
    np.testing.assert_allclose(where(rig.many(250, go(3.0))), [3.0, 0.0, 2.0], atol=1e-3)


def test_a_velocity_is_followed_up_to_the_fence() -> None:
    rig = Rig()
    np.testing.assert_allclose(speed(rig.many(100, drive(1.0))), [1.0, 0.0, 0.0])
    np.testing.assert_allclose(where(rig.many(400, drive(1.0))), [5.0, 0.0, 2.0], atol=1e-3)


def test_outside_the_fence_is_clipped_with_its_numbers() -> None:
    given = Rig().step(go(9.0))
    assert given.report.clips == ("position [9.0, 0.0, 2.0] clipped to [5.0, 0.0, 2.0] m by the fence",)


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (go(math.nan), "command: position must be finite, got [nan, 0.0, 2.0]"),
        (go(0.0, math.inf), "command: position must be finite, got [0.0, inf, 2.0]"),
        (drive(0.0, 0.0, -math.inf), "command: velocity must be finite, got [0.0, 0.0, -inf]"),
        (go(1.0, yaw=math.nan), "command: yaw must be finite, got nan"),
        (DroneCommand(frame=WORLD), "command: position, velocity or land must be set, got none of them"),
        (None, "no fresh command"),
    ],
)
def test_nonsense_and_silence_brake_and_hold(command: DroneCommand | None, why: str) -> None:
    rig = Rig()
    at = where(rig.many(100, drive(1.0)))
    given = rig.step(command)
    assert (given.report.state, given.report.source, given.report.refusals) == ("holding", "", (why,))
    np.testing.assert_allclose(speed(given), [1.0 - 1.5 * 0.02, 0.0, 0.0])
    given = rig.many(100, command)
    assert given.command is not None
    assert (given.command.land, given.command.yaw) == (False, None)
    np.testing.assert_array_equal(speed(given), 0.0)
    assert 0.3 < where(given)[0] - at[0] < 0.4


def test_on_the_ground_it_commands_nothing_by_itself() -> None:
    rig = Rig()
    rig.state = standing()
    given = rig.step(None)
    assert given.command is None
    assert given.report.refusals == ("no fresh command",)


def test_until_it_is_armed_the_setpoint_waits_where_it_stands() -> None:
    rig = Rig()
    for _ in range(50):
        given = rig.step(go(0.0), state=standing())
    assert where(given)[2] == pytest.approx(0.06 + 1.5 * 0.02 * 0.02)


def test_on_the_ground_the_setpoint_rests_though_the_estimate_drifts() -> None:
    drifting = flying((0.0, 0.0, 0.06), (0.2, 0.0, 0.0), armed=False, landed=True)
    np.testing.assert_array_equal(speed(Rig().step(drive(0.0), state=drifting)), 0.0)


def test_a_drone_that_lags_does_not_hold_the_setpoint_back() -> None:
    rig = Rig()
    assert where(rig.many(50, drive(1.0), state=flying()))[0] > 0.6


def test_the_setpoint_begins_no_faster_than_it_may_move() -> None:
    blown = flying(velocity=(2.9, 0.0, 1.5))
    np.testing.assert_allclose(speed(Rig().step(state=blown)), [2.0 - 0.03, 0.0, 1.0 - 0.03])


def test_armed_by_somebody_else_it_holds_where_it_is() -> None:
    rig = Rig()
    rig.many(50, drive(1.0))
    rig.step(state=standing())
    given = rig.step(state=flying((-3.0, 0.0, 2.0)))
    np.testing.assert_array_equal(where(given), [-3.0, 0.0, 2.0])


def test_without_a_state_there_is_no_command_and_the_setpoint_begins_anew_with_one() -> None:
    rig = Rig()
    rig.many(50, drive(1.0))
    rig.state = None
    given = rig.step(drive(1.0))
    assert given.command is None
    assert (given.report.state, given.report.refusals) == ("holding", ("no fresh state",))
    given = rig.step(drive(1.0), stop=["a dog"])
    assert given.command is None
    assert given.report.refusals == ("stopped: a dog; needs a reset and a fresh command",)
    rig.step(reset=True)
    for _ in range(3):
        rig.state = flying((-2.0, 0.0, 2.0), (0.5, 0.0, 0.0))
        given = rig.step(drive(0.5))
    np.testing.assert_allclose(where(given), [-2.0 + 0.01, 0.0, 2.0])


def test_a_state_that_is_no_number_is_none() -> None:
    rig = Rig()
    given = rig.step(go(1.0), state=flying((math.nan, 0.0, 2.0)))
    assert given.command is None
    assert given.report.refusals == ("no fresh state",)


def test_a_stop_latches_holds_and_is_released_only_by_a_reset_and_a_newer_command() -> None:
    rig = Rig()
    rig.many(50, drive(1.0))
    given = rig.step(drive(1.0), stop=["a dog"])
    assert given.report.state == "stopped"
    assert given.report.refusals == ("stopped: a dog; needs a reset and a fresh command",)
    assert given.command is not None
    assert not given.command.land
    given = rig.many(100, drive(1.0))
    assert given.report.state == "stopped"
    np.testing.assert_array_equal(speed(given), 0.0)
    given = rig.step(drive(1.0), reset=True)
    assert given.report.refusals == ("command is older than the reset",)
    assert rig.step(drive(1.0)).report.state == "following"


def test_a_stop_may_mean_to_land() -> None:
    rig = Rig(on_stop="land")
    silent = rig.step()
    assert silent.command is not None
    assert not silent.command.land
    given = rig.step(go(1.0), stop=["a dog"])
    assert given.command is not None
    assert given.command.land
    assert given.report.refusals == ("stopped: a dog; needs a reset and a fresh command; it lands",)
    rig.step(go(1.0), reset=True)
    for after in (rig.step(go(1.0)), rig.step()):
        assert after.command is not None
        assert not after.command.land


def test_nobody_for_long_makes_it_land_until_a_reset() -> None:
    rig = Rig(lost=1.0)
    rig.step(go(0.0))
    held = rig.many(50)
    assert held.command is not None
    assert not held.command.land
    lands = rig.step()
    assert lands.command is not None
    assert lands.command.land
    assert "nobody has commanded for 1.02 s" in lands.report.refusals[0]
    again = rig.step(go(0.0))
    assert again.command is not None
    assert (again.command.land, again.report.state) == (True, "stopped")
    rig.step(go(0.0), reset=True)
    assert rig.step(go(0.0)).report.state == "following"


def test_too_little_charge_makes_it_land_and_no_reset_helps_while_it_lasts() -> None:
    rig = Rig(wired=["battery"])
    assert rig.step(go(0.0), charge=0.2).report.state == "following"
    given = rig.step(go(0.0), charge=0.19)
    assert given.command is not None
    assert given.command.land
    assert "the battery is at 19 %, and 20 % are its reserve" in given.report.refusals[0]
    rig.step(go(0.0), charge=0.19, reset=True)
    after = rig.step(go(0.0), charge=0.19)
    assert after.command is not None
    assert after.command.land


def test_with_too_little_charge_it_does_not_take_off() -> None:
    rig = Rig(wired=["battery"])
    rig.state = standing()
    given = rig.step(go(0.0), charge=0.1)
    assert given.command is None
    assert given.report.refusals == ("the battery is at 10 %: too little to take off",)


@pytest.mark.parametrize("charge", [None, math.nan])
def test_a_battery_that_is_wired_and_silent_holds_and_one_that_is_not_wired_is_not_used(charge: float | None) -> None:
    given = Rig(wired=["battery"]).step(go(1.0), charge=charge)
    assert (given.report.state, given.report.refusals) == ("holding", ("no fresh charge of the battery",))
    assert Rig().step(go(1.0), charge=charge).report.state == "following"


def test_an_upset_stops_it() -> None:
    rig = Rig(patience=3)
    given = rig.many(2, go(0.0), state=leaning(0.7))
    assert given.report.state == "following"
    given = rig.step(go(0.0), state=leaning(0.7))
    assert given.report.state == "stopped"
    assert "tilted by 40.1°" in given.report.refusals[0]
    fast = Rig(patience=1, speed=2.0)
    assert fast.step(go(0.0), state=flying(velocity=(3.0, 0.0, 0.0))).report.state == "following"
    assert fast.step(go(0.0), state=flying(velocity=(3.1, 0.0, 0.0))).report.state == "stopped"


@pytest.mark.parametrize(("on_stop", "lands"), [("hold", False), ("land", True)])
def test_an_upset_holds_or_lands_as_a_stop_does(on_stop: str, lands: bool) -> None:
    rig = Rig(patience=1, on_stop=on_stop)
    rig.step(go(0.0))
    for state in (leaning(0.7), None):
        given = rig.step(go(0.0), state=state)
        assert given.command is not None
        assert (given.report.state, given.command.land) == ("stopped", lands)


def test_leaning_on_the_ground_is_no_upset() -> None:
    rig = Rig(patience=1)
    lying = flying(armed=False, landed=True, orientation=(1.0, 0.0, 0.0, 0.0))
    assert rig.step(go(0.0), state=lying).report.state == "following"


def test_stopped_while_it_still_stands_it_disarms() -> None:
    rig = Rig()
    given = rig.step(go(0.0), state=flying((0.0, 0.0, 0.06), landed=True), stop=["a dog"])
    assert given.command is not None
    assert given.command.land


def test_told_to_land_it_sinks_with_the_drone_and_moves_over_where_it_was_told() -> None:
    rig = Rig()
    given = rig.step(DroneCommand(position=np.array([1.0, 0.0, 0.0]), land=True, frame=WORLD))
    assert given.command is not None
    assert given.command.land
    np.testing.assert_allclose(where(given), [1.5 * 0.02 * 0.02, 0.0, 2.0])
    given = rig.step(LAND, state=flying((0.0, 0.0, 1.0), (0.0, 0.0, -0.5)))
    assert where(given)[2] == 1.0
    assert speed(given)[2] == 0.0
    rig.many(30, drive(0.3, 0.4, -0.2))
    given = rig.step(LAND)
    np.testing.assert_allclose(speed(given), [0.3 - 0.6 * 0.03, 0.4 - 0.8 * 0.03, 0.0])
    beyond = DroneCommand(position=np.array([9.0, 0.0, 0.0]), land=True, frame=WORLD)
    np.testing.assert_allclose(where(rig.many(400, beyond))[:2], [5.0, 0.0], atol=1e-3)


def test_the_operator_takes_it_and_gives_it_back_only_at_rest_and_after_the_lease() -> None:
    rig = Rig(lease=0.5)
    rig.many(10, drive(0.3))
    assert rig.step(drive(1.0), operator=drive(0.3)).report.source == "operator"
    given = rig.step(drive(1.0))
    waits = "operator has the lease; command waits until it was silent for 0.5 s and the drone rests"
    assert given.report.refusals[0].startswith(waits)
    assert not speed(rig.many(20, drive(1.0))).any()
    assert rig.many(3, drive(1.0)).report.source == ""
    assert rig.step(drive(1.0)).report.source == "command"
    hasty = Rig(lease=0.02)
    hasty.many(50, operator=drive(0.3))
    for _ in range(10):
        given = hasty.step(drive(1.0))
        assert (given.report.source, bool(speed(given).any())) == ("", True)
    assert hasty.many(2, drive(1.0)).report.source == "command"


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"high": (-5.0, 5.0, 6.0)},
            "low must be below high on each axis, got (-5.0, -5.0, 0.0) and (-5.0, 5.0",
        ),
        ({"high": (5.0, math.inf, 6.0)}, "low and high must be finite, got (-5.0, -5.0, 0.0) and (5.0, inf, 6.0) m"),
        ({"low": (1.0, -5.0, 0.0)}, "the fence from (1.0, -5.0, 0.0) to (5.0, 5.0, 6.0) m must contain home"),
        ({"high": (5.0, -1.0, 6.0)}, "the fence from (-5.0, -5.0, 0.0) to (5.0, -1.0, 6.0) m must contain home"),
        ({"speed": 0.0}, "speed must be above 0 m/s and finite, got 0.0"),
        ({"climb": math.inf}, "climb must be above 0 m/s and finite, got inf"),
        ({"acceleration": math.nan}, "acceleration must be above 0 m/s² and finite, got nan"),
        ({"tilt": -1.0}, "tilt must be above 0 rad and finite, got -1.0"),
        ({"lost": 0.0}, "lost must be above 0 s and finite, got 0.0"),
        ({"lease": -1.0}, "lease must be at least 0 s and finite, got -1.0"),
        ({"lease": math.inf}, "lease must be at least 0 s and finite, got inf"),
        ({"reserve": -0.1}, "reserve must be in [0, 1), got -0.1"),
        ({"reserve": 1.0}, "reserve must be in [0, 1), got 1.0"),
        ({"patience": 0}, "patience must be at least 1 and finite, got 0"),
    ],
)
def test_settings_that_guard_nothing_are_refused(wrong: dict[str, object], says: str) -> None:
    settings: dict[str, object] = {"low": LOW, "high": HIGH, **wrong}
    (problem,) = DroneGuard(**settings).check()  # type: ignore[arg-type]
    assert problem.startswith(says)


def test_settings_that_guard_are_not_refused() -> None:
    assert not list(DroneGuard(LOW, HIGH, lease=0.0, reserve=0.0, patience=1).check())
    assert not list(DroneGuard((0.0, -5.0, 0.0), (5.0, 0.0, 6.0)).check())


def test_what_is_left_out_has_its_stated_default() -> None:
    given = DroneGuard(LOW, HIGH)
    limits = (given.speed, given.climb, given.acceleration, given.tilt)
    assert limits == (2.0, 1.0, 1.5, 0.6)
    assert (given.patience, given.reserve, given.lost, given.lease, given.on_stop) == (10, 0.2, 5.0, 0.5, "hold")
    assert (given.ranks, given.following_error) == (("operator", "command"), 3.0)


def test_everything_is_in_the_frame_of_the_world() -> None:
    ports = DroneGuard(LOW, HIGH).ports()
    for name in ("operator", "command", "state"):
        assert ports.inputs[name].refined.frame == WORLD
