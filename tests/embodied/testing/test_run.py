"""A run under a test's control; these tests are written with the fixture that they test."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from embodied import SECOND, Time
from embodied.launch import load
from embodied.runtime.lockstep import Lockstep
from embodied.testing.plugin import Scenario
from embodied.testing.run import Run
from tests.embodied.nodes import Hold

CELL = "cell.yaml"


def test_a_run_stands_still_until_it_is_told_how_long_to_go_on(scenario: Scenario) -> None:
    run = scenario(CELL)
    assert (run.now, run["clock"], run.age("clock")) == (0.0, None, None)
    run.seconds(0.125)
    assert run.now == 0.125
    assert run["clock.joint_state"].position[0] == 0.12
    assert run.age("clock") == pytest.approx(0.005)
    assert run["clock"] is run["clock.joint_state"]


def test_a_run_is_the_run_that_lockstep_makes(scenario: Scenario) -> None:
    run = scenario(CELL, seed=6)
    run.until(lambda: run.now >= 0.5)
    run.seconds(0.25)
    with Lockstep(load(Path(__file__).with_name(CELL)).graph().check(), seed=6) as plain:
        plain.advance(Time(3 * SECOND // 4))
        assert run.digest == plain.report().digest == run.report().digest


def test_until_gives_the_time_at_which_something_is_true_and_may_look_more_often(scenario: Scenario) -> None:
    def past(run: Run) -> bool:
        return run.now > 0.101

    run = scenario(CELL)
    assert run.until(lambda: run["clock"]) == 0.0
    assert run.until(past, every=0.001) == pytest.approx(0.102)
    assert run.until(past) == pytest.approx(0.102)
    assert run.until(lambda run: run["double"].position[0] >= 0.4, within=1.0) == pytest.approx(0.202)


def test_what_does_not_become_true_fails_with_what_was_looked_at(scenario: Scenario) -> None:
    run = scenario(CELL)
    with pytest.raises(pytest.fail.Exception) as caught:
        run.until(lambda: run["clock"].position[0] > 9, within=0.25)
    lines = str(caught.value).splitlines()
    assert lines[0] == "the predicate was not true within 0.25 s; the run is at 0.25 s"
    assert "none yet" in lines[1]
    assert lines[2].startswith("  clock.joint_state, 0 ns old: JointState(position=[0.25, 0.25]")
    assert len(lines) == 3

    def never() -> bool:
        return False

    run.kill("double")
    with pytest.raises(pytest.fail.Exception) as caught:
        run.until(never, within=1.0)
    assert str(caught.value).startswith("never was not true within 1 s; the run is at 1.25 s")
    assert "verdict  a second has passed" in str(caught.value)
    assert "double.joint_state, 1 s old: JointState" in str(caught.value)


def test_a_predicate_that_raises_says_when(scenario: Scenario) -> None:
    run = scenario(CELL)
    run.seconds(0.3)
    with pytest.raises(ZeroDivisionError) as caught:
        run.until(lambda: 1 / 0)
    assert caught.value.__notes__ == ["the predicate raised at 0.300000 s of simulated time"]


def test_times_and_predicates_that_make_no_sense_are_refused(scenario: Scenario) -> None:
    run = scenario(CELL)
    for wrong in (-1.0, math.inf, math.nan, True, "1s"):
        with pytest.raises(ValueError, match="a time in seconds"):
            run.seconds(wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="a period above zero"):
        run.until(lambda: True, every=0)
    with pytest.raises(ValueError, match="this one takes 2 arguments"):
        run.until(lambda a, b: True)
    assert run.now == 0.0


def test_a_topic_that_there_is_not_is_told_with_the_nearest(scenario: Scenario) -> None:
    run = scenario(CELL)
    with pytest.raises(KeyError, match=r"no topic 'clock.joint_stat'; did you mean 'clock.joint_state'\?"):
        run["clock.joint_stat"]
    with pytest.raises(KeyError, match="no topic 'clok'"):
        run.age("clok")


def test_what_a_test_does_to_a_run_is_done_counted_and_told(scenario: Scenario) -> None:
    run = scenario(CELL)
    run.seconds(0.1)
    run.silence("clock", 0.1)
    run.delay("double", 0.005)
    run.tune("hold", "kp", 7)
    run.seconds(0.05)
    assert run["clock"].position[0] == 0.1
    assert run.age("clock") == pytest.approx(0.05)
    run.seconds(0.1)
    run.fault("noise", "clock", field="position", sd=0.0, seconds=0.1)
    assert run.age("double") == pytest.approx(0.005)
    assert isinstance(hold := run.plan.nodes["hold"].node, Hold)
    assert hold.kp == 7
    assert [count.steps for count in run.report().faults[:2]] == [9, 6]
    told = run.summary()
    for did in ("silence clock at 100 ms for 100 ms", "delay double by 5 ms at 100 ms", "tune hold.kp=7 at 0.1 s"):
        assert did in told
    assert "noise clock.joint_state field position sd 0 at 250 ms for 100 ms" in told
    with pytest.raises(ValueError, match="no node 'clok'"):
        run.silence("clok")


def test_the_world_judges_the_run(scenario: Scenario) -> None:
    run = scenario(CELL, seed=3)
    assert not run.verdict
    run.until(lambda: run.verdict)
    verdict = run.verdict
    assert (verdict is not None and verdict.passed, run.truth) == (True, {})


@pytest.mark.scenario(CELL, seeds=(4, 5), sets=["fails=[5]"])
def test_the_marker_says_what_is_opened_and_a_call_may_say_otherwise(scenario: Scenario) -> None:
    run, other = scenario(), scenario(sets=["fails=[4]"])
    assert (run.seed, other.seed) in ((4, 4), (5, 5))
    for each in (run, other):
        each.until(lambda each: each.verdict)
    assert run.verdict is not None
    assert other.verdict is not None
    assert (run.verdict.passed, other.verdict.passed) == (run.seed == 4, run.seed == 5)
