from __future__ import annotations

import math

import numpy as np
import pytest

from embodied.messages import Vector
from embodied.world import Verdict
from sims.airfield.judge import AirfieldJudge, Inspection
from sims.judging import Flight

LOOKS = 20
GOAL = Inspection(
    marker="marker7",
    hold=np.array([3.0, -2.0, 2.0]),
    pad=np.zeros(2),
    low=np.array([-9.0, -9.0, -0.5]),
    high=np.array([9.0, 9.0, 8.0]),
    limit=60.0,
)


class Run:
    """A judge, and the time it has come to."""

    def __init__(self) -> None:
        self.judge = AirfieldJudge(GOAL, LOOKS)
        self.count = 0

    def see(
        self, seconds: float, position: Vector, grounded: bool = False, off: bool = False, tilt: float = 0.0
    ) -> None:
        for _ in range(round(seconds * LOOKS)):
            self.count += 1
            self.judge.look(self.count / LOOKS, Flight(position, 0.0, tilt, grounded, off))

    def hold(self, seconds: float = 8.0, error: float = 0.05) -> None:
        self.see(seconds, GOAL.hold + np.array([error, 0.0, 0.0]))

    def land(self, away: float = 0.0) -> None:
        self.see(1.0, np.array([away, 0.0, 0.06]), grounded=True, off=True)

    @property
    def verdict(self) -> Verdict:
        assert self.judge.verdict is not None
        return self.judge.verdict


def test_who_holds_and_lands_passes() -> None:
    run = Run()
    run.hold()
    run.land(0.15)
    assert run.verdict.passed
    assert run.verdict.details["hold"] == pytest.approx(0.05)
    assert run.verdict.details["pad"] == pytest.approx(0.15)


def test_standing_on_the_pad_before_the_flight_is_no_landing() -> None:
    run = Run()
    run.land()
    assert run.judge.verdict is None


def test_a_landing_beside_the_pad_fails() -> None:
    run = Run()
    run.hold()
    run.land(0.21)
    assert not run.verdict.passed
    assert "0.21 m from the pad" in run.verdict.reason


def test_a_landing_counts_only_with_the_rotors_off() -> None:
    run = Run()
    run.hold()
    run.see(3.0, np.array([0.0, 0.0, 0.06]), grounded=True)
    assert run.judge.verdict is None


def test_a_hold_that_is_too_short_fails() -> None:
    run = Run()
    run.hold(7.9)
    run.land()
    assert run.verdict.reason.startswith("it never held over marker7")


def test_two_short_stays_are_no_hold() -> None:
    run = Run()
    run.hold(7.0)
    run.see(0.05, GOAL.hold + np.array([0.6, 0.0, 0.0]))
    run.hold(7.0)
    run.land()
    assert not run.verdict.passed


def test_a_hold_that_strays_fails() -> None:
    run = Run()
    run.hold(error=0.11)
    run.land()
    assert "within 0.110 m, 0.1 allowed" in run.verdict.reason


def test_a_hold_may_stray_for_a_twentieth_of_its_time_and_its_arrival_does_not_count() -> None:
    run = Run()
    run.hold(3.0, 0.45)
    run.hold(9.6)
    run.hold(0.4, 0.3)
    run.land()
    assert run.verdict.passed


def test_leaving_is_no_part_of_a_hold() -> None:
    run = Run()
    run.hold()
    run.hold(1.0, 0.4)
    run.land()
    assert run.verdict.passed
    assert run.verdict.details["hold"] == pytest.approx(0.05)


def test_beyond_the_fence_it_fails_at_once() -> None:
    for beyond in ([9.1, 0.0, 2.0], [0.0, -9.1, 2.0], [0.0, 0.0, 8.1], [math.nan, 0.0, 2.0]):
        run = Run()
        run.see(0.05, np.array(beyond))
        assert "left the fence at 0.05 s" in run.verdict.reason


def test_who_tips_over_fails() -> None:
    run = Run()
    run.see(0.05, np.array([0.0, 0.0, 1.0]), tilt=math.radians(61.0))
    assert "tipped over" in run.verdict.reason


def test_after_its_time_it_fails_and_says_what_is_missing() -> None:
    run = Run()
    run.see(60.0, np.array([0.0, 0.0, 1.0]))
    assert run.verdict.reason == "after 60 s it never held over marker7"
    run = Run()
    run.hold(60.0)
    assert run.verdict.reason == "after 60 s it has not landed and stopped its rotors"


def test_what_was_decided_stays() -> None:
    run = Run()
    run.see(0.05, np.array([20.0, 0.0, 2.0]))
    said = run.verdict
    run.hold()
    run.land()
    assert run.verdict is said
