from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.errors import LaunchError
from embodied.suite import Comparison, Result, compare, run_seed, run_suite
from embodied.suite.baseline import Baseline
from tests.embodied.suite import waiting
from tests.embodied.suite.waiting import counted, job, quiet


def result(seed: int, status: str = "passed", digest: str = "d") -> Result:
    return Result("cell", seed, status, {"digest": digest, "about": {"renderer": "pencil 1"}})


def baseline(folder: Path, **changes: Any) -> Baseline:
    file = folder / "summary.json"
    work = job(folder)
    data = counted([result(0), result(1, "failed"), result(2)], work).as_dict()
    file.write_text(json.dumps(data | changes), encoding="utf-8")
    return Baseline(file)


@pytest.mark.parametrize(
    ("failing", "passing", "probability", "regressed"),
    [(0, 0, 1.0, False), (4, 0, 0.0625, False), (5, 0, 0.03125, True), (5, 1, 7 / 64, False), (8, 1, 10 / 512, True)],
)
def test_worse_is_what_chance_would_seldom_do(failing: int, passing: int, probability: float, regressed: bool) -> None:
    found = Comparison(range(failing), range(100, 100 + passing), False, 20)
    assert found.probability == pytest.approx(probability)
    assert found.regressed is regressed


@pytest.mark.parametrize(
    ("failing", "passing", "regressed"), [(1, 0, True), (3, 1, True), (1, 1, False), (0, 2, False)]
)
def test_where_chance_cannot_be_told_each_seed_that_newly_fails_counts(
    failing: int, passing: int, regressed: bool
) -> None:
    found = Comparison(range(failing), range(100, 100 + passing), False, 4)
    assert found.regressed is regressed
    assert ("; worse (" in str(found)) is regressed


def test_what_got_worse_within_chance_is_not_called_no_worse() -> None:
    assert "worse, but not beyond chance (p = 0.125)" in str(Comparison([1, 2, 3], [], False, 20))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=60))
def test_the_seeds_that_changed_sides_are_named_and_no_others(pairs: list[tuple[bool, bool]]) -> None:
    words = {True: "passed", False: "failed"}
    before = {seed: (words[was], "d") for seed, (was, _) in enumerate(pairs)}
    found = compare([result(seed, words[now]) for seed, (_, now) in enumerate(pairs)], before)
    assert list(found.failing) == [seed for seed, (was, now) in enumerate(pairs) if was and not now]
    assert list(found.passing) == [seed for seed, (was, now) in enumerate(pairs) if now and not was]
    assert 0.0 < found.probability <= 1.0


def test_a_seed_that_broke_down_on_either_side_changes_no_sides() -> None:
    before = {0: ("passed", "d"), 1: ("infrastructure", ""), 2: ("passed", "d")}
    found = compare([result(0, "error"), result(1, "failed"), result(2)], before)
    assert (found.failing, found.passing, found.same, found.compared) == ([], [], False, 1)


def test_equal_digests_are_the_very_same_runs(tmp_path: Path) -> None:
    same = [result(0), result(1, "failed"), result(2)]
    work = job(tmp_path)
    found = baseline(tmp_path).compare(counted(same, work)).comparisons["cell"]
    assert found.same
    assert "the very same runs" in str(found)
    other = [*same[:2], result(2, digest="e")]
    assert not baseline(tmp_path).compare(counted(other, work)).comparisons["cell"].same


def test_a_baseline_of_other_seeds_is_refused_before_anything_runs(tmp_path: Path) -> None:
    earlier = baseline(tmp_path)
    earlier.check(["cell"], [0, 2])
    with pytest.raises(LaunchError, match=r"has no seeds 3:5, 7 of 'cell'") as caught:
        earlier.check(["cell"], [0, 3, 4, 7])
    assert "it has 0:3" in str(caught.value)
    with pytest.raises(LaunchError, match="was not finished"):
        baseline(tmp_path, complete=False).check(["cell"], [3])


def test_a_baseline_of_another_scenario_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(LaunchError, match="did you mean 'cell'"):
        baseline(tmp_path).check(["cells"], [0])


def test_runs_of_different_renderers_are_not_compared(tmp_path: Path) -> None:
    baseline(tmp_path).check_renderer(result(0))
    drawn = Result("cell", 0, "passed", {"about": {"renderer": "pencil 2"}})
    with pytest.raises(LaunchError, match="was drawn with renderer pencil 1, and this suite with renderer pencil 2"):
        baseline(tmp_path).check_renderer(drawn)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"complete": true}', '{"complete": true, "scenarios": [1]}'])
def test_what_is_no_summary_is_no_baseline(tmp_path: Path, text: str) -> None:
    file = tmp_path / "summary.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(LaunchError, match="is not the summary of a suite"):
        Baseline(file)
    with pytest.raises(LaunchError, match="cannot be read: No such file"):
        Baseline(tmp_path / "nothing.json")


def test_a_suite_that_got_worse_fails_even_where_enough_passes(tmp_path: Path) -> None:
    work = job(tmp_path)
    summary = counted([result(seed, "passed" if seed == 5 else "failed") for seed in range(6)], work)
    before = dict.fromkeys(range(6), ("passed", ""))
    worse = summary.with_comparisons({"cell": compare(summary.results, before)})
    assert summary.exit_code(0.0) == 0
    assert worse.exit_code(0.0) == 1
    assert worse.as_dict()["baseline"]["cell"]["newly_failing"] == [0, 1, 2, 3, 4]


def test_a_class_that_has_moved_to_another_module_gives_the_very_same_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "sims"
    home.mkdir()
    (home / "elsewhere.py").write_text(Path(waiting.__file__).read_text("utf-8"), encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    work = job(tmp_path, fails=[1])
    file = work.scenario.file
    summary = counted([run_seed(work, seed).result for seed in range(3)], work).as_dict()
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    text = file.read_text("utf-8")
    file.write_text(text.replace("tests.embodied.suite.waiting:", "sims.elsewhere:"), encoding="utf-8")
    assert file.read_text("utf-8") != text
    moved = counted(run_suite([work], range(3), 1, quiet), work)
    found = Baseline(tmp_path / "summary.json").compare(moved).comparisons["cell"]
    assert found.same
    assert found.compared == 3


def test_in_lockstep_each_seed_that_newly_fails_is_a_regression_unless_it_is_allowed() -> None:
    """Seven of ten after ten of ten: the digests say which seeds changed, so chance has no part in it."""
    before = {seed: ("passed", f"old {seed}") for seed in range(10)}
    now = [Result("cell", seed, "passed" if seed < 7 else "failed", {"digest": f"new {seed}"}) for seed in range(10)]
    found = compare(now, before)
    assert found.regressed
    assert str(found) == "newly failing 7:10; newly passing none; worse"
    assert compare(now, before, 2).regressed
    allowed = compare(now, before, 3)
    assert not allowed.regressed
    assert str(allowed).endswith("within the 3 that may fail newly")
    # As many newly passing do not make up for them.
    before |= dict.fromkeys(range(4), ("failed", "old"))
    assert compare(now, before).regressed


def test_live_runs_are_left_to_chance_whatever_is_allowed() -> None:
    before = dict.fromkeys(range(10), ("passed", ""))
    now = [Result("cell", seed, "passed" if seed < 7 else "failed") for seed in range(10)]
    found = compare(now, before)
    assert not found.regressed
    assert "worse, but not beyond chance (p = 0.125)" in str(found)
    # One digest on one side alone compares nothing either.
    half = [Result("cell", seed, "passed", {"digest": "new"}) for seed in range(10)]
    assert not compare(half, before).lockstep
