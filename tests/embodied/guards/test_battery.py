from __future__ import annotations

import math

import pytest

from embodied.guards.battery import low_battery


@pytest.mark.parametrize("charge", [0.2, 0.201, 1.0, math.nan])
def test_a_charge_down_to_the_reserve_and_an_unknown_one_are_not_low(charge: float) -> None:
    assert low_battery(charge, 0.2) == ""


def test_a_charge_below_the_reserve_is_low_and_both_are_said() -> None:
    assert low_battery(0.1999, 0.25) == "the battery is at 20 %, and 25 % are its reserve"
    assert low_battery(0.0, 0.155) == "the battery is at 0 %, and 15.5 % are its reserve"
