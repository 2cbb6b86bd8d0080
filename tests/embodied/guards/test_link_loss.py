from __future__ import annotations

from embodied.clock import Time
from embodied.guards.link_loss import LinkLoss


def test_silence_in_flight_is_a_loss_only_beyond_patience() -> None:
    link = LinkLoss(2_000_000_000)
    assert link.update(True, True, Time(1_000_000_000)) == ""
    assert link.update(False, True, Time(3_000_000_000)) == ""
    assert link.update(False, True, Time(3_000_000_001)) == "nobody has commanded for 2 s"


def test_who_is_heard_again_ends_it() -> None:
    link = LinkLoss(1_000_000_000)
    link.update(True, True, Time(0))
    assert link.update(False, True, Time(5_000_000_000))
    assert link.update(True, True, Time(6_000_000_000)) == ""
    assert link.update(False, True, Time(7_000_000_000)) == ""


def test_on_the_ground_nobody_has_to_say_anything() -> None:
    link = LinkLoss(1_000_000_000)
    assert link.update(False, False, Time(9_000_000_000)) == ""
    assert link.update(False, True, Time(10_000_000_000)) == ""
    assert link.update(False, True, Time(10_000_000_001))


def test_a_guard_that_begins_in_the_air_counts_from_then() -> None:
    assert LinkLoss(1_000_000_000).update(False, True, Time(9_000_000_000)) == ""
