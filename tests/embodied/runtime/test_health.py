from __future__ import annotations

import pickle

from embodied import SECOND
from embodied.errors import LaunchError, Problem
from embodied.runtime.health import health


def test_health_follows_from_the_declared_rate() -> None:
    every = SECOND // 100
    good = health(101, 0, SECOND, every, SECOND)
    assert (good.alive, good.on_rate, good.declared) == (True, True, 100.0)
    assert not health(80, 0, SECOND, every, SECOND).on_rate
    assert not health(95, 0, SECOND - 4 * every, every, SECOND).alive
    assert health(1, 0, 0, None, SECOND).alive
    assert not health(0, 0, None, every, SECOND).alive


def test_an_error_keeps_its_problems_between_processes() -> None:
    error = LaunchError([Problem("E101", "one"), Problem("E102", "two")])
    again = pickle.loads(pickle.dumps(error))
    assert again.problems == error.problems
    assert str(again) == str(error)
