from __future__ import annotations

import math

import pytest

from embodied.world import Verdict
from sims.road.judge import RoadJudge, Route, VehicleMotion

LOOKS = 20
NOSE = 0.75


class Run:
    """A judge, and how far the ride has come."""

    def __init__(self, obstacle: float | None = None) -> None:
        self.judge = RoadJudge(Route(stop=20.0, obstacle=obstacle, limit=60.0))
        self.count, self.along = 0, 0.0

    def go(self, to: float, offset: float = 0.0, speed: float = 1.0, touched: str = "") -> None:
        while self.along < to:
            self.along += speed / LOOKS
            self._look(offset, speed, touched)

    def stand(self, seconds: float, offset: float = 0.0, held: bool = True) -> None:
        for _ in range(round(seconds * LOOKS)):
            self._look(offset, 0.0, held=held)

    def _look(self, offset: float, speed: float, touched: str = "", held: bool = False) -> None:
        self.count += 1
        nose = self.along + NOSE
        self.judge.look(self.count / LOOKS, VehicleMotion(self.along, offset, nose, speed, touched, held))

    @property
    def verdict(self) -> Verdict:
        assert self.judge.verdict is not None
        return self.judge.verdict


def test_who_keeps_to_the_lane_and_rests_before_the_line_passes() -> None:
    run = Run()
    run.go(19.0, 0.05)
    run.stand(2.9)
    assert run.judge.verdict is None
    run.stand(0.2)
    assert run.verdict.passed
    assert run.verdict.details["strayed"] == pytest.approx(0.05)
    assert run.verdict.details["gap"] == pytest.approx(0.25, abs=0.06)


def test_standing_too_early_or_without_brakes_is_no_arrival() -> None:
    run = Run()
    run.go(18.6)
    run.stand(5.0)
    run.go(19.0)
    run.stand(5.0, held=False)
    assert run.judge.verdict is None


def test_a_rest_that_is_broken_off_begins_anew() -> None:
    run = Run()
    run.go(18.9)
    run.stand(2.5)
    run.go(19.0)
    run.stand(2.5)
    assert run.judge.verdict is None


def test_past_the_stop_line_it_fails_at_once() -> None:
    run = Run()
    run.go(19.31)
    assert "past the stop line" in run.verdict.reason


def test_a_ride_that_strays_fails_and_standing_does_not_make_it_better() -> None:
    run = Run()
    run.go(2.0, 0.1)
    run.stand(20.0)
    run.go(19.0)
    run.stand(3.1)
    assert "within 0.100 m of the middle of the lane, 0.08 allowed" in run.verdict.reason


def test_a_ride_may_stray_for_a_twentieth_of_its_way() -> None:
    run = Run()
    run.go(18.1, 0.05)
    run.go(19.0, 0.3)
    run.stand(3.1)
    assert run.verdict.passed


@pytest.mark.parametrize("offset", [0.46, -0.46, math.nan])
def test_off_the_lane_it_fails_at_once(offset: float) -> None:
    run = Run()
    run.go(0.05, offset)
    assert "left its lane at 0.05 s" in run.verdict.reason


def test_who_touches_anything_fails() -> None:
    run = Run(obstacle=10.0)
    run.go(0.05, touched="obstacle")
    assert "touched the obstacle" in run.verdict.reason


def test_who_does_not_stand_for_what_stands_there_fails() -> None:
    run = Run(obstacle=10.0)
    run.go(9.4)
    assert "did not stand" in run.verdict.reason
    run = Run(obstacle=10.0)
    run.go(8.5)
    run.stand(3.0)
    run.judge.cleared()
    run.go(19.0)
    run.stand(3.1)
    assert run.verdict.passed


def test_after_its_time_it_fails_and_says_what_is_missing() -> None:
    run = Run(obstacle=10.0)
    run.go(8.53)
    run.stand(60.0)
    assert run.verdict.reason == "after 60 s what stood in its lane still does; it is 10.70 m before the line"
    run = Run()
    run.stand(60.0)
    assert run.verdict.reason.startswith("after 60 s it does not stand before the stop line")


def test_what_was_decided_stays() -> None:
    run = Run()
    run.go(19.31)
    said = run.verdict
    run.stand(10.0)
    assert run.verdict is said
