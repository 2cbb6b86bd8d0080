from __future__ import annotations

import math
from dataclasses import replace

import pytest

from embodied.guards.engagement import Engagement
from tests.embodied.guards.vehicle_states import driving


def test_one_that_has_not_followed_yet_has_not_left() -> None:
    engagement = Engagement(2.0, 3)
    assert engagement.update(driving(engaged=False)) == []
    assert engagement.update(driving()) == []


def test_one_that_has_followed_and_does_not_any_more_has_left_as_long_as_it_does_not() -> None:
    engagement = Engagement(2.0, 3)
    engagement.update(driving())
    for _ in range(3):
        assert engagement.update(driving(engaged=False)) == ["the vehicle has disengaged by itself"]
    assert engagement.update(driving()) == []


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_too_fast_for_some_periods_in_a_row_is_out_of_hand(way: float) -> None:
    engagement = Engagement(2.0, 3)
    fast = driving(2.5 * way)
    assert [engagement.update(fast) for _ in range(2)] == [[], []]
    (why,) = engagement.update(fast)
    assert why == f"the vehicle drives at {2.5 * way:.4g} m/s, over its limit of 2.4 m/s"
    assert engagement.update(fast) == [why]
    assert engagement.update(driving(2.4 * way)) == []
    assert engagement.update(fast) == []


def test_what_it_says_is_broken_ends_it_and_a_person_outranks_all_else() -> None:
    engagement = Engagement(2.0, 1)
    assert engagement.update(driving(faults=("drive fault", "low battery"))) == [
        "the vehicle reports drive fault, low battery"
    ]
    assert engagement.update(driving(9.0, engaged=False, overridden=True, faults=("drive fault",))) == [
        "the vehicle has disengaged by itself",
        "the vehicle drives at 9 m/s, over its limit of 2.4 m/s",
        "the vehicle reports drive fault",
        "a person has taken over",
    ]


@pytest.mark.parametrize("name", ["speed", "steering", "yaw_rate"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_state_with_anything_that_is_no_number_is_none(name: str, value: float) -> None:
    state = driving(1.0)
    assert Engagement.plausible(state) is state
    assert Engagement.plausible(None) is None
    assert Engagement.plausible(replace(state, **{name: value})) is None  # type: ignore[arg-type]
