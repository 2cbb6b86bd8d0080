from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.clock import SECOND, Time
from embodied.geometry import quaternion, rotation, rotation_matrix
from embodied.messages import DroneState
from policies.perception.pose_buffer import PoseBuffer

TURN = np.array([0.1, -0.2, 0.6])  # [rad/s]
SPEED = np.array([1.0, 2.0, -0.5])  # [m/s]


def attitude(seconds: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    return rotation_matrix(seconds * TURN)


def state(seconds: float) -> DroneState:
    """Of a flight with even speed and turn."""
    return DroneState(
        position=SPEED * seconds,
        orientation=quaternion(attitude(seconds)),
        linear_velocity=SPEED,
        angular_velocity=TURN,
        armed=True,
        landed=False,
        mode="",
        frame="world",
        acquired=at(seconds),
    )


def at(seconds: float) -> Time:
    return Time(round(seconds * SECOND))


@pytest.fixture
def known() -> PoseBuffer:
    whereabouts = PoseBuffer()
    for seconds in (1.0, 1.1, 1.2):
        whereabouts.add(state(seconds))
    return whereabouts


@pytest.mark.parametrize("seconds", [1.0, 1.04, 1.1, 1.17, 1.2])
def test_between_two_states_it_moves_evenly(known: PoseBuffer, seconds: float) -> None:
    place = known.at(at(seconds))
    assert place is not None
    np.testing.assert_allclose(place.position, SPEED * seconds, atol=1e-9)
    np.testing.assert_allclose(place.rotation, attitude(seconds), atol=1e-6)


def test_a_little_after_the_newest_state_it_has_gone_on_as_it_moved(known: PoseBuffer) -> None:
    place = known.at(at(1.23))
    assert place is not None
    np.testing.assert_allclose(place.position, SPEED * 1.23, atol=1e-9)
    np.testing.assert_allclose(place.rotation, attitude(1.23), atol=1e-6)


@pytest.mark.parametrize("seconds", [0.99, 1.26])
def test_before_the_first_state_and_long_after_the_last_nothing_is_known(known: PoseBuffer, seconds: float) -> None:
    assert known.at(at(seconds)) is None


def test_between_states_that_lie_far_apart_nothing_is_known(known: PoseBuffer) -> None:
    known.add(state(1.6))
    assert known.at(at(1.4)) is None
    assert known.at(at(1.6)) is not None


def test_a_state_that_is_not_newer_is_not_taken_in(known: PoseBuffer) -> None:
    known.add(state(1.05))
    place = known.at(at(1.15))
    assert place is not None
    np.testing.assert_allclose(place.position, SPEED * 1.15, atol=1e-9)


def test_what_is_old_is_forgotten(known: PoseBuffer) -> None:
    for step in range(1, 12):
        known.add(state(1.2 + 0.1 * step))
    assert known.at(at(1.1)) is None
    assert known.at(at(1.6)) is not None


def test_the_shorter_way_is_taken_between_two_attitudes() -> None:
    whereabouts = PoseBuffer()
    for seconds, yaw in ((0.0, math.pi - 0.1), (0.1, -math.pi + 0.1)):
        turned = quaternion(rotation_matrix(np.array([0.0, 0.0, yaw])))
        whereabouts.add(
            DroneState(
                position=np.zeros(3),
                orientation=turned,
                linear_velocity=np.zeros(3),
                angular_velocity=np.zeros(3),
                armed=True,
                landed=False,
                mode="",
                frame="world",
                acquired=at(seconds),
            )
        )
    place = whereabouts.at(at(0.05))
    assert place is not None
    np.testing.assert_allclose(place.rotation, rotation(np.array([0.0, 0.0, 1.0, 0.0])), atol=1e-6)
