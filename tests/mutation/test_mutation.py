"""Tests of the mutation testing: mutants differ in one place, and listed survivors are mutants of existing code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from embodied import guards
from tests.mutation.__main__ import GUARDS, ROOT, WHOLE, covering_tests, dependencies, key, listed
from tests.mutation.operators import mutants
from tests.mutation.trial import survivors

SOURCE = '''"""A module."""
LOW = 0


def inside(x: float, high: float) -> bool:
    """Whether it is."""
    if x < LOW:
        return False
    return abs(x) <= high and not x == 13
'''


def test_each_mutant_differs_in_one_place_and_none_is_made_twice() -> None:
    made = list(mutants(SOURCE))
    texts = [ast.unparse(mutant.tree) for mutant in made]
    whole = ast.unparse(ast.parse(SOURCE))
    assert whole not in texts
    assert len(set(texts)) == len(texts)
    changes = {(mutant.line, mutant.was, mutant.now) for mutant in made}
    for change in (
        (7, "x < LOW", "x <= LOW"),
        (7, "x < LOW", "x >= LOW"),
        (2, "0", "1"),
        (2, "LOW = 0", "pass"),
        (9, "abs(x) <= high and (not x == 13)", "abs(x) <= high or not x == 13"),
        (9, "not x == 13", "x == 13"),
        (8, "return False", "return None"),
    ):
        assert change in changes
    assert not any("module" in mutant.was for mutant in made)


def test_a_mutant_that_the_tests_notice_is_killed_and_one_that_they_do_not_survives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    module = tmp_path / "measured_twice.py"
    module.write_text(SOURCE, encoding="utf-8")
    test = tmp_path / "test_measured_twice.py"
    test.write_text(
        "from measured_twice import inside\n\n\ndef test_it():\n    assert inside(1.0, 1.0)\n", encoding="utf-8"
    )
    changed = {(mutant.was, mutant.now): mutant.tree for mutant in mutants(SOURCE)}
    unseen = changed["abs(x) <= high and (not x == 13)", "abs(x) <= high or not x == 13"]
    seen = changed["abs(x) <= high", "abs(x) < high"]
    trees = [seen, ast.parse(SOURCE), unseen, seen]
    assert list(survivors("measured_twice", module, trees, [str(test)])) == [1, 2]


def test_what_is_listed_as_surviving_is_a_mutant_of_what_is_there() -> None:
    known = listed()
    assert known
    for module in {one[0] for one in known}:
        source = (GUARDS / f"{module}.py").read_text("utf-8")
        there = {key(module, mutant) for mutant in mutants(source)}
        assert {one for one in known if one[0] == module} <= there
        assert all(known.values())


def test_a_module_is_tested_by_its_own_tests_and_those_of_every_guard_that_depends_on_it() -> None:
    def names(module: str) -> list[str]:
        return [Path(test).stem.removeprefix("test_") for test in covering_tests(module)]

    assert names("flight_limiter") == ["flight_limiter", *WHOLE["drone"]]
    assert names("speed_separation") == ["speed_separation", *WHOLE["arm"]]
    assert names("latch") == list(dict.fromkeys(["latch", *WHOLE["arm"], *WHOLE["drone"], *WHOLE["vehicle"]]))
    assert names("drone") == list(WHOLE["drone"])


def test_no_module_of_the_guards_is_without_tests() -> None:
    whole = {getattr(guards, name).__module__.rpartition(".")[2] for name in guards.__all__}
    assert set(WHOLE) == whole
    modules = {file.stem for file in GUARDS.glob("*.py")} - {"__init__"}
    assert set.union(*(dependencies(guard) for guard in whole)) == modules
    assert all((ROOT / test).is_file() for module in modules for test in covering_tests(module))
