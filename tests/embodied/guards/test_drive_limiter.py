from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards.cornering import Cornering
from embodied.guards.drive_limiter import DriveLimiter
from embodied.messages import VehicleCommand
from tests.embodied.guards.vehicle_states import driving

WHEELBASE, LATERAL, PERIOD = 0.6, 1.5, 0.02
DRIVE = DriveLimiter(
    speed=2.0,
    acceleration=1.0,
    braking=2.0,
    steering=0.5,
    slew=0.8,
    cornering=Cornering(WHEELBASE, LATERAL, 4.0),
    period=PERIOD,
)

numbers = st.floats(-1e9, 1e9)
speeds = st.floats(0.0, 4.0)
orders = st.tuples(speeds, st.floats(-1.0, 1.0), st.none() | st.floats(0.05, 5.0))


def ask(speed: float, steering: float = 0.0, acceleration: float | None = None, gear: str = "D") -> VehicleCommand:
    return VehicleCommand(speed=speed, steering=steering, acceleration=acceleration, gear=gear)


@given(numbers, numbers, numbers, numbers, numbers, st.floats(-0.5, 0.5))
def test_whatever_is_asked_of_whatever_drives_it_is_told_what_is_within_its_limits(
    speed: float, steering: float, acceleration: float, at: float, wheels: float, angle: float
) -> None:
    told, _ = DRIVE.follow(angle, ask(speed, steering, acceleration), driving(at, wheels))
    assert told.acceleration is not None
    assert abs(told.speed) <= 2.0
    assert 0.0 <= told.acceleration <= 2.0
    assert abs(told.steering) <= 0.5
    assert abs(told.steering - angle) <= 0.8 * PERIOD + 1e-12
    assert told.speed**2 * abs(math.tan(wheels)) / WHEELBASE <= LATERAL + 1e-9


@settings(max_examples=30)
@given(st.lists(orders, min_size=1, max_size=8))
def test_a_vehicle_that_does_as_it_is_told_is_never_pushed_aside_harder_than_it_may(
    asked: list[tuple[float, float, float | None]],
) -> None:
    speed = angle = 0.0
    for wanted, steering, acceleration in asked:
        for _ in range(60):
            told, _ = DRIVE.follow(angle, ask(wanted, steering, acceleration), driving(speed, angle))
            assert told.acceleration is not None
            before, angle = angle, told.steering
            step = told.acceleration * PERIOD
            change = min(max(told.speed - speed, -step), step)
            assert -2.0 * PERIOD - 1e-9 <= change <= 1.0 * PERIOD + 1e-9
            speed += change
            # What it gains within a period, and the turn within one, are what it may be over.
            assert speed * speed * math.tan(abs(angle)) / WHEELBASE <= LATERAL + 0.1
            turned = speed * speed * abs(math.tan(angle) - math.tan(before)) / WHEELBASE / PERIOD
            assert turned <= 4.0 + 0.5


def test_what_is_within_the_limits_is_told_as_it_was_asked() -> None:
    told, clips = DRIVE.follow(0.1, ask(1.5, 0.105, 0.5), driving(1.4, 0.1))
    assert (told, clips) == (ask(1.5, 0.105, 0.5), ())


def test_what_is_beyond_them_is_clipped_with_its_numbers() -> None:
    told, clips = DRIVE.follow(0.0, ask(3.0, 0.6, -4.0), driving(0.5))
    # At the angle that is asked for and allowed, no more speed than that bend takes.
    fastest = math.sqrt(LATERAL * WHEELBASE / math.tan(0.5))
    assert told.speed == pytest.approx(fastest)
    assert told.acceleration == 1.0
    assert told.steering == pytest.approx(0.016)
    assert clips == (
        "speed 3 clipped to 1.284 m/s",
        "acceleration 4 clipped to 1 m/s²",
        "steering 0.6 clipped to 0.016 rad",
    )


@pytest.mark.parametrize(("turned", "still"), [(0.4, 0.0), (0.0, 0.4), (-0.4, 0.0), (0.0, -0.4)])
def test_it_is_as_slow_as_the_sharpest_of_where_the_wheels_are_and_are_told_to_be(turned: float, still: float) -> None:
    told, _ = DRIVE.follow(turned, ask(2.0), driving(0.5, still))
    allowed = abs(turned) - 0.8 * PERIOD if turned else abs(still)
    assert told.speed == pytest.approx(math.sqrt(LATERAL * WHEELBASE / math.tan(allowed)))


@pytest.mark.parametrize(
    ("at", "speed", "limit"),
    [(1.0, 1.5, 1.0), (1.0, 0.5, 2.0), (0.0, 0.5, 1.0), (0.0, 0.0, 1.0), (-1.0, -0.5, 2.0), (-0.5, -1.0, 1.0)],
)
def test_who_leaves_the_acceleration_open_gains_speed_by_one_limit_and_loses_it_by_the_other(
    at: float, speed: float, limit: float
) -> None:
    told, clips = DRIVE.follow(0.0, ask(speed), driving(at))
    assert (told.acceleration, clips) == (limit, ())
    assert DRIVE.follow(0.0, ask(speed, 0.0, -0.3), driving(at))[0].acceleration == 0.3


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_fast_it_steers_less_far_and_less_quickly(side: float) -> None:
    angle = 0.0
    for _ in range(100):
        before, angle = angle, DRIVE.follow(angle, ask(2.0, side * 0.5), driving(2.0, angle))[0].steering
        if not before:
            assert abs(angle) == pytest.approx(4.0 * WHEELBASE / 4.0 * PERIOD)
    assert angle == pytest.approx(side * math.atan(LATERAL * WHEELBASE / 4.0))


def test_a_stop_brakes_as_hard_as_it_may_with_the_wheels_where_they_are() -> None:
    assert DRIVE.stop(0.2, "R") == VehicleCommand(speed=0.0, acceleration=2.0, steering=0.2, gear="R")
