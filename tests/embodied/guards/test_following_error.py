from __future__ import annotations

import numpy as np
import pytest

from embodied.guards import following_error
from embodied.guards.following_error import FollowingError, VelocityLag

FAR = "joint1 is 0.5 rad from its set-point, over its limit of 0.4 rad"


def test_beyond_the_limit_nobody_is_followed_and_after_some_periods_it_is_a_reason_to_stop() -> None:
    following = FollowingError(0.4, "rad", 3)
    assert (following.refusal, following.cause) == ("", "")
    seen = []
    for distance in (0.0, 0.4, 0.5, 0.5, 0.5, 0.1, 0.5):
        following.update("joint1", distance)
        seen.append((following.refusal, following.cause))
    assert seen == [("", ""), ("", ""), (FAR, ""), (FAR, ""), (FAR, FAR), ("", ""), (FAR, "")]


def test_it_begins_again_where_there_is_nothing_to_compare() -> None:
    following = FollowingError(0.4, "rad", 2)
    following.update("joint1", 0.5)
    assert following.cause == ""
    following.update("joint1", 0.5)
    assert following.cause == FAR
    following.reset()
    assert (following.refusal, following.cause) == ("", "")
    following.update("joint1", 0.5)
    assert (following.refusal, following.cause) == (FAR, "")


def test_velocities_that_are_followed_leave_no_lag() -> None:
    lag = VelocityLag(np.array([2.0, 2.0]), 0.01)
    for tick in range(100):
        left = lag.update(np.array([1.0, -1.0]), np.array([0.01, -0.01]) * tick)
    assert left == pytest.approx([0.0, 0.0], abs=1e-12)


def test_the_first_measurement_is_where_it_begins() -> None:
    lag = VelocityLag(np.array([2.0]), 0.01)
    assert lag.update(np.array([1.0]), np.array([3.0])) == [0.0]
    assert lag.update(np.array([1.0]), np.array([3.0])) == pytest.approx([0.01])
    assert lag.update(np.array([-1.0]), np.array([3.0])) == pytest.approx([0.01 * 0.99 - 0.01])


def test_joints_that_do_not_move_lag_by_what_was_commanded_within_about_a_second() -> None:
    lag, still = VelocityLag(np.array([2.0]), 0.01), np.array([0.0])
    ways = [float(lag.update(np.array([0.5]), still)[0]) for _ in range(1000)]
    assert ways[50] == pytest.approx(0.5 * (1 - 0.99**50))
    assert ways[-1] == pytest.approx(0.5, rel=1e-3)


@pytest.mark.parametrize("way", [1.0, -1.0])
def test_what_somebody_else_moved_is_no_lag(way: float) -> None:
    lag = VelocityLag(np.array([2.0]), 0.01)
    lag.update(np.array([0.0]), np.array([0.0]))
    # Twice as far as it can move in one period counts, and no more.
    assert lag.update(np.array([0.0]), np.array([way])) == pytest.approx([-way * 0.04])
    assert lag.update(np.array([0.0]), np.array([way * 1.04])) == pytest.approx([-way * (0.04 * 0.99 + 0.04)])


def test_it_forgets_and_keeps_nothing_that_others_may_write_to() -> None:
    lag, place = VelocityLag(np.array([2.0]), 0.01), np.array([0.0])
    for _ in range(20):
        lag.update(np.array([1.0]), place)
    lag.forget()
    assert lag.update(np.array([1.0]), place) == [0.0]
    place += 0.03
    assert lag.update(np.array([0.0]), np.array([0.0])) == [0.0]


def test_a_lag_is_forgotten_with_its_time_constant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following_error, "LAG_MEMORY", 0.5)
    lag = VelocityLag(np.array([2.0]), 0.01)
    lag.update(np.array([0.0]), np.array([0.0]))
    lag.update(np.array([1.0]), np.array([0.0]))
    assert lag.update(np.array([0.0]), np.array([0.0])) == pytest.approx([0.01 * (1 - 0.01 / 0.5)])
