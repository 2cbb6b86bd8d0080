from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.autopilot import Mixer
from tests.embodied.autopilot.airframe import QUADROTOR

MIXER = Mixer(QUADROTOR)
MOST = QUADROTOR.most


@given(st.floats(12.0, 20.0), st.floats(-0.3, 0.3), st.floats(-0.3, 0.3), st.floats(-0.05, 0.05))
def test_what_the_rotors_can_give_they_give(force: float, roll: float, pitch: float, yaw: float) -> None:
    thrusts = MIXER.mix(force, np.array([roll, pitch, yaw]))
    np.testing.assert_allclose(MIXER.wrench @ thrusts, [force, roll, pitch, yaw], atol=1e-9)


@given(st.floats(-1e3, 1e3), st.floats(-50, 50), st.floats(-50, 50), st.floats(-50, 50))
def test_no_rotor_is_asked_for_more_than_it_has(force: float, roll: float, pitch: float, yaw: float) -> None:
    thrusts = MIXER.mix(force, np.array([roll, pitch, yaw]))
    assert thrusts.min() >= 0.0
    assert thrusts.max() <= MOST


@given(st.floats(0.0, 40.0), st.floats(-1.2, 1.2), st.floats(-1.2, 1.2), st.floats(-50, 50))
def test_a_roll_and_a_pitch_that_fit_survive_any_force_and_any_yaw(
    force: float, roll: float, pitch: float, yaw: float
) -> None:
    given = MIXER.wrench @ MIXER.mix(force, np.array([roll, pitch, yaw]))
    np.testing.assert_allclose(given[1:3], [roll, pitch], atol=1e-9)


@given(st.floats(0.0, 32.0), st.floats(-0.25, 0.25))
def test_a_yaw_that_fits_survives_any_force(force: float, yaw: float) -> None:
    given = MIXER.wrench @ MIXER.mix(force, np.array([0.3, -0.2, yaw]))
    assert given[3] == pytest.approx(yaw if abs(yaw) < 0.1 else given[3], abs=1e-9)
    assert abs(given[3]) <= abs(yaw) + 1e-9
    assert given[3] * yaw >= -1e-12


def test_a_rotor_that_turns_against_the_clock_turns_the_body_with_it() -> None:
    faster = np.where(QUADROTOR.spins > 0, 4.0, 3.0)
    assert (MIXER.wrench @ faster)[3] < 0.0


def test_more_thrust_on_the_left_rolls_to_the_right_and_at_the_back_pitches_down() -> None:
    x, y = QUADROTOR.rotors.T
    assert (MIXER.wrench @ np.where(y > 0, 4.0, 3.0))[1] > 0.0
    assert (MIXER.wrench @ np.where(x < 0, 4.0, 3.0))[2] > 0.0


def test_rotors_that_cannot_turn_it_are_refused() -> None:
    with pytest.raises(ValueError, match="do not turn it about every axis"):
        Mixer(replace(QUADROTOR, spins=np.array([1.0, -1.0, 1.0, -1.0]), rotors=np.zeros((4, 2))))


def test_an_airframe_whose_middle_lies_beside_its_rotors_is_refused() -> None:
    with pytest.raises(ValueError, match="not between them"):
        Mixer(replace(QUADROTOR, rotors=QUADROTOR.rotors + np.array([1.0, 0.3])))
