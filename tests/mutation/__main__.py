"""Mutation testing of the guards: every line must be covered by a test that fails if the line changes.

    python -m tests.mutation                     # `make mutate`
    python -m tests.mutation lease stopping      # these modules only

Each mutant changes one thing: a comparison, a boundary, a constant, an operator, a condition, a statement. A test of
the guards must fail with it. Mutants that survive are listed in survivors.md, each with the reason why no test can
detect it; one that is not listed is an error, and so is a listed one that no longer survives.
"""

from __future__ import annotations

import ast
import importlib
import itertools
import re
import sys
from pathlib import Path

from tests.mutation.operators import Mutant, mutants
from tests.mutation.trial import survivors

ROOT = Path(__file__).parents[2]
GUARDS = ROOT / "embodied" / "guards"
TESTS = "tests/embodied/guards"
WHOLE = {
    "arm": (
        "commanders",
        "surroundings",
        "arm",
        "arm_set_points",
        "arm_limits",
        "measured",
        "not_following",
        "ages",
    ),
    "drone": ("drone", "measured", "not_following", "ages", "upset"),
    "vehicle": ("vehicle", "measured", "not_following", "ages"),
}
"""Tests of each whole guard; every module in it has its own tests besides."""

SHARED = ("numpy", "hypothesis.strategies", "hypothesis.internal.conjecture.engine", "pytest", "tests.embodied.robots")
"""Modules that take long to import and import no guard: loaded once, before the trials fork."""

GOAL = 0.98
"""Least fraction of mutants that tests must kill."""

LISTED = re.compile(r"^\| `(\w+)` \| `` (.+?) `` \| `` (.+?) `` \| `` (.+?) `` \| (.+) \|$", re.MULTILINE)
"""Row of survivors.md."""

Key = tuple[str, str, str, str]
"""Identity of a mutant: module, line of code, original and mutated part; independent of line numbers."""


def listed() -> dict[Key, str]:
    """Read the known survivors, with their reasons."""
    text = (Path(__file__).parent / "survivors.md").read_text("utf-8")
    return {(module, code, was, now): reason for module, code, was, now, reason in LISTED.findall(text)}


def key(module: str, mutant: Mutant) -> Key:
    """Return the identity of a mutant in the list."""
    return module, mutant.code, mutant.was, mutant.now


def dependencies(module: str) -> set[str]:
    """Return a module and the guard modules that it imports, directly or not, without importing any."""
    modules, waiting = set[str](), {module}
    while waiting:
        modules.add(name := waiting.pop())
        tree = ast.parse((GUARDS / f"{name}.py").read_text("utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting |= {other.rpartition(".")[2] for other in names if other.startswith("embodied.guards.")} - modules
    return modules


def covering_tests(module: str) -> list[str]:
    """Return the tests of a module: its own, then those of every guard that depends on it."""
    whole = [tests for guard, tests in WHOLE.items() if module in dependencies(guard)]
    return [f"{TESTS}/test_{name}.py" for name in dict.fromkeys((module, *itertools.chain(*whole)))]


def run(modules: list[str]) -> int:
    """Test all mutants of some modules.

    Args:
        modules: names of modules in `embodied.guards`.

    Returns:
        0 if the score is reached and every survivor is listed, 2 if a module is unknown, else 1.
    """
    if unknown := [name for name in modules if not (GUARDS / f"{name}.py").is_file()]:
        print(f"there is no module {unknown[0]} in {GUARDS.relative_to(ROOT)}", file=sys.stderr)
        return 2
    for shared in SHARED:
        importlib.import_module(shared)
    known = listed()
    total, alive, unlisted = 0, 0, 0
    gone = {one for one in known if one[0] in modules}
    for module in modules:
        file = GUARDS / f"{module}.py"
        source = file.read_text("utf-8")
        batch = list(mutants(source))
        # The first tree is the original: its tests must pass, or no result means anything.
        trees = [ast.parse(source), *(mutant.tree for mutant in batch)]
        living = survivors(f"embodied.guards.{module}", file, trees, covering_tests(module))
        if next(living, None) != 0:
            sys.exit(f"{module}: its tests fail on the original")
        total += len(batch)
        print(f"{module}: {len(batch)} mutants", flush=True)
        for number in living:
            mutant = batch[number - 1]
            reason = known.get(key(module, mutant))
            alive, unlisted = alive + 1, unlisted + (reason is None)
            gone.discard(key(module, mutant))
            print(f"  {module}.py:{mutant.line}: {mutant.was} -> {mutant.now}: {reason or 'NOT LISTED'}", flush=True)
    for module, code, was, now in sorted(gone):
        print(f"  {module}: {code}: {was} -> {now} is listed and does not survive")
    score = 1.0 - alive / total
    print(
        f"score {score:.1%}: {total - alive} of {total} mutants killed, {alive} survive, {unlisted} of them not listed"
    )
    return int(score < GOAL or unlisted > 0 or bool(gone))


if __name__ == "__main__":
    everything = sorted(file.stem for file in GUARDS.glob("*.py") if file.stem != "__init__")
    sys.exit(run(sys.argv[1:] or everything))
