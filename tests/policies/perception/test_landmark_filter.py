from __future__ import annotations

import pytest

from embodied import Time
from policies.perception.landmark_filter import CurvatureMap, Landmark, Obstacle


def ms(count: int) -> Time:
    return Time(count * 1_000_000)


def test_a_mark_is_the_median_of_its_newest_looks_wherever_they_were_made() -> None:
    mark = Landmark(5, 1.0)
    mark.observe(0.0, 4.0)
    mark.observe(0.5, 3.5)
    assert mark.distance(0.5) is None
    mark.observe(1.0, 9.0)
    assert mark.distance(1.0) == pytest.approx(3.0)
    for way in (1.5, 2.0, 2.5, 2.6, 2.7):
        mark.observe(way, 4.2 - way)
    assert mark.distance(2.7) == pytest.approx(1.5)


def test_under_the_nose_a_mark_stays_where_it_was_seen() -> None:
    mark = Landmark(3, 1.0)
    for way in (0.0, 0.1, 0.2):
        mark.observe(way, 1.2 - way)
    for _ in range(20):
        mark.observe(0.3, None)
    assert mark.distance(1.1) == pytest.approx(0.1)


def test_near_by_the_way_driven_is_believed_and_no_look() -> None:
    mark = Landmark(3, 1.0)
    for way in (0.0, 0.1, 0.2):
        mark.observe(way, 1.2 - way)
    for way in (0.3, 0.4, 0.5, 0.6):
        mark.observe(way, 1.1)
    assert mark.distance(0.6) == pytest.approx(0.6)


def test_a_mark_that_is_not_seen_where_it_should_be_is_forgotten() -> None:
    mark = Landmark(3, 1.0)
    for _ in range(3):
        mark.observe(0.0, 4.0)
    mark.observe(0.0, None)
    assert mark.distance(0.0) == pytest.approx(4.0)
    mark.observe(0.0, None)
    assert mark.distance(0.0) is None
    mark.observe(0.0, None)
    mark.observe(0.0, 4.0)
    assert mark.distance(0.0) is None


def test_looks_that_were_none_do_not_make_a_mark() -> None:
    mark = Landmark(3, 1.0)
    for distance in (4.0, None, 0.2, None, 4.0):
        mark.observe(0.0, distance)
        assert mark.distance(0.0) is None


def test_an_obstruction_counts_at_once_and_until_the_view_was_clear_for_a_while() -> None:
    obstruction = Obstacle(1.0)
    obstruction.observe(0.0, None, ms(0))
    assert obstruction.distance(0.0) is None
    obstruction.observe(0.5, 3.0, ms(100))
    assert obstruction.distance(1.0) == pytest.approx(2.5)
    obstruction.observe(1.0, None, ms(1099))
    assert obstruction.distance(1.0) == pytest.approx(2.5)
    obstruction.observe(1.0, 2.4, ms(1099))
    obstruction.observe(1.0, None, ms(2098))
    assert obstruction.distance(1.0) == pytest.approx(2.4)
    obstruction.observe(1.0, None, ms(2099))
    assert obstruction.distance(1.0) is None


def test_a_bend_is_where_it_was_told_to_be_and_between_two_looks_in_between() -> None:
    bends = CurvatureMap(1.0)
    assert bends.at(0.0) == 0.0
    bends.observe(0.0, 0.0)
    bends.observe(0.5, 0.2)
    assert bends.at(0.3) == 0.0
    assert bends.at(1.25) == pytest.approx(0.1)
    assert bends.at(9.0) == pytest.approx(0.2)


def test_a_bend_that_lies_behind_is_forgotten() -> None:
    bends = CurvatureMap(1.0)
    for way in (0.0, 1.0, 2.5):
        bends.observe(way, way)
    assert bends.at(1.0) == pytest.approx(1.0)
    for _ in range(1000):
        bends.observe(2.5, 2.5)
    assert len(bends._samples) < 10
