from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards.joint_limiter import JointLimiter, JointSetpoint
from tests.embodied.robots import robot

PANDA = robot("panda")
PERIOD = 0.01
HOME = PANDA.limit("home")
NAMES = list(PANDA.joints)


def limiter(share: float = 1.0) -> JointLimiter:
    return JointLimiter(PANDA, PERIOD, share)


def moving(joint: int, velocity: float, position: float | None = None) -> JointSetpoint:
    where, speed = HOME.copy(), np.zeros(7)
    speed[joint] = velocity
    if position is not None:
        where[joint] = position
    return JointSetpoint(where, speed)


def test_a_share_takes_from_the_velocity_and_from_nothing_else() -> None:
    full, half = JointLimiter(PANDA, PERIOD), limiter(0.5)
    assert np.array_equal(full.velocity, PANDA.limit("velocity"))
    assert np.array_equal(half.velocity, 0.5 * PANDA.limit("velocity"))
    assert np.array_equal(half.acceleration, PANDA.limit("acceleration"))
    assert (half.share, half.period, half.names) == (0.5, PERIOD, tuple(NAMES))


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_braking_takes_a_period_of_full_deceleration_off_each_joint_and_never_turns_it_back(sign: float) -> None:
    a = PANDA.limit("acceleration")
    state = JointSetpoint(HOME.copy(), sign * np.array([1.0, 0.01, 0.5, 0.125, 0.15, 0.2, 0.0]))
    braked = limiter().brake(state)
    expected = sign * np.maximum(np.abs(state.velocity) - a * PERIOD, 0.0)
    assert np.allclose(braked.velocity, expected, rtol=0, atol=1e-15)
    assert np.allclose(braked.position, HOME + expected * PERIOD, rtol=0, atol=1e-15)
    assert (braked.velocity[[1, 3, 4, 5]] == 0.0).all()


def test_where_and_when_braking_ends_is_as_by_the_book() -> None:
    state = moving(0, -1.5)
    assert limiter().stopped_at(state)[0] == pytest.approx(HOME[0] - 1.5**2 / (2 * 15))
    assert limiter().stop_time(state) == pytest.approx(1.5 / 15)
    both = JointSetpoint(HOME, np.array([1.5, -1.5, 0, 0, 0, 0, 0]))
    assert limiter().stop_time(both) == pytest.approx(1.5 / 7.5)
    assert limiter().stop_time(moving(0, 0.0)) == 0.0


def test_a_velocity_beyond_its_limit_is_clipped_to_it_and_said() -> None:
    moved, clips = limiter().drive(moving(0, 2.1), np.array([9.0, 0, 0, 0, 0, 0, 0]))
    assert moved.velocity[0] == 2.175
    assert clips[0] == "panda_joint1: velocity 9 clipped to 2.175 rad/s"
    assert len(clips) == 1
    moved, clips = limiter().drive(moving(0, -2.1), np.array([-9.0, 0, 0, 0, 0, 0, 0]))
    assert moved.velocity[0] == -2.175
    assert clips == ("panda_joint1: velocity -9 clipped to -2.175 rad/s",)


def test_an_acceleration_beyond_its_limit_is_clipped_to_it_and_said() -> None:
    for start, wanted, reached, says in (
        (0.0, 1.0, 0.15, "acceleration 100 clipped to 15 rad/s²"),
        (0.5, -0.5, 0.35, "acceleration -100 clipped to -15 rad/s²"),
    ):
        moved, clips = limiter().drive(moving(0, start), np.array([wanted, 0, 0, 0, 0, 0, 0]))
        assert moved.velocity[0] == pytest.approx(reached)
        assert moved.position[0] == pytest.approx(HOME[0] + reached * PERIOD)
        assert clips == (f"panda_joint1: {says}",)


@pytest.mark.parametrize(("limit", "sign"), [("upper", 1.0), ("lower", -1.0)])
def test_a_joint_near_its_limit_is_no_faster_than_it_can_brake_before_it(limit: str, sign: float) -> None:
    end, left, a = PANDA.limit(limit)[0], 0.05, 15.0
    allowed = a * (np.sqrt(PERIOD**2 + 2 * left / a) - PERIOD)
    state = moving(0, sign * allowed, end - sign * left)
    moved, clips = limiter().drive(state, sign * np.array([2.0, 0, 0, 0, 0, 0, 0]))
    assert moved.velocity[0] == pytest.approx(sign * allowed)
    assert abs(limiter().stopped_at(moved)[0]) <= abs(end) + 1e-12
    assert limiter().stopped_at(moved)[0] == pytest.approx(end)
    assert any(clip.startswith("panda_joint1: braking before its limit, velocity") for clip in clips)
    assert clips[-1].endswith("rad/s")


def test_a_joint_beyond_its_limit_moves_no_further_out() -> None:
    upper, lower = PANDA.limit("upper")[0], PANDA.limit("lower")[0]
    for where, sign in ((upper + 0.1, 1.0), (lower - 0.1, -1.0)):
        moved, _ = limiter().drive(moving(0, 0.0, where), sign * np.array([1.0, 0, 0, 0, 0, 0, 0]))
        assert moved.velocity[0] == 0.0
        back, _ = limiter().drive(moving(0, 0.0, where), -sign * np.array([1.0, 0, 0, 0, 0, 0, 0]))
        assert back.velocity[0] == pytest.approx(-sign * 0.15)


def test_a_target_is_followed_at_its_own_speed_and_what_is_missing_is_closed_as_fast_as_can_be_braked() -> None:
    state = moving(0, 0.1)
    before, target = HOME.copy(), HOME.copy()
    target[0] += 0.001
    exact, clips = limiter().follow(state, before, target)
    assert exact.position[0] == pytest.approx(target[0], abs=1e-15)
    assert clips == ()
    # Behind it: closing at what can be braked again, on top of the target's own speed.
    missing, a = 0.06, 15.0
    before[0] = target[0] = HOME[0] + missing
    closing = a * (np.sqrt(PERIOD**2 + 2 * missing / a) - PERIOD)
    reached, _ = limiter().follow(moving(0, closing - 0.1), before, target)
    assert reached.velocity[0] == pytest.approx(closing)
    # And ahead of it, the same the other way.
    before[0] = target[0] = HOME[0] - missing
    reached, _ = limiter().follow(moving(0, 0.1 - closing), before, target)
    assert reached.velocity[0] == pytest.approx(-closing)


def test_what_is_missing_by_a_hair_is_closed_and_not_overshot() -> None:
    overshot = 0.0
    for hair in np.geomspace(1e-17, 1e-9, 200):
        before = HOME + hair * np.eye(7)[0]
        moved, _ = limiter().follow(moving(0, 0.0), before, before)
        overshot = max(overshot, moved.position[0] / hair)
    assert 0.999 < overshot < 1.0 + 1e-12


def test_a_target_outside_the_limits_is_clipped_to_them_and_said() -> None:
    for limit, by, shown in (("upper", 1.0, "3.897 clipped to 2.897"), ("lower", -1.0, "-3.897 clipped to -2.897")):
        end = PANDA.limit(limit)
        state = moving(6, 0.0, end[6])
        target = state.position.copy()
        target[6] += by
        moved, clips = limiter().follow(state, state.position, target)
        assert clips == (f"panda_joint7: position {shown} rad",)
        assert moved.position[6] == pytest.approx(end[6])


def test_rounding_is_no_clip() -> None:
    state = moving(0, 2.175)
    # A billionth of one, and of what was asked.
    for hair, said in ((3.1e-9, ()), (3.3e-9, ("panda_joint1: velocity 2.175 clipped to 2.175 rad/s",))):
        _, clips = limiter().drive(state, np.array([2.175 + hair, 0, 0, 0, 0, 0, 0]))
        assert clips == said


WILD = st.lists(st.lists(st.floats(-50, 50), min_size=7, max_size=7), min_size=1, max_size=25)


@given(WILD, st.booleans(), st.floats(0.01, 1.0))
@settings(max_examples=60)
def test_whatever_is_wanted_every_joint_keeps_its_limits_and_can_always_still_stop_within_them(
    wild: list[list[float]], drives: bool, share: float
) -> None:
    limits = limiter(share)
    state, before = JointSetpoint(HOME.copy(), np.zeros(7)), HOME.copy()
    for values in wild:
        wanted = np.array(values)
        for _ in range(4):
            moved, _ = limits.drive(state, wanted) if drives else limits.follow(state, before, wanted)
            before = np.clip(wanted, limits.lower, limits.upper)
            assert (np.abs(moved.velocity) <= limits.velocity + 1e-9).all()
            assert (np.abs(moved.velocity - state.velocity) <= limits.acceleration * PERIOD + 1e-9).all()
            assert np.allclose(moved.position, state.position + moved.velocity * PERIOD)
            for where in (moved.position, limits.stopped_at(moved)):
                assert (where >= limits.lower - 1e-9).all()
                assert (where <= limits.upper + 1e-9).all()
            state = moved
