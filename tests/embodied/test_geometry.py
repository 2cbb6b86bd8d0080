"""Rotations and transforms: each conversion is undone by its inverse, and agrees with the others."""

from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.geometry import (
    cross,
    cross_matrix,
    pose_matrices,
    pose_matrix,
    quaternion,
    roll_pitch_yaw,
    rotation,
    transform,
    yaw_angle,
    yaw_quaternion,
)

RNG = np.random.default_rng(15)


@pytest.mark.parametrize("angles", RNG.uniform((-3.1, -1.5, -3.1), (3.1, 1.5, 3.1), (20, 3)).tolist())
def test_roll_pitch_and_yaw_come_back_from_their_rotation(angles: list[float]) -> None:
    turned = transform((0.0, 0.0, 0.0), tuple(angles))[:3, :3]
    np.testing.assert_allclose(roll_pitch_yaw(turned), angles, atol=1e-9)
    assert yaw_angle(turned) == pytest.approx(angles[2])


@pytest.mark.parametrize("pitch", [math.pi / 2, -math.pi / 2])
def test_with_the_x_axis_vertical_yaw_counts_as_roll(pitch: float) -> None:
    turned = transform((0.0, 0.0, 0.0), (0.3, pitch, 0.2))[:3, :3]
    angles = roll_pitch_yaw(turned)
    assert angles[2] == 0.0
    np.testing.assert_allclose(transform((0.0, 0.0, 0.0), tuple(angles))[:3, :3], turned, atol=1e-9)


def test_a_yaw_is_the_same_as_a_quaternion_and_as_an_angle() -> None:
    for yaw in (-3.0, 0.0, 0.7, 3.1):
        assert yaw_angle(rotation(np.array(yaw_quaternion(yaw)))) == pytest.approx(yaw)


def test_one_pose_and_many_have_the_same_matrices() -> None:
    positions, orientations = RNG.normal(size=(5, 3)), RNG.normal(size=(5, 4))
    orientations /= np.linalg.norm(orientations, axis=1, keepdims=True)
    single = [pose_matrix(*each) for each in zip(positions, orientations, strict=True)]
    np.testing.assert_allclose(pose_matrices(positions, orientations), single, atol=1e-15)
    signs = np.sign(orientations[:, 3:])
    np.testing.assert_allclose([quaternion(each[:3, :3]) for each in single], signs * orientations, atol=1e-12)


def test_the_cross_product_has_the_same_bits_as_numpys() -> None:
    for one, other in RNG.normal(size=(100, 2, 3)) * 10.0 ** RNG.uniform(-9, 9, (100, 2, 3)):
        assert cross(one, other).tobytes() == np.cross(one, other).tobytes()


def test_the_cross_matrix_multiplies_as_the_cross_product_does() -> None:
    one, other = RNG.normal(size=(2, 3))
    np.testing.assert_allclose(cross_matrix(one) @ other, np.cross(one, other))
