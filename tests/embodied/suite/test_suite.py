from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.errors import LaunchError
from embodied.suite import Result, run_seed, run_suite, wilson, workers
from embodied.suite.pictures import FILMED_MOST, wanted
from embodied.suite.repeats import compared
from tests.embodied.suite.waiting import Waiting, counted, job, quiet


def test_each_seed_is_judged_on_its_own_and_kept_in_order(tmp_path: Path) -> None:
    work = job(tmp_path, fails=[4])
    results = run_suite([work], [5, 4, 3], 1, quiet)
    assert [(r.seed, r.status) for r in results] == [(5, "passed"), (4, "failed"), (3, "passed")]
    summary = counted(results, work)
    assert (summary.all.passed, summary.exit_code(1.0), summary.exit_code(0.6)) == (2, 1, 0)


def test_a_seed_that_is_not_the_same_twice_is_named_with_its_first_difference(tmp_path: Path) -> None:
    work = job(tmp_path, node="nodes:Unseeded", about={"repeat": 2})
    (result,) = run_suite([work], [0], 1, quiet)
    assert result.status == "nondeterministic"
    assert "clock.joint_state at 0.000000 s (microstep 1)" in result.note
    assert counted([result], work).exit_code(0.0) == 1


def test_what_depends_on_the_order_of_a_set_is_noticed_and_the_command_finds_it_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each run of a seed has a process of its own, with another PYTHONHASHSEED."""
    monkeypatch.setenv("PYTHONHASHSEED", "7")
    work = job(tmp_path, node="suite.waiting:Hashed", about={"repeat": 2})
    (result,) = run_suite([work], [0], 1, quiet)
    assert result.status == "nondeterministic"
    assert "run it with PYTHONHASHSEED=7 and PYTHONHASHSEED=8 before the command" in result.note
    # Its digest is that of the first; the command gives the second's.
    words = [sys.executable, "-m", "embodied", "run", str(work.scenario.file), "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": "8", "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert json.loads(done.stdout)["passed"]
    assert json.loads(done.stdout)["digest"] != result.digest


def test_what_a_seed_leaves_to_the_next_in_its_process_is_noticed(tmp_path: Path) -> None:
    work = job(tmp_path, node="suite.waiting:Remembers", about={"repeat": 2})
    first, *later = run_suite([work], [0, 1, 2], 1, quiet)
    assert first.status == "passed"
    assert [result.status for result in later] == ["nondeterministic", "nondeterministic"]
    assert "clock.joint_state at 0.000000 s (microstep 1)" in later[0].note
    assert "keeps something of an earlier seed in the same process" in later[0].note


@pytest.mark.parametrize(
    ("lens", "why"),
    [
        ("breaks", "the lens fell off"),
        ("dies", "its process was killed by SIGKILL"),
        ("hangs", "not over within 0.5 s of wall time"),
    ],
)
def test_the_verdict_of_a_seed_stands_whatever_its_pictures_do(
    lens: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "FILM_TIMEOUT", 0.5 if lens == "hangs" else 60.0)
    work = job(tmp_path, fails=[1], lens=lens, about={"folder": tmp_path})
    told: list[tuple[str, str]] = []
    begin = time.monotonic()
    results = run_suite(
        [work],
        [0, 1, 2],
        1,
        lambda result: told.append(("judged", result.status)),
        filmed=lambda result: told.append(("filmed", result.status)),
        timeout=60.0,
    )
    assert [result.status for result in results] == ["passed", "failed", "passed"]
    assert results[1].note.startswith("a second has passed (no pictures: ")
    assert why in results[1].note
    assert results[1].files == {}
    # Every seed is judged before the first is filmed.
    assert told == [("judged", "passed"), ("judged", "failed"), ("judged", "passed"), ("filmed", "failed")]
    assert time.monotonic() - begin < 60


def test_pictures_are_made_of_the_first_failures_alone_and_of_all_where_that_is_asked_for(tmp_path: Path) -> None:
    def filmed(films: str, *statuses: str) -> list[int]:
        results = [Result("cell", seed, status) for seed, status in enumerate(statuses)]
        work = job(tmp_path, about={"folder": tmp_path, "films": films})
        return [result.seed for _, result, _ in wanted([work], results)]

    many = ["passed", *["failed"] * (FILMED_MOST + 3)]
    assert filmed("failures", *many) == [*range(1, FILMED_MOST + 1)]
    assert filmed("all", *many) == [*range(len(many))]
    assert filmed("none", *many) == []
    assert filmed("all", "infrastructure", "error", "nondeterministic") == []


def test_digests_of_different_renderers_are_not_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = job(tmp_path)
    plain = run_seed(work, 0)
    monkeypatch.setattr(Waiting, "about", lambda _: {"renderer": "pencil 2"})
    other = run_seed(job(tmp_path, about={"repeat": 2}), 0)
    result = compared([plain, other])
    assert result.status == "infrastructure"
    assert "pencil 1" in result.note
    assert "pencil 2" in result.note
    assert plain.result.digest
    assert plain.result.digest != other.result.digest
    assert counted([plain.result], work).as_dict()["scenarios"][0]["about"] == {"renderer": "pencil 1"}


def test_what_is_killed_from_outside_while_it_works_costs_its_own_seed_alone(tmp_path: Path) -> None:
    # One worker, so that the process that is killed is the one that has the second seed.
    killed: list[int] = []

    def done(_: Result) -> None:
        if not killed:
            (worker,) = _children()
            os.kill(worker, signal.SIGKILL)
            killed.append(worker)

    results = run_suite([job(tmp_path)], range(3), 1, done)
    assert killed
    assert [r.status for r in results].count("passed") >= 2
    assert results[0].status == "passed"
    assert results[2].status == "passed"


def _children() -> list[int]:
    """Processes that this one has spawned to work, as the kernel lists them."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    children = [child for task in tasks for child in (task / "children").read_text().split()]
    return [int(child) for child in children if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_worker_that_is_killed_and_a_world_that_breaks_cost_their_own_seeds_which_alone_are_tried_again(
    tmp_path: Path,
) -> None:
    told: list[Result] = []
    work = job(tmp_path, kills=[1], fails=[2], breaks=[3], marks=tmp_path)
    results = run_suite([work], range(5), 2, told.append, reruns=1)
    assert [r.status for r in results] == ["passed", "passed", "failed", "infrastructure", "passed"]
    assert [len(r.reruns) for r in results] == [0, 1, 0, 1, 0]
    assert "killed by SIGKILL" in results[1].reruns[0]
    assert sorted(r.seed for r in told) == [0, 1, 2, 3, 4]
    assert "the world failed to advance to 0.5" in results[3].note
    assert "the solver blew up" in results[3].note
    assert "waiting.py" in results[3].note.splitlines()[1]
    assert results[3].note.endswith(" in advance")
    assert counted(results, work).exit_code(0.0) == 3


def test_a_wrong_launch_file_is_one_error_and_leaves_no_process(tmp_path: Path) -> None:
    work = job(tmp_path, fails="nothing")
    with pytest.raises(LaunchError, match="expected a list"):
        run_suite([work], range(4), 2, quiet)
    assert not _children()


def test_the_digest_of_a_suite_is_that_of_its_seeds(tmp_path: Path) -> None:
    work = job(tmp_path)
    here = [run_seed(work, seed).result for seed in (1, 2, 3)]
    one = counted(here[:2], work)
    two = counted(run_suite([work], [1, 2], 2, quiet), work)
    other = counted([here[0], here[2]], work)
    assert one.all.digest == two.all.digest
    assert one.all.digest != other.all.digest
    assert one.as_dict()["scenarios"][0]["seeds"][0]["reason"] == "a second has passed"


def test_another_process_draws_the_same_faults_and_its_result_is_the_same_when_it_has_been_written_and_read(
    tmp_path: Path,
) -> None:
    work = job(tmp_path, fails=[3], about={"folder": tmp_path})
    here, (there,) = run_seed(work, 3).result, run_suite([work], [3], 1, quiet)
    assert here.outcome["faults"] == there.outcome["faults"]
    assert here.digest == there.digest
    assert here.as_dict()["faults"][0]["steps"] > 0
    assert there.timeline["nodes"]
    assert Result.from_dict(json.loads(json.dumps(there.as_dict()))) == replace(there, wall=round(there.wall, 3))


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
