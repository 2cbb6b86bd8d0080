from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.autopilot import Controller, Estimate, Limits, Setpoint
from embodied.messages import Vector
from tests.embodied.autopilot.airframe import DT, HOVER, QUADROTOR, Airframe


def seen(body: Airframe) -> Estimate:
    return Estimate(body.position, body.velocity, body.orientation, body.turning, body.now)


def flown(setpoint: Setpoint, seconds: float, body: Airframe, limits: Limits | None = None) -> Iterator[Airframe]:
    """The body after every step of a flight."""
    controller = Controller(QUADROTOR, limits)
    for _ in range(round(seconds / DT)):
        body.fly(controller.step(seen(body), setpoint, DT))
        yield body


def ended(setpoint: Setpoint, seconds: float, body: Airframe, limits: Limits | None = None) -> Airframe:
    *_, last = flown(setpoint, seconds, body, limits)
    return last


def test_at_its_setpoint_it_hovers() -> None:
    body = Airframe()
    np.testing.assert_allclose(Controller(QUADROTOR).step(seen(body), Setpoint(body.position), DT), HOVER, atol=1e-9)


@settings(max_examples=2)
@given(st.tuples(st.floats(-4, 4), st.floats(-4, 4), st.floats(1, 4)), st.floats(-math.pi, math.pi))
def test_it_comes_to_any_position_and_heading(target: tuple[float, float, float], yaw: float) -> None:
    body = ended(Setpoint(np.array(target), yaw=yaw), 9.0, Airframe())
    np.testing.assert_allclose(body.position, target, atol=0.02)
    assert abs(math.remainder(math.atan2(body.attitude[1, 0], body.attitude[0, 0]) - yaw, math.tau)) < 0.02


@pytest.mark.parametrize("velocity", [(1.0, 0.5, 0.0), (-2.0, 0.0, 0.4), (0.0, 0.0, -0.8)])
def test_it_keeps_a_velocity(velocity: tuple[float, float, float]) -> None:
    body = ended(Setpoint(velocity=np.array(velocity)), 5.0, Airframe())
    np.testing.assert_allclose(body.velocity, velocity, atol=0.02)


def test_with_nothing_to_do_it_comes_to_rest() -> None:
    body = Airframe()
    body.velocity = np.array([2.0, -1.0, 0.5])
    np.testing.assert_allclose(ended(Setpoint(), 5.0, body).velocity, 0.0, atol=0.02)


def test_a_position_that_moves_is_followed_without_lagging_behind_it() -> None:
    body, controller = Airframe(), Controller(QUADROTOR)
    velocity = np.array([1.0, 0.0, 0.0])
    target = body.position
    for _ in range(round(6.0 / DT)):
        target = target + DT * velocity
        body.fly(controller.step(seen(body), Setpoint(target, velocity), DT))
    np.testing.assert_allclose(body.position, target, atol=0.03)


def test_a_steady_wind_moves_it_no_further_than_it_can_be_learned() -> None:
    body = Airframe()
    body.wind = np.array([1.0, -0.5, 0.0])
    np.testing.assert_allclose(ended(Setpoint(np.array([0.0, 0.0, 2.0])), 8.0, body).position, [0, 0, 2], atol=0.01)


def test_far_setpoints_are_flown_within_the_limits() -> None:
    limits = Limits(speed=2.0, climb=1.0, descent=0.7, tilt=0.3)
    for target in ((30.0, -20.0, 30.0), (-30.0, 10.0, -30.0)):
        body = Airframe()
        states = [
            (step.velocity, math.acos(step.attitude[2, 2]))
            for step in flown(Setpoint(np.array(target)), 6.0, body, limits)
        ]
        velocities = np.array([velocity for velocity, _ in states])
        assert np.linalg.norm(velocities[:, :2], axis=1).max() < 1.1 * limits.speed
        assert velocities[:, 2].max() < 1.1 * limits.climb
        assert velocities[:, 2].min() > -1.1 * limits.descent
        assert max(tilt for _, tilt in states) < 1.15 * limits.tilt


def test_it_stops_at_a_far_setpoint_without_flying_past_it() -> None:
    target = np.array([12.0, 0.0, 2.0])
    beyond = max(float(body.position[0]) for body in flown(Setpoint(target), 12.0, Airframe()))
    assert beyond < 12.0 + 0.15


def test_thrown_on_its_back_it_recovers() -> None:
    body = Airframe()
    body.attitude, body.position = np.diag([1.0, -1.0, -1.0]), np.array([0.0, 0.0, 20.0])
    body.turning = np.array([0.3, 0.2, 0.0])
    body = ended(Setpoint(np.array([0.0, 0.0, 15.0])), 10.0, body)
    np.testing.assert_allclose(body.position, [0, 0, 15], atol=0.05)


def test_a_large_turn_does_not_disturb_the_tilt() -> None:
    def tilt(yaw: float) -> float:
        body = Airframe()
        body.velocity, body.wind = np.array([0.4, -0.2, 0.0]), np.array([0.5, 0.0, 0.0])
        setpoint = Setpoint(np.array([0.0, 0.0, 2.0]), yaw=yaw)
        return max(math.acos(min(1.0, float(step.attitude[2, 2]))) for step in flown(setpoint, 3.0, body))

    straight = tilt(0.0)
    for yaw in (1.5, 2.9, -3.1):
        assert tilt(yaw) < 1.2 * straight


def test_a_reset_forgets_the_wind() -> None:
    controller, body = Controller(QUADROTOR), Airframe()
    first = controller.step(seen(body), Setpoint(np.array([0.3, 0.0, 2.0])), DT)
    for _ in range(100):
        controller.step(seen(body), Setpoint(np.array([0.3, 0.0, 2.0])), DT)
    learned = controller.step(seen(body), Setpoint(np.array([0.3, 0.0, 2.0])), DT)
    controller.reset()
    np.testing.assert_array_equal(controller.step(seen(body), Setpoint(np.array([0.3, 0.0, 2.0])), DT), first)
    assert not np.array_equal(learned, first)


vectors = st.tuples(*[st.floats(-1e3, 1e3)] * 3).map(np.array)


@given(vectors, vectors, vectors, st.floats(-10, 10))
def test_whatever_it_is_told_the_rotors_get_what_they_can_do(
    position: Vector, velocity: Vector, turning: Vector, yaw: float
) -> None:
    estimate = replace(seen(Airframe()), velocity=velocity, angular_velocity=turning)
    thrusts = Controller(QUADROTOR).step(estimate, Setpoint(position, yaw=yaw), DT)
    assert np.isfinite(thrusts).all()
    assert thrusts.min() >= 0.0
    assert thrusts.max() <= QUADROTOR.most


def test_an_airframe_that_is_too_heavy_is_refused() -> None:
    with pytest.raises(ValueError, match=r"do not lift a weight of 98\.1 N"):
        Controller(replace(QUADROTOR, mass=10.0))


@pytest.mark.parametrize(("name", "value"), [("speed", 0.0), ("tilt", math.nan), ("turn", math.inf), ("climb", -1.0)])
def test_a_limit_that_is_none_is_refused(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=name):
        Limits(**{name: value})


def test_a_tilt_with_which_nothing_lifts_is_refused() -> None:
    with pytest.raises(ValueError, match=r"tilt must be in \(0, 1.2\] rad"):
        Limits(tilt=1.5)
