from __future__ import annotations

import math

import pytest

from embodied.guards.agreement import Agreement

WAITS = "waits for 3 measurements that agree"


def added(agreement: Agreement, *values: float) -> list[str]:
    """Add measurements of one number; return what is waited for after each."""
    refusals = []
    for value in values:
        agreement.add(object(), value)
        refusals.append(agreement.refusal())
    return refusals


def test_at_the_start_the_first_measurement_counts() -> None:
    agreement = Agreement(0.1)
    assert (agreement.begun, agreement.refusal()) == (False, "")
    agreement.forget()
    assert (agreement.begun, agreement.refusal()) == (False, "")
    assert added(agreement, 1.0, 5.0) == ["", ""]
    assert agreement.begun


def test_after_silence_three_must_agree() -> None:
    agreement = Agreement(0.1)
    added(agreement, 1.0, 1.0, 1.0)
    agreement.forget()
    assert (agreement.refusal(), agreement.begun) == (WAITS, True)
    assert added(agreement, 2.0, 2.09, 2.05) == [WAITS, WAITS, ""]
    # Once begun, a body may move as it likes.
    assert added(agreement, 9.0) == [""]


def test_one_that_differs_begins_the_count_again() -> None:
    agreement = Agreement(0.1)
    added(agreement, 1.0)
    agreement.forget()
    assert added(agreement, 1.0, 1.0, 1.2, 1.0, 1.0, 1.0) == [WAITS] * 5 + [""]


def test_every_number_must_agree() -> None:
    agreement = Agreement(0.1)
    agreement.require()
    for first, second in ((0.0, 0.0), (0.0, 0.2), (0.0, 0.0)):
        agreement.add(object(), first, second)
    assert agreement.refusal() == WAITS


def test_one_that_is_read_again_counts_once() -> None:
    agreement = Agreement(0.1)
    agreement.require()
    for _ in range(5):
        agreement.add("the same message", 1.0)
    assert agreement.refusal() == WAITS
    agreement.forget()
    for message in ("the same message", "another", "a third"):
        agreement.add(message, 1.0)
    assert agreement.refusal() == ""


def test_those_that_agreed_already_need_not_come_again() -> None:
    agreement = Agreement(0.1)
    added(agreement, 5.0, 1.0, 1.0, 1.0)
    agreement.require()
    assert agreement.refusal() == ""
    added(agreement, 2.0)
    agreement.require()
    assert agreement.refusal() == WAITS


@pytest.mark.parametrize("apart", [0.1, math.nextafter(0.1, 1.0)])
def test_at_the_tolerance_they_agree_and_beyond_it_they_do_not(apart: float) -> None:
    agreement = Agreement(0.1)
    agreement.require()
    assert added(agreement, 0.0, apart, 0.0)[-1] == ("" if apart == 0.1 else WAITS)
