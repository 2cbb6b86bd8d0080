from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from embodied import SECOND, Stamped, Time
from embodied.guards.joint_limiter import JointLimiter, JointSetpoint
from embodied.guards.speed_separation import ProtectiveDistance, SpeedLimit, StoppingPerformance, separation_problem
from embodied.messages import Separation, Vector
from tests.embodied.guards.arm_rig import near
from tests.embodied.robots import robot

PANDA = robot("panda")
PERIOD = 0.01
LIMITER = JointLimiter(PANDA, PERIOD)
CHAIN = PANDA.chain
HOME = PANDA.limit("home")
ZONE = ProtectiveDistance(reaction=0.1, margin=0.2, human=1.5)


def protective(zone: ProtectiveDistance, stopping: StoppingPerformance, age: float = 0.0) -> float:
    """As the page of the formula has it [m]."""
    person = zone.human * (age + zone.reaction + stopping.time)
    return person + stopping.speed * zone.reaction + stopping.distance + zone.margin


def scaled(stopping: StoppingPerformance, share: float) -> StoppingPerformance:
    return StoppingPerformance(share * stopping.speed, share * stopping.time, share * share * stopping.distance)


def turning(*velocity: float) -> JointSetpoint:
    speed = np.zeros(7)
    speed[: len(velocity)] = velocity
    return JointSetpoint(HOME.copy(), speed)


def after(state: JointSetpoint) -> JointSetpoint:
    """Where a period at its velocity leads."""
    return JointSetpoint(state.position + state.velocity * PERIOD, state.velocity)


def test_an_arm_that_stands_keeps_the_way_of_a_person_in_the_reaction_time_and_the_margin() -> None:
    assert ZONE.at_rest() == pytest.approx(1.5 * 0.1 + 0.2)
    assert ZONE.at_rest(age=0.04) == pytest.approx(1.5 * 0.14 + 0.2)
    assert ZONE.at_rest() == pytest.approx(protective(ZONE, StoppingPerformance(0.0, 0.0, 0.0)))
    assert ProtectiveDistance(reaction=0.1, margin=0.0).human == 1.6


def test_a_motion_is_as_fast_as_its_fastest_part_and_ends_where_full_braking_ends_it() -> None:
    state = turning(1.0)
    stopping = StoppingPerformance.of(LIMITER, CHAIN, state, after(state))
    # The tool is what is farthest from the axis of the first joint, which stands upright.
    reach = float(np.hypot(*CHAIN.tool(HOME)[:2, 3]))
    assert stopping.speed == pytest.approx(reach * 1.0, rel=1e-3)
    assert stopping.time == pytest.approx(1.0 / 15.0)
    assert stopping.distance == pytest.approx(reach * 1.0**2 / (2 * 15.0), rel=1e-3)
    still = turning()
    assert StoppingPerformance.of(LIMITER, CHAIN, still, still) == StoppingPerformance(0.0, 0.0, 0.0)


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
    state = JointSetpoint(HOME, still / np.abs(still).max())
    tool = np.linalg.norm(CHAIN.tool(after(state).position)[:3, 3] - here[:3, 3]) / PERIOD
    assert tool < 0.02
    assert StoppingPerformance.of(LIMITER, CHAIN, state, after(state)).speed > 0.1


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
    stopping = StoppingPerformance(speed, time, way)
    pace = SpeedLimit(zone=ZONE, distance=distance, age=age)
    share = pace.fraction(stopping)
    assert 0.0 <= share <= 1.0
    if distance <= ZONE.at_rest(age):
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
    stopping = StoppingPerformance(speed=1.0, time=0.25, distance=0.125)
    zone = ProtectiveDistance(reaction=0.5, margin=0.25, human=1.0)
    assert SpeedLimit(zone=zone, distance=1.625).fraction(stopping) == 1.0
    assert SpeedLimit(zone=zone, distance=1.6).fraction(stopping) < 1.0


@given(st.floats(0.001, 5), st.floats(0.001, 5))
def test_the_speed_that_is_allowed_is_the_whole_of_it_and_no_more(limit: float, speed: float) -> None:
    share = SpeedLimit(speed=limit).fraction(StoppingPerformance(speed, 0.1, 0.1))
    assert share * speed == pytest.approx(min(limit, speed))
    assert (share == 1.0) == (speed <= limit)


def test_the_narrower_of_speed_and_distance_counts() -> None:
    stopping = StoppingPerformance(speed=2.0, time=0.3, distance=0.3)
    slow, close = SpeedLimit(speed=0.2), SpeedLimit(zone=ZONE, distance=0.5)
    assert slow.fraction(stopping) == pytest.approx(0.1)
    assert close.fraction(stopping) > 0.1
    assert SpeedLimit(0.2, ZONE, 0.5).fraction(stopping) == slow.fraction(stopping)
    assert SpeedLimit(1.9, ZONE, 0.5).fraction(stopping) == close.fraction(stopping)


def test_what_may_not_move_says_why() -> None:
    assert SpeedLimit(speed=0.0).refusal() == "the speed limit is 0 m/s"
    assert SpeedLimit(speed=math.nan).refusal()
    assert SpeedLimit(zone=ZONE, distance=0.3).refusal() == "a person is at 0.3 m, and nothing moves within 0.35 m"
    assert (
        SpeedLimit(zone=ZONE, distance=0.4, age=0.1).refusal() == "a person is at 0.4 m, and nothing moves within 0.5 m"
    )
    assert SpeedLimit(zone=ZONE, distance=math.nan).refusal()
    assert SpeedLimit(zone=ZONE, distance=0.4).refusal() == ""
    assert SpeedLimit().refusal() == ""
    still = StoppingPerformance(0.0, 0.0, 0.0)
    assert SpeedLimit(speed=math.nan).fraction(still) == 0.0
    assert SpeedLimit(speed=0.0).fraction(still) == SpeedLimit(zone=ZONE, distance=0.3).fraction(still) == 0.0
    assert SpeedLimit(zone=ZONE, distance=math.nan).fraction(still) == 0.0
    # At the very distance there is no room.
    there = SpeedLimit(zone=ProtectiveDistance(reaction=0.5, margin=0.25, human=1.0), distance=0.75)
    assert there.refusal()
    assert there.fraction(still) == 0.0


def test_a_pace_is_the_guards_own_and_what_a_sensor_says() -> None:
    def pace(said: Separation | None, speed: float = 1.0) -> SpeedLimit:
        stamped = None if said is None else Stamped(said, Time(SECOND), 0, "scanner.separation")
        return SpeedLimit.of(speed, ZONE, stamped, Time(SECOND + SECOND // 4))

    assert pace(None) == SpeedLimit(1.0)
    assert pace(near(speed=0.25)) == SpeedLimit(0.25)
    assert pace(near(speed=2.0)) == SpeedLimit(1.0)
    # As old as the measurement, however often it is published, and never younger than its publication.
    for acquired, age in ((SECOND, 0.25), (0, 1.25), (SECOND + 1, 0.25)):
        measured = Separation(distance=2.0, acquired=Time(acquired))
        assert pace(measured) == SpeedLimit(1.0, ZONE, 2.0, age)
    assert pace(near(2.0, 0.25)) == SpeedLimit(0.25, ZONE, 2.0, 1.25)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, -0.001])
def test_a_distance_or_a_speed_that_is_none_is_not_believed(bad: float) -> None:
    assert separation_problem(near(bad)) == f"separation.distance must be at least 0 m and finite, got {bad}"
    assert separation_problem(near(1.0, bad)) == f"separation.speed must be at least 0 m/s and finite, got {bad}"
    assert separation_problem(near(speed=bad))


def test_what_a_sensor_may_say_is_believed() -> None:
    assert separation_problem(near()) == "separation must have a distance or a speed, got neither"
    for said in (near(0.0), near(3.0), near(speed=0.0), near(speed=1.0), near(1.0, 1.0)):
        assert separation_problem(said) == ""


@pytest.mark.parametrize("bad", [math.nan, math.inf, -1.0])
def test_a_zone_that_makes_no_sense_is_found(bad: float) -> None:
    def says(reaction: float = 0.1, margin: float = 0.2, human: float = 1.6) -> list[str]:
        return list(ProtectiveDistance(reaction, margin, human).check(PERIOD))

    assert says() == []
    assert says(reaction=PERIOD, margin=0.0, human=0.5) == []
    assert says(reaction=bad) == [
        f"zone.reaction must be at least 0.01 s and finite, got {bad}; the guard alone takes 0.01 s"
    ]
    assert says(reaction=0.0099)
    assert says(margin=bad) == [f"zone.margin must be at least 0 m and finite, got {bad}"]
    assert says(human=bad) == [f"zone.human must be above 0 m/s and finite, got {bad}"]
    assert says(human=0.0)


def test_a_motion_that_is_allowed_passes_as_it_is() -> None:
    state = turning(1.0)
    moved = after(state)
    for pace in (SpeedLimit(), SpeedLimit(speed=0.6), SpeedLimit(zone=ZONE, distance=2.0)):
        assert pace.slow_down(LIMITER, CHAIN, state, moved) == (moved, ())


def test_a_motion_is_slowed_to_just_below_its_pace_in_its_own_direction_and_said() -> None:
    state = turning(0.5, 0.2)
    moved = after(JointSetpoint(HOME, turning(0.5, 0.2).velocity))
    fast = StoppingPerformance.of(LIMITER, CHAIN, state, moved).speed
    limit = 0.95 * fast
    slower, clips = SpeedLimit(speed=limit).slow_down(LIMITER, CHAIN, state, moved)
    assert clips == (f"speed {fast:.4g} clipped to {limit:.4g} m/s",)
    got = StoppingPerformance.of(LIMITER, CHAIN, state, slower).speed
    assert 0.99 * limit < got <= limit
    assert slower.velocity[1] / slower.velocity[0] == pytest.approx(0.4)


def test_a_motion_is_slowed_for_a_person_and_says_how_far_away() -> None:
    state = turning(0.5)
    moved = after(state)
    whole = protective(ZONE, StoppingPerformance.of(LIMITER, CHAIN, state, moved))
    slower, clips = SpeedLimit(zone=ZONE, distance=whole - 0.01).slow_down(LIMITER, CHAIN, state, moved)
    assert protective(ZONE, StoppingPerformance.of(LIMITER, CHAIN, state, slower)) <= whole - 0.01
    assert 0.4 < slower.velocity[0] < 0.5
    assert clips[0].endswith(f" m/s, a person is at {whole - 0.01:.4g} m")
    assert len(clips) == 1


def test_a_person_who_is_farther_than_need_be_is_not_the_reason() -> None:
    state = turning(0.5)
    _, clips = SpeedLimit(0.1, ZONE, 3.0).slow_down(LIMITER, CHAIN, state, after(state))
    assert clips[0].endswith(" clipped to 0.1 m/s")


def test_an_arm_that_cannot_be_slow_enough_in_one_period_brakes_as_hard_as_it_can() -> None:
    state = turning(1.0, 0.5)
    braked = LIMITER.brake(state)
    slower, clips = SpeedLimit(speed=0.01).slow_down(LIMITER, CHAIN, state, after(state))
    assert np.array_equal(slower.velocity, braked.velocity)
    assert np.array_equal(slower.position, braked.position)
    assert len(clips) == 1


VELOCITIES = st.lists(st.floats(-2, 2), min_size=7, max_size=7).map(np.array)


@given(start=VELOCITIES, wanted=VELOCITIES, speed=st.floats(0.01, 2), distance=st.floats(0, 3))
@settings(max_examples=100)
def test_what_comes_out_is_never_faster_than_the_zone_allows_unless_it_is_full_braking(
    start: Vector, wanted: Vector, speed: float, distance: float
) -> None:
    state = JointSetpoint(HOME, start)
    moved, _ = LIMITER.drive(state, wanted)
    pace = SpeedLimit(speed, ZONE, distance)
    slower, clips = pace.slow_down(LIMITER, CHAIN, state, moved)
    stopping = StoppingPerformance.of(LIMITER, CHAIN, state, slower)
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
    state = JointSetpoint(HOME, np.zeros(7))
    assume(gap > ZONE.margin)
    for velocity in wanted:
        for _ in range(8):
            pace = SpeedLimit(zone=ZONE, distance=max(gap, 0.0))
            if pace.refusal():
                moved = LIMITER.brake(state)
            else:
                driven, _ = LIMITER.drive(state, velocity)
                moved, _ = pace.slow_down(LIMITER, CHAIN, state, driven)
            # Whatever moves most moves straight at the person.
            gap -= StoppingPerformance.of(LIMITER, CHAIN, state, moved).speed * PERIOD + towards * PERIOD
            if moved.velocity.any():
                assert gap >= ZONE.margin
            state = moved
