from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.clock import SECOND, duration, exact, rate_of, show, tick, ticks_by

RATES = st.fractions(min_value=Fraction(1, 100), max_value=10_000, max_denominator=1001)


@given(RATES, st.integers(0, 10_000_000))
def test_a_world_of_the_same_rate_has_made_n_steps_at_tick_n(rate: Fraction, n: int) -> None:
    assert ticks_by(tick(n, rate), rate) == n


@given(RATES, st.integers(0, 1_000_000))
def test_ticks_never_drift_from_the_exact_time(rate: Fraction, n: int) -> None:
    assert 0 <= tick(n, rate) - Fraction(n * SECOND) / rate < 1


@pytest.mark.parametrize("written", [0, -1, float("nan"), float("inf"), 1e9, True, "fast", None, [30]])
def test_an_absurd_rate_is_refused_with_what_was_expected(written: object) -> None:
    with pytest.raises(ValueError, match="expected a rate"):
        rate_of(written)


def test_rates_are_rational() -> None:
    assert rate_of("30000/1001") == Fraction(30000, 1001)
    assert rate_of(0.1) == Fraction(1, 10)


@pytest.mark.parametrize(("written", "ns"), [("15ms", 15_000_000), ("2s", 2 * SECOND), ("0.5 s", SECOND // 2), (0, 0)])
def test_durations_are_read_with_their_unit(written: object, ns: int) -> None:
    assert duration(written) == ns


@pytest.mark.parametrize("written", ["15", "ms", "-1s", -0.1, 15, 1.5, "99999999999s", float("nan"), None, True, "1h"])
def test_an_absurd_duration_is_refused_with_an_example(written: object) -> None:
    with pytest.raises(ValueError, match="such as 15ms"):
        duration(written)


def test_durations_are_shown_in_their_natural_unit() -> None:
    assert [show(n) for n in (5, 1_500, 15_000_000, 2 * SECOND)] == ["5 ns", "1.5 µs", "15 ms", "2 s"]


@given(st.integers(0, 10**15))
def test_an_exact_duration_is_read_back_to_the_nanosecond(ns: int) -> None:
    assert duration(exact(ns)) == ns


def test_an_exact_duration_is_short_where_it_can_be() -> None:
    assert [exact(n) for n in (300_000_000, 1_250_000_000, 10 * SECOND, 1234567)] == [
        "300ms",
        "1.25s",
        "10s",
        "1234567ns",
    ]
