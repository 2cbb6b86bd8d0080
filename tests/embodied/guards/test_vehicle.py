from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards import VehicleGuard
from embodied.messages import VehicleCommand
from tests.embodied.guards.vehicle_rig import PERIOD, Rig, go, halt
from tests.embodied.guards.vehicle_states import driving


def test_a_command_within_its_limits_is_followed_as_it_is() -> None:
    given = Rig().step(go(1.0, 0.01, 0.5))
    assert given.command == go(1.0, 0.01, 0.5)
    assert (given.report.state, given.report.source, given.report.clips) == ("following", "command", ())
    assert given.report.refusals == ()


def test_one_beyond_them_is_clipped_and_the_wheels_follow_from_where_they_were_put() -> None:
    rig = Rig()
    given = rig.step(go(3.0, acceleration=5.0), state=driving(1.0))
    assert given.command == go(2.0, acceleration=1.0)
    assert given.report.clips == ("speed 3 clipped to 2 m/s", "acceleration 5 clipped to 1 m/s²")
    # From the set-point, whatever the wheels, which lag, have reached.
    steered = [rig.step(go(0.5, 0.3), state=driving(0.5)).command for _ in range(3)]
    assert [told.steering for told in steered if told] == pytest.approx([0.016, 0.032, 0.048])


def test_what_is_not_set_is_a_vehicle_that_goes_at_a_walk_or_a_run() -> None:
    rig = Rig()
    fast = driving(2.0)
    sharp = [rig.step(go(2.0, 0.5), state=fast).command for _ in range(60)]
    assert [told.steering for told in (sharp[0], sharp[-1]) if told] == pytest.approx([0.012, math.atan(0.225)])
    beyond = [rig.step(go(2.0), state=driving(2.5)).report.state for _ in range(10)]
    assert beyond == ["following"] * 9 + ["stopped"]
    rig = Rig()
    rig.step(go(0.0), operator=go(0.0))
    assert [rig.step(go(0.0)).report.source for _ in range(25)] == [""] * 24 + ["command"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (go(math.nan), "command: speed must be finite, got nan"),
        (go(1.0, math.inf), "command: steering must be finite, got inf"),
        (go(1.0, acceleration=-math.inf), "command: acceleration must be finite, got -inf"),
        (go(1.0, acceleration=0.0), "command: acceleration must be at least 0.05 m/s² either way, got 0"),
        (go(1.0, acceleration=-0.049), "command: acceleration must be at least 0.05 m/s² either way, got -0.049"),
        (go(0.0, gear="X"), "command: gear must be one of P, R, N, D, got 'X'"),
        (go(-0.1), "command: speed must be at least 0 m/s in gear D, got -0.1"),
        (go(0.1, gear="R"), "command: speed must be at most 0 m/s in gear R, got 0.1"),
        (go(0.1, gear="P"), "command: speed must be 0 m/s in gear P, got 0.1"),
        (go(-0.1, gear="P"), "command: speed must be 0 m/s in gear P, got -0.1"),
        (go(0.1, gear="N"), "command: speed must be 0 m/s in gear N, got 0.1"),
        (go(-0.1, gear="N"), "command: speed must be 0 m/s in gear N, got -0.1"),
        (None, "no fresh command"),
    ],
)
def test_nonsense_and_silence_stop_it_with_its_wheels_where_they_are(command: VehicleCommand | None, why: str) -> None:
    rig = Rig()
    rig.many(50, go(1.0, 0.1))
    given = rig.step(command)
    assert (given.report.state, given.report.source, given.report.refusals) == ("holding", "", (why,))
    assert given.command is not None
    assert replace(given.command, steering=0.1) == halt(0.1)
    assert given.command.steering == pytest.approx(0.1)
    rig.many(25, command)
    assert rig.state is not None
    assert replace(rig.state, steering=0.1) == driving(0.0, 0.1)
    assert rig.state.steering == pytest.approx(0.1)


@pytest.mark.parametrize("command", [go(0.0), go(0.0, gear="P"), go(0.0, gear="N"), go(0.0, acceleration=0.05)])
def test_no_speed_fits_every_gear(command: VehicleCommand) -> None:
    assert Rig().step(command).report.state == "following"


def test_another_gear_waits_until_it_stands() -> None:
    rig = Rig()
    backwards = go(-0.5, gear="R")
    given = rig.step(backwards, state=driving(0.051))
    assert given.report.refusals == ("command asks for gear R, which waits until it stands",)
    assert given.command == halt()
    assert rig.step(backwards, state=driving(0.05)).command == go(-0.5, acceleration=2.0, gear="R")
    assert rig.step(backwards, state=driving(-0.4, gear="R")).command == go(-0.5, acceleration=1.0, gear="R")


def test_a_vehicle_that_does_not_say_its_gear_is_followed_by_what_is_asked_and_stopped_in_d() -> None:
    assert Rig().step(go(1.0), state=driving(0.9, gear="")).command == go(1.0, acceleration=1.0)
    assert Rig().step(None, state=driving(0.9, gear="")).command == halt()
    assert Rig().step(None, state=driving(gear="P")).command == halt(gear="P")
    assert Rig().step(None, state=driving(-0.9, gear="")).command == halt(gear="R")
    for still in (-0.05, 0.0):
        assert Rig().step(None, state=driving(still, gear="")).command == halt()
    neutral = Rig().step(go(1.0), state=driving(1.0, gear="N"))
    assert neutral.report.refusals == ("command asks for gear D, which waits until it stands",)


@pytest.mark.parametrize("gear", ["", "?", "D"])
def test_a_vehicle_that_moves_waits_for_another_gear_whether_it_says_its_own_or_not(gear: str) -> None:
    for asked in (go(-2.0, gear="R"), go(0.0, gear="P"), go(0.0, gear="N")):
        given = Rig().step(asked, state=driving(2.0, gear=gear))
        waits = f"command asks for gear {asked.gear}, which waits until it stands"
        assert (given.report.state, given.report.refusals, given.command) == ("holding", (waits,), halt())
    backwards = Rig().step(go(1.0), state=driving(-2.0, gear="" if gear == "D" else gear))
    assert (backwards.report.state, backwards.command) == ("holding", halt(gear="R"))
    assert Rig().step(go(-1.0, gear="R"), state=driving(-0.9, gear="")).command == go(-1.0, acceleration=1.0, gear="R")


def test_until_it_is_engaged_it_is_told_to_stand() -> None:
    rig = Rig()
    waiting = driving(steering=0.2, gear="P", engaged=False)
    given = rig.many(3, go(1.0), state=waiting)
    assert given.command == halt(0.2, "P")
    assert (given.report.state, given.report.refusals) == ("holding", ("the vehicle is not engaged yet",))
    # Wheels that are turned by hand meanwhile are followed from there.
    rig.step(go(1.0), state=driving(steering=0.3, engaged=False))
    given = rig.step(go(1.0), state=driving(steering=0.4))
    assert given.command is not None
    assert replace(given.command, steering=0.3) == go(1.0, 0.3, 1.0)
    assert given.command.steering == pytest.approx(0.3 - 0.8 * PERIOD)


def test_wheels_that_were_turned_further_than_allowed_are_held_at_the_limit() -> None:
    assert Rig().step(None, state=driving(steering=0.7, engaged=False)).command == halt(0.5)
    assert Rig().step(None, state=driving(steering=-0.7)).command == halt(-0.5)


def test_a_vehicle_that_leaves_by_itself_is_followed_again_only_after_a_reset_and_a_newer_command() -> None:
    rig = Rig()
    rig.step(go(1.0))
    for reset in (False, True):
        given = rig.step(go(1.0), state=driving(0.5, engaged=False), reset=reset)
        assert given.command == halt()
        assert given.report.state == "stopped"
        why = "stopped: the vehicle has disengaged by itself; needs a reset and a fresh command"
        assert given.report.refusals == (why,)
    assert rig.step(go(1.0)).report.state == "stopped"
    assert rig.step(go(1.0), reset=True).report.refusals == ("command is older than the reset",)
    assert rig.step(go(1.0)).report.state == "following"


def test_to_a_person_who_takes_over_it_lets_go_until_a_reset_and_a_newer_command() -> None:
    rig = Rig()
    rig.many(10, go(1.0, 0.1))
    for state in (driving(0.5, engaged=False, overridden=True), driving(0.5, 0.3), driving(0.5, 0.3)):
        given = rig.step(go(1.0), state=state)
        assert given.command is None
        assert given.report.state == "stopped"
        assert given.report.refusals == ("stopped: a person has taken over; needs a reset and a fresh command",)
    given = rig.step(go(1.0), state=driving(0.5, 0.3), reset=True)
    assert (given.command, given.report.refusals) == (halt(0.3), ("command is older than the reset",))
    assert rig.step(go(1.0), state=driving(0.5, 0.3)).report.state == "following"


def test_a_stop_latches_and_is_released_only_by_a_reset_and_a_newer_command() -> None:
    rig = Rig()
    rig.many(50, go(1.0))
    given = rig.step(go(1.0), stop=["a dog"])
    assert (given.report.state, given.command) == ("stopped", halt())
    assert given.report.refusals == ("stopped: a dog; needs a reset and a fresh command",)
    rig.many(30, go(1.0))
    assert rig.state == driving()
    assert rig.step(go(1.0), reset=True).report.refusals == ("command is older than the reset",)
    assert rig.step(go(1.0)).report.state == "following"


def test_too_little_charge_and_what_it_says_is_broken_stop_it_and_no_reset_helps_while_they_last() -> None:
    rig = Rig(wired=["battery"])
    assert rig.step(go(1.0), charge=0.15).report.state == "following"
    for reset in (False, True, True):
        given = rig.step(go(1.0), charge=0.149, reset=reset)
        assert given.command == halt()
        assert "the battery is at 14.9 %, and 15 % are its reserve" in given.report.refusals[0]
    rig = Rig()
    rig.step(go(1.0))
    for reset in (False, True, True):
        given = rig.step(go(1.0), state=driving(0.5, faults=("drive fault",)), reset=reset)
        assert "stopped: the vehicle reports drive fault" in given.report.refusals[0]


@pytest.mark.parametrize("charge", [None, math.nan])
def test_a_battery_that_is_wired_and_silent_stops_and_one_that_is_not_wired_is_not_used(charge: float | None) -> None:
    given = Rig(wired=["battery"]).step(go(1.0), charge=charge)
    assert (given.report.state, given.report.refusals) == ("holding", ("no fresh charge of the battery",))
    assert given.command == halt()
    assert Rig().step(go(1.0), charge=charge).report.state == "following"


def test_without_a_state_there_is_no_command_and_the_wheels_begin_where_they_are_with_one() -> None:
    rig = Rig()
    rig.many(30, go(1.0, 0.2))
    for broken in (None, driving(math.nan)):
        rig.state = None
        given = rig.step(go(1.0), state=broken)
        assert given.command is None
        assert (given.report.state, given.report.refusals) == ("holding", ("no fresh state",))
    for _ in range(3):
        given = rig.step(go(1.0, -0.1), state=driving(0.5, -0.1))
    assert given.command == go(1.0, -0.1, 1.0)
    assert rig.step(None, stop=["a dog"]).report.refusals[0].startswith("stopped: a dog")


def test_out_of_hand_is_stopped() -> None:
    rig = Rig(patience=2)
    assert rig.step(go(1.0), state=driving(2.41)).report.state == "following"
    given = rig.step(go(1.0), state=driving(2.41))
    assert "the vehicle drives at 2.41 m/s, over its limit of 2.4 m/s" in given.report.refusals[0]


def test_the_operator_takes_it_and_gives_it_back_only_once_it_stands_and_after_the_lease() -> None:
    rig = Rig(lease=0.5)
    rig.many(20, go(1.0))
    assert rig.step(go(1.0), operator=go(0.5)).report.source == "operator"
    given = rig.step(go(1.0))
    assert given.report.refusals == (
        "operator has the lease; command waits until it was silent for 0.5 s and it stands",
    )
    moving = [rig.step(go(1.0), state=driving(0.051)).report.source for _ in range(30)]
    assert moving == [""] * 30
    assert rig.step(go(1.0), state=driving(0.05)).report.source == "command"
    rig.step(go(1.0), operator=go(0.0))
    waits = [rig.step(go(0.0), state=driving()).report.source for _ in range(26)]
    assert waits == [""] * 24 + ["command"] * 2


@settings(max_examples=60)
@given(
    st.lists(
        st.tuples(
            st.none() | st.tuples(*[st.floats()] * 3, st.sampled_from(["P", "R", "N", "D", "?"])),
            st.none() | st.tuples(*[st.floats()] * 2, st.booleans(), st.booleans()),
            st.booleans(),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_whatever_comes_in_what_comes_out_is_within_every_limit(
    periods: list[tuple[tuple[float, float, float, str] | None, tuple[float, float, bool, bool] | None, bool, bool],],
) -> None:
    rig = Rig()
    for command, state, stop, reset in periods:
        rig.state = None
        told = rig.step(
            None if command is None else go(*command),
            state=None if state is None else driving(*state[:2], engaged=state[2], overridden=state[3]),
            stop=["a dog"] * stop,
            reset=reset,
        ).command
        if told is None:
            continue
        assert state is not None
        assert math.isfinite(state[0])
        assert not state[3]
        assert told.acceleration is not None
        assert abs(told.speed) <= 2.0
        assert 0.05 <= told.acceleration <= 2.0
        assert abs(told.steering) <= 0.5
        assert told.speed == 0.0 or not stop


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        *(
            ({name: value}, f"{name} must be above 0 {unit} and finite, got {value}")
            for name, unit in (
                ("wheelbase", "m"),
                ("speed", "m/s"),
                ("slew", "rad/s"),
                ("lateral", "m/s²"),
                ("jerk", "m/s³"),
            )
            for value in (0.0, math.nan, math.inf)
        ),
        *(
            ({name: value}, f"{name} must be at least 0.05 m/s² and finite, got {value}")
            for name in ("acceleration", "braking")
            for value in (0.0, -0.5, 0.049, math.nan, math.inf)
        ),
        *(
            ({"steering": value}, f"steering must be in (0, 1.5708) rad, got {value}")
            for value in (0.0, math.nan, math.pi / 2)
        ),
        ({"lease": -0.1}, "lease must be at least 0 s and finite, got -0.1"),
        ({"lease": math.inf}, "lease must be at least 0 s and finite, got inf"),
        ({"reserve": 1.0}, "reserve must be in [0, 1), got 1.0"),
        ({"reserve": -0.1}, "reserve must be in [0, 1), got -0.1"),
        ({"patience": 0}, "patience must be at least 1 and finite, got 0"),
    ],
)
def test_settings_that_guard_nothing_are_refused(wrong: dict[str, float], says: str) -> None:
    (problem,) = VehicleGuard(**{"wheelbase": 0.6, **wrong}).check()  # type: ignore[arg-type]
    assert problem.startswith(says)


def test_settings_that_guard_are_not_refused() -> None:
    assert not list(VehicleGuard(0.6).check())
    assert not list(VehicleGuard(0.6, acceleration=0.05, steering=1.5, lease=0.0, reserve=0.0, patience=1).check())
