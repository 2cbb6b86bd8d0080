from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from embodied.autopilot import Controller, Estimate, Estimator, Setpoint
from embodied.autopilot.estimator import MISFITS_MOST
from embodied.geometry import norm, rotation, rotation_matrix, rotation_vector
from embodied.messages import Vector
from tests.embodied.autopilot.airframe import DT, HOVER, QUADROTOR, Airframe


def errors(estimate: Estimate, body: Airframe) -> tuple[float, float, float]:
    """Of position [m], velocity [m/s] and attitude [rad]."""
    turn = rotation_vector(rotation(estimate.orientation).T @ body.attitude)
    return norm(estimate.position - body.position), norm(estimate.velocity - body.velocity), norm(turn)


def flight(body: Airframe, seconds: float, estimator: Estimator) -> Vector:
    """Fly a square by what the estimator says; the errors at every step, shape (steps, 3)."""
    controller, found = Controller(QUADROTOR), []
    for count in range(round(seconds / DT)):
        estimate = estimator.update(body.read())
        found.append(errors(estimate, body))
        corner = count // 900 % 4
        target = np.array([2.0 * (corner in (1, 2)), 2.0 * (corner in (2, 3)), 2.5])
        body.fly(controller.step(estimate, Setpoint(target, yaw=0.3 * corner), DT))
    return np.array(found)


def hovering(estimator: Estimator, body: Airframe, seconds: float) -> Estimate:
    """Thrusts of a hover, open loop: an exact body does not move."""
    for _ in range(round(seconds / DT)):
        estimate = estimator.update(body.read())
        body.fly(HOVER)
    return estimate


def test_exact_sensors_give_the_exact_state() -> None:
    assert flight(Airframe(), 8.0, Estimator(QUADROTOR)).max() < 0.03


def test_noisy_and_biased_sensors_give_a_state_that_can_be_flown_by() -> None:
    found = flight(Airframe(np.random.default_rng(0)), 14.0, Estimator(QUADROTOR))[600:]
    position, velocity, attitude = np.quantile(found, 0.95, axis=0)
    assert position < 0.05
    assert velocity < 0.10
    assert attitude < math.radians(3.0)


def test_on_a_slope_it_begins_with_the_slope() -> None:
    body = Airframe()
    body.attitude = rotation_matrix(np.array([0.0, 0.0, 1.0])) @ rotation_matrix(np.array([0.1, -0.2, 0.0]))
    level = replace(body.read(), specific_force=body.attitude.T @ np.array([0.0, 0.0, 9.81]), position=None)
    assert errors(Estimator(QUADROTOR).update(level), body)[2] < 1e-6


def test_before_a_fix_it_is_not_ready_and_counts_from_where_it_stands() -> None:
    body, estimator = Airframe(), Estimator(QUADROTOR)
    estimate = estimator.update(replace(body.read(), position=None, velocity=None))
    before = estimator.ready
    np.testing.assert_array_equal(estimate.position, [0.0, 0.0, 0.0])
    estimate = estimator.update(body.read())
    assert (before, estimator.ready) == (False, True)
    np.testing.assert_allclose(estimate.position, [0.0, 0.0, 2.0], atol=0.01)


def test_between_fixes_it_is_carried_on_by_what_the_body_feels() -> None:
    body, estimator = Airframe(), Estimator(QUADROTOR)
    hovering(estimator, body, 2.0)
    body.velocity = np.array([0.0, 0.0, 0.0])
    body.wind = np.array([1.5, 0.0, 0.0])
    for _ in range(round(0.5 / DT)):
        body.fly(HOVER)
        estimate = estimator.update(replace(body.read(), position=None, velocity=None))
    assert body.velocity[0] == pytest.approx(0.5)
    np.testing.assert_allclose(estimate.velocity, body.velocity, atol=0.02)


def test_a_wrong_gyroscope_is_found_out() -> None:
    body, estimator = Airframe(), Estimator(QUADROTOR)
    for _ in range(round(10.0 / DT)):
        sensors = body.read()
        wrong = sensors.angular_velocity + np.array([0.02, -0.01, 0.015])
        estimate = estimator.update(replace(sensors, angular_velocity=wrong))
        body.fly(HOVER)
    np.testing.assert_allclose(estimate.angular_velocity, 0.0, atol=0.003)


def test_a_fix_that_jumps_is_not_believed_until_it_insists() -> None:
    body, estimator = Airframe(), Estimator(QUADROTOR)
    hovering(estimator, body, 2.0)
    far = np.array([5.0, 0.0, 2.0])
    for _ in range(MISFITS_MOST - 1):
        estimate = estimator.update(replace(body.read(), position=far, velocity=np.zeros(3)))
    assert norm(estimate.position - body.position) < 0.05
    estimate = estimator.update(replace(body.read(), position=far, velocity=np.zeros(3)))
    np.testing.assert_allclose(estimate.position, far, atol=0.05)


def test_a_knock_says_little_about_the_way() -> None:
    soft, hard = Estimator(QUADROTOR), Estimator(replace(QUADROTOR, most=1e6))
    body = Airframe()
    found = []
    for estimator in (soft, hard):
        hovering(estimator, body, 1.0)
        body.fly(HOVER)
        knocked = replace(body.read(), specific_force=np.array([0.0, 0.0, 300.0]), position=None, velocity=None)
        estimator.update(knocked)
        for _ in range(60):
            body.fly(HOVER)
            estimate = estimator.update(body.read())
        found.append(abs(float(estimate.velocity[2])))
    assert found[0] < 0.7 * found[1]


def test_the_heading_is_that_of_the_magnetometer_across_the_seam() -> None:
    body, estimator = Airframe(), Estimator(QUADROTOR)
    body.attitude = rotation_matrix(np.array([0.0, 0.0, math.pi]))
    for count in range(300):
        estimate = estimator.update(replace(body.read(), heading=math.pi * (-1) ** count))
        body.fly(HOVER)
    assert errors(estimate, body)[2] < 1e-6
