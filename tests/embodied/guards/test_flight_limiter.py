from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards.flight_limiter import FlightLimiter, FlightSetpoint
from embodied.guards.stopping import stoppable_speed
from embodied.guards.workspace import Box
from embodied.messages import Vector

LOW, HIGH = np.array([-5.0, -4.0, 0.0]), np.array([6.0, 4.0, 5.0])
SPEED, CLIMB, ACCELERATION, PERIOD = 2.0, 1.0, 1.5, 0.02
LIMITER = FlightLimiter(Box((-5.0, -4.0, 0.0), (6.0, 4.0, 5.0)), SPEED, CLIMB, ACCELERATION, PERIOD)
START = FlightSetpoint(np.array([0.0, 0.0, 2.0]), np.zeros(3))

anywhere = st.tuples(*[st.floats(-20.0, 20.0)] * 3).map(np.array)
inside = st.tuples(st.floats(-4.9, 5.9), st.floats(-3.9, 3.9), st.floats(0.1, 4.9)).map(np.array)


def flown(setpoint: FlightSetpoint, target: Vector, seconds: float) -> list[FlightSetpoint]:
    setpoints = [setpoint]
    for _ in range(round(seconds / PERIOD)):
        setpoints.append(LIMITER.follow(setpoints[-1], target)[0])
    return setpoints


def kept(setpoints: list[FlightSetpoint]) -> None:
    """Every limit, from one end of a flight to the other."""
    positions, velocities = (
        np.array([setpoint.position for setpoint in setpoints]),
        np.array([setpoint.velocity for setpoint in setpoints]),
    )
    assert (positions >= LOW - 1e-9).all()
    assert (positions <= HIGH + 1e-9).all()
    assert np.linalg.norm(velocities[:, :2], axis=1).max() <= SPEED + 1e-9
    assert np.abs(velocities[:, 2]).max() <= CLIMB + 1e-9
    np.testing.assert_allclose(np.diff(positions, axis=0), velocities[1:] * PERIOD, atol=1e-12)
    steps = np.diff(velocities, axis=0)
    assert np.linalg.norm(steps[:, :2], axis=1).max() <= ACCELERATION * PERIOD + 1e-9
    assert np.abs(steps[:, 2]).max() <= ACCELERATION * PERIOD + 1e-9


@settings(max_examples=20)
@given(inside, anywhere)
def test_it_comes_to_rest_at_a_target_inside_and_at_the_fence_before_one_outside(start: Vector, target: Vector) -> None:
    setpoints = flown(FlightSetpoint(start, np.zeros(3)), target, 14.0)
    kept(setpoints)
    np.testing.assert_allclose(setpoints[-1].position, np.clip(target, LOW, HIGH), atol=1e-3)
    np.testing.assert_allclose(setpoints[-1].velocity, 0.0, atol=1e-2)


@settings(max_examples=40)
@given(inside, st.lists(st.tuples(anywhere, st.booleans()), min_size=1, max_size=12))
def test_whatever_is_asked_it_stays_inside_and_within_its_limits(
    start: Vector, asked: list[tuple[Vector, bool]]
) -> None:
    setpoints = [FlightSetpoint(start, np.zeros(3))]
    for value, drives in asked:
        for _ in range(25):
            setpoints.append((LIMITER.drive if drives else LIMITER.follow)(setpoints[-1], value)[0])
    kept(setpoints)


@pytest.mark.parametrize("asked", [(2.0, 2.0), (-2.0, 2.0)])
def test_into_a_corner_it_brakes_as_hard_as_it_may_and_no_harder(asked: tuple[float, float]) -> None:
    limiter = FlightLimiter(Box((-5.0, -5.0, 0.0), (5.0, 5.0, 5.0)), SPEED, CLIMB, ACCELERATION, PERIOD)
    setpoints = [limiter.begin(np.array([0.0, 0.0, 2.0]), np.zeros(3))]
    for _ in range(500):
        setpoints.append(limiter.drive(setpoints[-1], np.array([*asked, 0.0]))[0])
    np.testing.assert_allclose(np.abs(setpoints[-1].position[:2]), 5.0, atol=1e-2)
    velocities = np.array([setpoint.velocity[:2] for setpoint in setpoints])
    steps, slower = np.diff(velocities, axis=0), np.diff(np.linalg.norm(velocities, axis=1)) < 0.0
    assert np.linalg.norm(steps[slower], axis=1).max() == pytest.approx(ACCELERATION * PERIOD, rel=0.05)
    assert np.linalg.norm(steps, axis=1).max() <= ACCELERATION * PERIOD + 1e-9


def test_along_the_fence_it_turns_with_what_braking_leaves() -> None:
    setpoint = START
    while LIMITER.drive(setpoint, np.array([2.0, 0.0, 0.0]))[0].velocity[0] >= setpoint.velocity[0]:
        setpoint = LIMITER.drive(setpoint, np.array([2.0, 0.0, 0.0]))[0]
    step = LIMITER.drive(setpoint, np.array([2.0, 2.0, 0.0]))[0].velocity - setpoint.velocity
    assert step[0] < 0.0 < step[1]
    assert np.hypot(*step[:2]) <= ACCELERATION * PERIOD + 1e-9


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_what_the_fence_forces_and_what_is_wanted_share_the_acceleration(axis: int) -> None:
    position, velocity = np.array([0.0, 0.0, 2.0]), np.zeros(3)
    position[axis] = HIGH[axis] - 0.2
    braking = ACCELERATION * (1.0 if axis == 2 else math.sqrt(0.5))
    velocity[axis] = stoppable_speed(0.2, braking, PERIOD) + 0.01
    moved, _ = LIMITER.drive(FlightSetpoint(position, velocity), -velocity)
    assert (moved.velocity - velocity)[axis] == pytest.approx(-ACCELERATION * PERIOD)


def test_over_the_ground_it_gains_speed_as_fast_as_it_may_and_no_faster_than_allowed() -> None:
    moved, clips = LIMITER.drive(START, np.array([3.0, 4.0, 0.0]))
    np.testing.assert_allclose(moved.velocity, [0.6 * 1.5 * 0.02, 0.8 * 1.5 * 0.02, 0.0])
    assert clips == ("velocity [3.0, 4.0, 0.0] clipped to [1.2, 1.6, 0.0] m/s",)
    for _ in range(100):
        moved, _ = LIMITER.drive(moved, np.array([3.0, 4.0, 0.0]))
    np.testing.assert_allclose(moved.velocity, [1.2, 1.6, 0.0])


@pytest.mark.parametrize(("asked", "given"), [(3.0, 1.0), (-3.0, -1.0)])
def test_up_and_down_it_is_no_faster_than_allowed(asked: float, given: float) -> None:
    setpoint = START
    for _ in range(40):
        setpoint, clips = LIMITER.drive(setpoint, np.array([0.0, 0.0, asked]))
    np.testing.assert_allclose(setpoint.velocity, [0.0, 0.0, given])
    assert clips == (f"velocity [0.0, 0.0, {asked}] clipped to [0.0, 0.0, {given}] m/s",)


def test_how_fast_it_is_over_the_ground_says_nothing_about_how_fast_it_climbs() -> None:
    setpoint = START
    for _ in range(100):
        setpoint, clips = LIMITER.drive(setpoint, np.array([3.0, 4.0, 0.5]))
    np.testing.assert_allclose(setpoint.velocity, [1.2, 1.6, 0.5])
    assert clips == ("velocity [3.0, 4.0, 0.5] clipped to [1.2, 1.6, 0.5] m/s",)


def test_how_far_it_has_to_climb_says_nothing_about_how_it_comes_over_its_target() -> None:
    flat, steep = (flown(START, np.array([3.0, 1.0, z]), 4.0) for z in (2.0, 4.9))
    np.testing.assert_allclose(
        [setpoint.position[:2] for setpoint in flat], [setpoint.position[:2] for setpoint in steep], atol=1e-12
    )


def test_a_velocity_at_its_limit_is_no_clip_for_its_rounding() -> None:
    assert LIMITER.drive(START, SPEED * np.array([0.6, 0.8, 0.0]) * (1.0 + 1e-12))[1] == ()


def test_a_velocity_within_its_limits_is_driven_without_a_word() -> None:
    setpoint = START
    for _ in range(50):
        setpoint, clips = LIMITER.drive(setpoint, np.array([1.0, -0.5, 0.25]))
        assert clips == ()
    np.testing.assert_allclose(setpoint.velocity, [1.0, -0.5, 0.25])


def test_before_the_fence_it_brakes_and_says_so() -> None:
    setpoint = START
    said: list[str] = []
    for _ in range(400):
        setpoint, clips = LIMITER.drive(setpoint, np.array([1.0, 0.0, 0.0]))
        said += clips
    assert setpoint.position[0] == pytest.approx(6.0, abs=1e-3)
    assert said[0].startswith("braking before the fence, at [5.")


def test_a_target_beyond_the_fence_is_clipped_with_its_numbers() -> None:
    assert LIMITER.follow(START, np.array([9.0, 0.12345, 2.0]))[1] == (
        "position [9.0, 0.123, 2.0] clipped to [6.0, 0.123, 2.0] m by the fence",
    )
    assert LIMITER.follow(START, np.array([6.0, 0.0, 2.0]))[1] == ()


def test_what_is_too_large_to_compute_with_is_clipped_as_well() -> None:
    far = np.array([1e308, -1e308, 1e308])
    moved, clips = LIMITER.follow(START, far)
    kept([START, moved])
    assert clips == ("position [1e+308, -1e+308, 1e+308] clipped to [6.0, -4.0, 5.0] m by the fence",)
    moved, clips = LIMITER.drive(START, far)
    kept([START, moved])
    assert clips[0].startswith("velocity [1e+308, -1e+308, 1e+308] clipped to [")


def test_braking_ends_at_rest() -> None:
    setpoint = FlightSetpoint(START.position, np.array([1.0, 0.0, -0.5]))
    setpoint = LIMITER.brake(setpoint)
    np.testing.assert_allclose(setpoint.velocity, [0.97, 0.0, -0.47])
    for _ in range(40):
        setpoint = LIMITER.brake(setpoint)
    np.testing.assert_array_equal(setpoint.velocity, 0.0)


@pytest.mark.parametrize(("at", "out"), [(6.4, 1.0), (-5.4, -1.0)])
def test_blown_over_the_fence_the_way_back_is_open_and_the_way_out_is_not(at: float, out: float) -> None:
    outside = FlightSetpoint(np.array([at, 0.0, 2.0]), np.zeros(3))
    assert LIMITER.drive(outside, np.array([out, 0.0, 0.0]))[0].velocity[0] == 0.0
    assert LIMITER.brake(outside).velocity[0] == 0.0
    assert LIMITER.drive(outside, np.array([-out, 0.0, 0.0]))[0].velocity[0] == pytest.approx(-out * 0.03)
    setpoints = flown(outside, np.array([out * 9.0, 0.0, 2.0]), 6.0)
    assert setpoints[-1].position[0] == pytest.approx(np.clip(at, -5.0, 6.0), abs=1e-3)


def test_resting_at_the_fence_is_no_braking_before_it() -> None:
    for corner in (LOW, HIGH):
        assert LIMITER.drive(FlightSetpoint(corner, np.zeros(3)), np.zeros(3))[1] == ()
    assert LIMITER.drive(FlightSetpoint(LOW, np.zeros(3)), np.array([-0.1, 0.0, 0.0]))[1] == (
        "braking before the fence, at [-5.0, -4.0, 0.0] m",
    )


def test_it_begins_where_something_is_and_as_it_moves_as_far_as_that_is_allowed() -> None:
    setpoint = LIMITER.begin(START.position, np.array([1.0, -0.5, 0.25]))
    np.testing.assert_array_equal(setpoint.position, START.position)
    np.testing.assert_array_equal(setpoint.velocity, [1.0, -0.5, 0.25])
    np.testing.assert_allclose(LIMITER.begin(START.position, np.array([6.0, 8.0, -9.0])).velocity, [1.2, 1.6, -1.0])
    near = LIMITER.begin(np.array([5.9, 0.0, 2.0]), np.array([2.0, 0.0, 0.0]))
    assert 0.0 < near.velocity[0] < math.sqrt(2.0 * ACCELERATION * 0.1)
    kept(flown(near, np.array([9.0, 0.0, 2.0]), 2.0))
