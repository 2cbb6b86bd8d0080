from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from embodied.guards.upset import Upset
from tests.embodied.guards.drone_rig import flying, leaning


def test_a_lean_is_an_upset_only_after_its_periods_in_a_row() -> None:
    upset = Upset(0.5, 3.0, 3)
    state = leaning(0.6)
    assert [upset.update(state) for _ in range(2)] == ["", ""]
    assert upset.update(state) == "tilted by 34.4°, over its limit of 28.6°"
    assert upset.update(flying()) == ""
    assert upset.update(state) == ""


@pytest.mark.parametrize("axis", [0, 1])
def test_a_lean_counts_in_every_direction_and_a_turn_is_none(axis: int) -> None:
    upset = Upset(0.5, 3.0, 1)
    assert upset.update(leaning(-0.6, axis))
    assert upset.update(leaning(0.49, axis)) == ""
    assert upset.update(leaning(2.0, 2)) == ""


def test_speed_over_the_ground_counts_and_a_climb_does_not() -> None:
    upset = Upset(0.5, 3.0, 1)
    assert upset.update(flying(velocity=(3.0, 0.0, 9.0))) == ""
    assert upset.update(flying(velocity=(2.4, -1.9, 0.0))) == "flies at 3.061 m/s, over its limit of 3 m/s"


def test_at_its_limit_it_is_not_over_it_and_what_is_over_is_named() -> None:
    upset = Upset(math.pi, 3.0, 1)
    upside_down = (1.0, 0.0, 0.0, 0.0)
    assert upset.update(flying(orientation=upside_down)) == ""
    fast = flying(orientation=upside_down, velocity=(4.0, 0.0, 0.0))
    assert upset.update(fast) == "flies at 4 m/s, over its limit of 3 m/s"


def test_upside_down_counts_though_rounding_made_the_quaternion_too_long() -> None:
    assert Upset(3.14, 3.0, 1).update(flying(orientation=(1.0 + 1e-9, 0.0, 0.0, 0.0))) == (
        "tilted by 180°, over its limit of 180°"
    )


@pytest.mark.parametrize("name", ["position", "orientation", "linear_velocity", "angular_velocity"])
def test_a_state_with_anything_that_is_no_number_of_a_flight_is_none(name: str) -> None:
    state = flying()
    assert Upset.plausible(state) is state
    assert Upset.plausible(None) is None
    for nonsense in (math.nan, math.inf, -1e6):
        broken = np.array(getattr(state, name))
        broken[-1] = nonsense
        assert Upset.plausible(replace(state, **dict[str, Any]({name: broken}))) is None


def test_a_state_far_away_is_one() -> None:
    state = flying((-9e5, 9e5, 9e3))
    assert Upset.plausible(state) is state


@pytest.mark.parametrize(
    "orientation", [(0.0, 0.0, 0.0, 0.0), (0.1, 0.0, 0.0, 0.0), (0.0, 0.0, 0.0, 0.9899), (0.0, 0.0, 0.8, 0.65)]
)
def test_an_orientation_that_is_no_rotation_is_no_state(orientation: tuple[float, ...]) -> None:
    assert Upset.plausible(flying(orientation=orientation)) is None


def test_an_orientation_that_was_rounded_is_one() -> None:
    for length in (0.9901, 1.0099):
        state = flying(orientation=(0.0, 0.0, 0.0, length))
        assert Upset.plausible(state) is state
