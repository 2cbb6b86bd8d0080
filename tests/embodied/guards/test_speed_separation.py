from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embodied import SECOND, Stamped, Time
from embodied.guards.joint_limiter import Limiter, Motion
from embodied.guards.speed_separation import Pace, Stopping, Zone, doubt
from embodied.messages import Separation, Vector
from tests.embodied.guards.bench import near
from tests.embodied.robots import robot

PANDA = robot("panda")
PERIOD = 0.01
LIMITER = Limiter(PANDA, PERIOD)
CHAIN = PANDA.chain
HOME = PANDA.limit("home")
ZONE = Zone(reaction=0.1, margin=0.2, human=1.5)


def protective(zone: Zone, stopping: Stopping, age: float = 0.0) -> float:
    """As the page of the formula has it [m]."""
    person = zone.human * (age + zone.reaction + stopping.time)
    return person + stopping.speed * zone.reaction + stopping.distance + zone.margin


def scaled(stopping: Stopping, share: float) -> Stopping:
    return Stopping(share * stopping.speed, share * stopping.time, share * share * stopping.distance)


def turning(*velocity: float) -> Motion:
    speed = np.zeros(7)
    speed[: len(velocity)] = velocity
    return Motion(HOME.copy(), speed)


def after(state: Motion) -> Motion:
    """Where a period at its velocity leads."""
    return Motion(state.position + state.velocity * PERIOD, state.velocity)


def test_an_arm_that_stands_keeps_the_way_of_a_person_in_the_reaction_time_and_the_margin() -> None:
    assert ZONE.least() == pytest.approx(1.5 * 0.1 + 0.2)
    assert ZONE.least(age=0.04) == pytest.approx(1.5 * 0.14 + 0.2)
    assert ZONE.least() == pytest.approx(protective(ZONE, Stopping(0.0, 0.0, 0.0)))
    assert Zone(reaction=0.1, margin=0.0).human == 1.6


def test_a_motion_is_as_fast_as_its_fastest_part_and_ends_where_full_braking_ends_it() -> None:
    state = turning(1.0)
    stopping = Stopping.of(LIMITER, CHAIN, state, after(state))
    # The tool is what is farthest from the axis of the first joint, which stands upright.
    reach = float(np.hypot(*CHAIN.tool(HOME)[:2, 3]))
    assert stopping.speed == pytest.approx(reach * 1.0, rel=1e-3)
    assert stopping.time == pytest.approx(1.0 / 15.0)
    assert stopping.distance == pytest.approx(reach * 1.0**2 / (2 * 15.0), rel=1e-3)
    still = turning()
    assert Stopping.of(LIMITER, CHAIN, still, still) == Stopping(0.0, 0.0, 0.0)


def test_an_elbow_that_moves_while_the_tool_stands_is_seen() -> None:
    # A turn of the joints for which the tool does not move: what is left of seven when six are needed.
    step = 1e-6
    jacobian = np.zeros((6, 7))
    here = CHAIN.tool(HOME)
    for joint in range(7):
        moved = CHAIN.tool(HOME + step * np.eye(7)[joint])
        turned = here[:3, :3].T @ moved[:3, :3]
        jacobian[:3, joint] = (moved[:3, 3] - here[:3, 3]) / step
        jacobian[3:, joint] = np.array([turned[2, 1], turned[0, 2], turned[1, 0]]) / step
    still = np.linalg.svd(jacobian)[2][-1]
    state = Motion(HOME, still / np.abs(still).max())
    tool = np.linalg.norm(CHAIN.tool(after(state).position)[:3, 3] - here[:3, 3]) / PERIOD
    assert tool < 0.02
    assert Stopping.of(LIMITER, CHAIN, state, after(state)).speed > 0.1


@given(
    speed=st.floats(0, 3),
    time=st.floats(0, 0.5),
    way=st.floats(0, 0.6),
    distance=st.floats(0, 5),
    age=st.floats(0, 0.2),
)
def test_the_share_that_is_allowed_is_the_largest_whose_protective_distance_fits(
    speed: float, time: float, way: float, distance: float, age: float
) -> None:
    stopping = Stopping(speed, time, way)
    pace = Pace(zone=ZONE, distance=distance, age=age)
    share = pace.share(stopping)
    assert 0.0 <= share <= 1.0
    if distance <= ZONE.least(age):
        assert share == 0.0
        assert pace.refusal()
        return
    assert not pace.refusal()
    assert protective(ZONE, scaled(stopping, share), age) <= distance + 1e-9
    if share < 1.0:
        assert protective(ZONE, scaled(stopping, share + 1e-4), age) > distance
    else:
        assert share == 1.0


def test_a_motion_whose_protective_distance_is_just_what_there_is_passes_whole() -> None:
    stopping = Stopping(speed=1.0, time=0.25, distance=0.125)
    zone = Zone(reaction=0.5, margin=0.25, human=1.0)
    assert Pace(zone=zone, distance=1.625).share(stopping) == 1.0
    assert Pace(zone=zone, distance=1.6).share(stopping) < 1.0


@given(st.floats(0.001, 5), st.floats(0.001, 5))
def test_the_speed_that_is_allowed_is_the_whole_of_it_and_no_more(limit: float, speed: float) -> None:
    share = Pace(speed=limit).share(Stopping(speed, 0.1, 0.1))
    assert share * speed == pytest.approx(min(limit, speed))
    assert (share == 1.0) == (speed <= limit)


def test_the_narrower_of_speed_and_distance_counts() -> None:
    stopping = Stopping(speed=2.0, time=0.3, distance=0.3)
    slow, close = Pace(speed=0.2), Pace(zone=ZONE, distance=0.5)
    assert slow.share(stopping) == pytest.approx(0.1)
    assert close.share(stopping) > 0.1
    assert Pace(0.2, ZONE, 0.5).share(stopping) == slow.share(stopping)
    assert Pace(1.9, ZONE, 0.5).share(stopping) == close.share(stopping)


def test_what_may_not_move_says_why() -> None:
    assert Pace(speed=0.0).refusal() == "the speed that is allowed is 0 m/s"
    assert Pace(speed=math.nan).refusal()
    assert Pace(zone=ZONE, distance=0.3).refusal() == "a person is at 0.3 m, and nothing moves within 0.35 m"
    assert Pace(zone=ZONE, distance=0.4, age=0.1).refusal() == "a person is at 0.4 m, and nothing moves within 0.5 m"
    assert Pace(zone=ZONE, distance=math.nan).refusal()
    assert Pace(zone=ZONE, distance=0.4).refusal() == ""
    assert Pace().refusal() == ""
    still = Stopping(0.0, 0.0, 0.0)
    assert Pace(speed=math.nan).share(still) == 0.0
    assert Pace(speed=0.0).share(still) == Pace(zone=ZONE, distance=0.3).share(still) == 0.0
    assert Pace(zone=ZONE, distance=math.nan).share(still) == 0.0
    # At the very distance there is no room.
    there = Pace(zone=Zone(reaction=0.5, margin=0.25, human=1.0), distance=0.75)
    assert there.refusal()
    assert there.share(still) == 0.0


def test_a_pace_is_the_guards_own_and_what_a_sensor_says() -> None:
    def pace(said: Separation | None, speed: float = 1.0) -> Pace:
        stamped = None if said is None else Stamped(said, Time(SECOND), 0, "scanner.separation")
        return Pace.of(speed, ZONE, stamped, Time(SECOND + SECOND // 4))

    assert pace(None) == Pace(1.0)
    assert pace(near(speed=0.25)) == Pace(0.25)
    assert pace(near(speed=2.0)) == Pace(1.0)
    assert pace(near(2.0)) == Pace(1.0, ZONE, 2.0, 0.25)
    assert pace(near(2.0, 0.25)) == Pace(0.25, ZONE, 2.0, 0.25)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.001])
def test_a_distance_or_a_speed_that_is_none_is_not_believed(bad: float) -> None:
    assert doubt(near(bad)) == f"separation gives the distance {bad}, which is none"
    assert doubt(near(1.0, bad)) == f"separation gives the speed {bad}, which is none"
    assert doubt(near(speed=bad))


def test_what_a_sensor_may_say_is_believed() -> None:
    assert doubt(near()) == "separation gives neither a distance nor a speed"
    for said in (near(0.0), near(3.0), near(speed=0.0), near(speed=1.0), near(1.0, 1.0)):
        assert doubt(said) == ""


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_a_zone_that_makes_no_sense_is_found(bad: float) -> None:
    def says(reaction: float = 0.1, margin: float = 0.2, human: float = 1.6) -> list[str]:
        return list(Zone(reaction, margin, human).check(PERIOD))

    assert says() == []
    assert says(reaction=PERIOD, margin=0.0, human=0.5) == []
    assert says(reaction=bad) == [f"zone.reaction = {bad} s is no reaction time: the guard alone takes 0.01 s"]
    assert says(reaction=0.0099)
    assert says(margin=bad) == [f"zone.margin = {bad} m is no distance"]
    assert says(human=bad) == [f"zone.human = {bad} m/s is not above 0: who never comes nearer needs no zone"]
    assert says(human=0.0)


def test_a_motion_that_is_allowed_passes_as_it_is() -> None:
    state = turning(1.0)
    moved = after(state)
    for pace in (Pace(), Pace(speed=0.6), Pace(zone=ZONE, distance=2.0)):
        assert pace.slowed(LIMITER, CHAIN, state, moved) == (moved, ())


def test_a_motion_is_slowed_to_just_below_its_pace_in_its_own_direction_and_said() -> None:
    state = turning(0.5, 0.2)
    moved = after(Motion(HOME, turning(0.5, 0.2).velocity))
    fast = Stopping.of(LIMITER, CHAIN, state, moved).speed
    limit = 0.95 * fast
    slower, clips = Pace(speed=limit).slowed(LIMITER, CHAIN, state, moved)
    assert clips == (f"speed {fast:.4g} clipped to {limit:.4g} m/s",)
    got = Stopping.of(LIMITER, CHAIN, state, slower).speed
    assert 0.99 * limit < got <= limit
    assert slower.velocity[1] / slower.velocity[0] == pytest.approx(0.4)


def test_a_motion_is_slowed_for_a_person_and_says_how_far_away() -> None:
    state = turning(0.5)
    moved = after(state)
    whole = protective(ZONE, Stopping.of(LIMITER, CHAIN, state, moved))
    slower, clips = Pace(zone=ZONE, distance=whole - 0.01).slowed(LIMITER, CHAIN, state, moved)
    assert protective(ZONE, Stopping.of(LIMITER, CHAIN, state, slower)) <= whole - 0.01
    assert 0.4 < slower.velocity[0] < 0.5
    assert clips[0].endswith(f" m/s, a person is at {whole - 0.01:.4g} m")
    assert len(clips) == 1


def test_a_person_who_is_farther_than_need_be_is_not_the_reason() -> None:
    state = turning(0.5)
    _, clips = Pace(0.1, ZONE, 3.0).slowed(LIMITER, CHAIN, state, after(state))
    assert clips[0].endswith(" clipped to 0.1 m/s")


def test_an_arm_that_cannot_be_slow_enough_in_one_period_brakes_as_hard_as_it_can() -> None:
    state = turning(1.0, 0.5)
    braked = LIMITER.brake(state)
    slower, clips = Pace(speed=0.01).slowed(LIMITER, CHAIN, state, after(state))
    assert np.array_equal(slower.velocity, braked.velocity)
    assert np.array_equal(slower.position, braked.position)
    assert len(clips) == 1


VELOCITIES = st.lists(st.floats(-2, 2), min_size=7, max_size=7).map(np.array)


@given(start=VELOCITIES, wanted=VELOCITIES, speed=st.floats(0.01, 2), distance=st.floats(0, 3))
@settings(max_examples=100)
def test_what_comes_out_is_never_faster_than_the_zone_allows_unless_it_is_full_braking(
    start: Vector, wanted: Vector, speed: float, distance: float
) -> None:
    state = Motion(HOME, start)
    moved, _ = LIMITER.drive(state, wanted)
    pace = Pace(speed, ZONE, distance)
    slower, clips = pace.slowed(LIMITER, CHAIN, state, moved)
    stopping = Stopping.of(LIMITER, CHAIN, state, slower)
    if not np.array_equal(slower.velocity, LIMITER.brake(state).velocity):
        assert stopping.speed <= speed + 1e-12
        assert protective(ZONE, stopping) <= distance + 1e-12
    assert (np.abs(slower.velocity - state.velocity) <= LIMITER.acceleration * PERIOD + 1e-9).all()
    assert bool(clips) == (slower is not moved)


@given(wanted=st.lists(VELOCITIES, min_size=1, max_size=12), gap=st.floats(0.3, 1.5), towards=st.floats(0, 1.5))
@settings(max_examples=60)
def test_an_arm_rests_before_a_person_who_walks_towards_it_has_come_to_the_margin(
    wanted: list[Vector], gap: float, towards: float
) -> None:
    state = Motion(HOME, np.zeros(7))
    assume(gap > ZONE.margin)
    for velocity in wanted:
        for _ in range(8):
            pace = Pace(zone=ZONE, distance=max(gap, 0.0))
            if pace.refusal():
                moved = LIMITER.brake(state)
            else:
                driven, _ = LIMITER.drive(state, velocity)
                moved, _ = pace.slowed(LIMITER, CHAIN, state, driven)
            # Whatever moves most moves straight at the person.
            gap -= Stopping.of(LIMITER, CHAIN, state, moved).speed * PERIOD + towards * PERIOD
            if moved.velocity.any():
                assert gap >= ZONE.margin
            state = moved
