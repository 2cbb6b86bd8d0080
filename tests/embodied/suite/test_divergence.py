"""What a report says of a run that failed beside one that passed: where it stood, what it saw last, what is no reason.

A reason that runs which pass have as often is told as such; the earliest difference comes first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from embodied.clock import Time
from embodied.launch import load
from embodied.messages import JointCommand, JointState
from embodied.recording.divergence import DIFFERENCES_MOST, divergence
from embodied.recording.last_messages import LINE_MOST, message_line
from embodied.recording.timeline import Timeline
from embodied.runtime.episode import play
from embodied.suite import Result, Scenario, Summary, run_suite
from embodied.suite.pictures import REFERENCE_MOST, wanted
from embodied.suite.report import report
from embodied.suite.shapes import RESULT
from embodied.suite.stored import check_shape
from tests.embodied.suite.waiting import counted, job, launch_file, quiet


def timeline(bands: dict[str, Any], end: float = 10.0, **about: Any) -> dict[str, Any]:
    return {"end": end, "nodes": {}, "guards": {}, "bands": bands, **about}


PASSED = timeline({"policy phase": [[0.0, 1.0, "LOOK"], [1.0, 2.0, "REACH"], [2.0, 10.0, "DONE"]]})


def test_a_policy_that_is_stuck_is_named_with_its_phase_and_what_came_next_where_it_passed() -> None:
    stuck = timeline({"policy phase": [[0.0, 1.2, "LOOK"], [1.2, 10.0, "REACH"]]})
    assert divergence(stuck, PASSED) == [
        "policy phase stays REACH from 1.20 s; the run that passed went on to DONE at 2.00 s"
    ]


def test_a_policy_that_goes_another_way_is_named_with_both_ways() -> None:
    other = timeline({"policy phase": [[0.0, 1.2, "LOOK"], [1.2, 9.0, "RETRY"], [9.0, 10.0, "LOOK"]]})
    assert divergence(other, PASSED) == [
        "policy phase is RETRY from 1.20 s; in the run that passed it is REACH from 1.00 s"
    ]
    longer = timeline({"policy phase": [*PASSED["bands"]["policy phase"], [10.0, 11.0, "LOOK"]]}, 11.0)
    assert divergence(longer, PASSED) == ["policy phase goes on to LOOK at 10.00 s; the run that passed ended in DONE"]


def test_guards_that_hold_and_nodes_that_fall_silent_are_differences_and_clipping_is_none() -> None:
    passed = timeline(
        {},
        nodes={"camera": [[0.0, 9.9]], "task": [[0.0, 0.0]], "spare": []},
        guards={"guard": [[0.0, 0.1, "holding", ""], [0.1, 5.0, "following", ""], [5.0, 10.0, "clipping", "fast"]]},
    )
    run = timeline(
        {},
        nodes={"camera": [[0.0, 2.5]], "task": [[0.0, 0.0]], "spare": []},
        guards={
            "guard": [[0.0, 0.1, "holding", ""], [0.1, 3.0, "clipping", "fast"], [3.0, 10.0, "holding", "no command"]]
        },
    )
    assert divergence(run, passed) == [
        "camera publishes last at 2.50 s; in the run that passed it did to its end",
        "guard guard goes on to holding at 3.00 s; the run that passed ended in following",
    ]
    never = timeline({}, nodes={"camera": []})
    assert divergence(never, passed) == ["camera never publishes; in the run that passed it did to its end"]
    assert divergence(passed, passed) == []


def test_the_earliest_differences_are_told_and_not_all() -> None:
    here = timeline({f"{n} phase": [[float(-n), 1.0, "A"]] for n in range(20)})
    there = timeline({f"{n} phase": [[0.0, 1.0, "B"]] for n in range(20)})
    told = divergence(here, there)
    assert len(told) == DIFFERENCES_MOST
    assert told[0].startswith("19 phase is A")


def test_the_last_message_of_each_topic_is_kept_in_a_line(tmp_path: Path) -> None:
    recorded = Timeline()
    file = launch_file(tmp_path, "suite.waiting:Moody")
    file.write_text(file.read_text().partition("faults:")[0])
    play(load(file).graph(), 0, watchers=[recorded])
    data = recorded.as_dict()
    check_shape(data, RESULT["timeline?"])
    assert data["last"] == {"clock.target": [1.0, "label 'blue'"]}


def test_a_message_line_has_small_arrays_with_their_values_and_large_ones_with_their_shape() -> None:
    small = JointState(acquired=Time(0), position=np.array([0.5, -1.0]), velocity=np.array([0.0, np.nan]))
    assert message_line(small).startswith("position [ 0.5 -1. ], velocity [ 0. nan]")
    assert message_line(JointCommand(position=np.zeros(50))).startswith("position float64 (50)")
    assert (
        len(message_line(JointState(acquired=Time(0), position=np.zeros(7), velocity=np.full(7, 1 / 3)))) <= LINE_MOST
    )


def test_a_seed_that_failed_is_shown_beside_one_that_passed(tmp_path: Path) -> None:
    work = job(tmp_path, "suite.waiting:Moody", fails=[1], about={"folder": tmp_path})
    work.scenario.file.write_text(work.scenario.file.read_text().partition("faults:")[0])
    results = run_suite([work], range(2), 1, quiet)
    assert results[1].timeline["beside"] == {"seed": 0, "differences": []}
    assert not results[0].timeline
    text = report(counted(results, work), tmp_path)
    assert "beside seed 0, which passed:" in text
    assert '<td>clock.target</td><td class="number">1.00 s</td><td>label &#x27;blue&#x27;</td>' in text


def test_only_a_quick_seed_that_passed_is_run_again_to_compare_with(tmp_path: Path) -> None:
    work = job(tmp_path, about={"folder": tmp_path})
    slow, quick = Result("cell", 0, "passed", wall=REFERENCE_MOST + 1), Result("cell", 2, "passed", wall=1.0)
    failed = Result("cell", 1, "failed")
    assert wanted([work], [slow, failed, quick]) == [(work, failed, 2)]
    assert wanted([work], [slow, failed]) == [(work, failed, None)]


def test_what_a_guard_says_in_runs_that_pass_too_is_told_as_such(tmp_path: Path) -> None:
    def guard(seed: int, status: str, refusals: int, reason: str = "no fresh command") -> Result:
        return Result(
            "cell", seed, status, {"guards": {"guard": {"clips": 0, "refusals": refusals, "refusal": reason}}}
        )

    cell = Scenario("cell", Path("cell.yaml"), "sim")
    results = [guard(0, "passed", 3), guard(1, "passed", 8, "outside"), guard(2, "failed", 250)]
    text = report(Summary([cell], results, 1.0), tmp_path)
    assert (
        "guard: 0 steps clipped, 250 held (3 to 8 in those that passed); most often: no fresh command, "
        "as in 1 of 2 that passed" in text
    )
    alone = report(Summary([cell], results[2:], 1.0), tmp_path)
    assert "250 held; most often: no fresh command</p>" in alone
