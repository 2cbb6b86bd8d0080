from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from embodied import Time
from embodied.guards.latch import Latch


def test_it_begins_released_and_any_command_is_newer_than_that() -> None:
    assert Latch().reason == ""
    assert Latch().released < Time(0)


def test_a_stop_stays_with_its_latest_reason_until_a_reset() -> None:
    latch = Latch()
    assert latch.update(["one", "two"], False, Time(1)) is False
    assert latch.reason == "two"
    latch.update(["three"], False, Time(2))
    latch.update([], False, Time(3))
    assert latch.reason == "three"
    assert latch.update([], True, Time(4)) is True
    assert (latch.reason, latch.released) == ("", Time(4))


def test_a_stop_without_a_reason_is_a_stop() -> None:
    latch = Latch()
    latch.update([""], False, Time(1))
    assert latch.reason == "stop"


def test_a_reset_does_nothing_while_there_is_still_a_reason_and_nothing_where_there_was_none() -> None:
    latch = Latch()
    assert latch.update([], True, Time(1)) is False
    assert latch.released < Time(0)
    latch.update(["one"], False, Time(2))
    assert latch.update(["two"], True, Time(3)) is False
    assert (latch.reason, latch.released) == ("two", Time(-1))


@given(st.lists(st.tuples(st.lists(st.sampled_from(["", "a hand"]), max_size=2), st.booleans())))
def test_it_is_stopped_exactly_from_a_stop_to_the_next_reset_without_one(turns: list[tuple[list[str], bool]]) -> None:
    latch, stopped = Latch(), False
    for now, (stops, reset) in enumerate(turns):
        stopped = bool(stops) or (stopped and not reset)
        latch.update(stops, reset, Time(now))
        assert bool(latch.reason) == stopped


def test_it_says_why_nobody_is_followed_as_long_as_it_is_stopped() -> None:
    latch = Latch()
    assert latch.refusal() == ""
    latch.update(["a dog"], False, Time(0))
    assert latch.refusal() == "stopped: a dog; needs a reset and a fresh command"
    latch.update([], True, Time(1))
    assert latch.refusal() == ""
