from __future__ import annotations

import itertools
import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied import SECOND, Time
from embodied.errors import LaunchError, Problem
from embodied.health import health
from embodied.launch import Overrides
from embodied.suite import Job, Result, Summary, run_seed, run_suite, wilson
from embodied.world import Verdict

LAUNCH = """\
embodied: 1
clock: lockstep
world: {{use: "tests.embodied.test_suite:Waiting", with: {{fails: {fails}, breaks: {breaks}}}}}
nodes:
  clock: {{use: "tests.embodied.{node}"}}
faults:
  - {{silence: clock, at: {{from: 0s, to: 500ms}}, for: {{from: 10ms, to: 400ms}}}}
  - {{noise: clock, field: position, sd: 0.1}}
"""


@dataclass
class Waiting:
    """A world without bodies, which decides after a second: by whether the seed is among those that fail."""

    fails: list[int] = field(default_factory=list)
    breaks: list[int] = field(default_factory=list)
    rate: float = 100.0

    def reset(self, seed: int) -> None:
        self._seed = seed
        self._now = 0

    def advance(self, to: Time) -> None:
        self._now = to
        if self._seed in self.breaks and to > SECOND // 2:
            raise FloatingPointError("the solver blew up")

    def arm(self, name: str) -> Any:
        raise KeyError(name)

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> Any:
        raise KeyError(name)

    def about(self) -> Mapping[str, str]:
        return {"renderer": "pencil 1"}

    def truth(self) -> Mapping[str, Any]:
        return {}

    def verdict(self) -> Verdict | None:
        if self._now < SECOND:
            return None
        return Verdict(self._seed not in self.fails, "a second has passed", {"seed": self._seed})

    def close(self) -> None: ...


def job(
    folder: Path, fails: Sequence[int] = (), breaks: Sequence[int] = (), node: str = "nodes:Clock", **about: Any
) -> Job:
    file = folder / "cell.yaml"
    file.write_text(LAUNCH.format(fails=list(fails), breaks=list(breaks), node=node), encoding="utf-8")
    return Job(file, None, Overrides(), **about)


def quiet(_: Result) -> None: ...


def test_each_seed_is_judged_on_its_own_and_kept_in_order(tmp_path: Path) -> None:
    results = run_suite(job(tmp_path, fails=[4]), [5, 4, 3], 1, quiet)
    assert [(r.seed, r.status) for r in results] == [(5, "passed"), (4, "failed"), (3, "passed")]
    summary = Summary(results, 1.0)
    assert (summary.passed, summary.exit_code(1.0), summary.exit_code(0.6)) == (2, 1, 0)


def test_a_world_that_breaks_costs_its_own_seed_and_is_infrastructure(tmp_path: Path) -> None:
    results = run_suite(job(tmp_path, breaks=[1]), [0, 1, 2], 1, quiet)
    assert [r.status for r in results] == ["passed", "error", "passed"]
    assert "the world failed to advance to 0.5" in results[1].note
    assert "the solver blew up" in results[1].note
    assert Summary(results, 1.0).exit_code(0.0) == 3


def test_a_seed_that_is_not_the_same_twice_is_named_with_its_first_difference(tmp_path: Path) -> None:
    result = run_seed(job(tmp_path, node="nodes:Unseeded", repeat=2), 0)
    assert result.status == "nondeterministic"
    assert "clock.joint_state at 0.000000 s (microstep 1)" in result.note
    assert Summary([result], 1.0).exit_code(0.0) == 1
    assert run_seed(job(tmp_path, repeat=2), 0).status == "passed"


def test_digests_of_different_renderers_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = run_seed(job(tmp_path), 0)
    pencils = itertools.count(2)
    monkeypatch.setattr(Waiting, "about", lambda _: {"renderer": f"pencil {next(pencils)}"})
    result = run_seed(job(tmp_path, repeat=2), 0)
    assert result.status == "error"
    assert "pencil 2" in result.note
    assert "pencil 3" in result.note
    assert plain.outcome is not None
    assert result.outcome is not None
    assert plain.outcome.digest != result.outcome.digest
    summary = Summary([plain], 1.0, {"versions": {"python": "3"}}).as_dict()
    assert summary["versions"] == {"python": "3", "renderer": "pencil 1"}


def test_a_worker_that_is_killed_is_reported_and_not_waited_for(tmp_path: Path) -> None:
    results = run_suite(job(tmp_path, node="nodes:Suicide"), range(2), 2, quiet)
    assert {r.status for r in results} == {"error"}
    assert "killed" in results[0].note


def test_the_digest_of_a_suite_is_that_of_its_seeds(tmp_path: Path) -> None:
    one = Summary(run_suite(job(tmp_path), [1, 2], 1, quiet), 1.0)
    two = Summary(run_suite(job(tmp_path), [1, 2], 2, quiet), 2.0)
    other = Summary(run_suite(job(tmp_path), [1, 3], 1, quiet), 1.0)
    assert one.digest == two.digest
    assert one.digest != other.digest
    assert one.as_dict()["seeds"][0]["reason"] == "a second has passed"


def test_another_process_draws_the_same_faults(tmp_path: Path) -> None:
    here, (there,) = run_seed(job(tmp_path), 3), run_suite(job(tmp_path), [3], 1, quiet)
    assert here.outcome is not None
    assert there.outcome is not None
    assert here.outcome.faults == there.outcome.faults
    assert here.outcome.digest == there.outcome.digest
    assert here.as_dict()["faults"][0]["steps"] > 0


@given(st.integers(0, 500), st.integers(1, 500))
def test_the_wilson_interval_holds_the_rate_and_narrows(passed: int, total: int) -> None:
    passed = min(passed, total)
    low, high = wilson(passed, total)
    assert 0.0 <= low <= passed / total <= high <= 1.0
    wide_low, wide_high = wilson(passed, total)
    tight_low, tight_high = wilson(passed * 10, total * 10)
    assert tight_high - tight_low <= wide_high - wide_low + 1e-12


@pytest.mark.parametrize(("passed", "total", "low"), [(5, 5, 0.57), (10, 10, 0.72), (20, 20, 0.84), (73, 73, 0.95)])
def test_the_wilson_interval_agrees_with_published_values(passed: int, total: int, low: float) -> None:
    assert wilson(passed, total)[0] == pytest.approx(low, abs=0.005)


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
