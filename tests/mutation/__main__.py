"""Mutation testing of the guards: is every line of theirs held by a test?

    python -m tests.mutation                # `make mutate`
    python -m tests.mutation lease zone     # of these modules alone

Each mutant changes one thing: a comparison, a boundary, a constant, an operator, a condition, a statement. The tests of
the guards must fail with it. Those that survive stand in survivors.md, each with the reason why it makes no difference
that a test could see; one that is not listed fails, and so does a line of the list that no longer survives.
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
WHOLE = {"arm": ("commanders", "surroundings", "arm"), "drone": ("drone",), "vehicle": ("vehicle",)}
"""Tests of each whole guard; each module that one is made of has its own beside them."""

SHARED = ("numpy", "hypothesis.strategies", "hypothesis.internal.conjecture.engine", "pytest", "tests.embodied.robots")
"""What takes long to import and knows none of the guards."""

GOAL = 0.95
LISTED = re.compile(r"^\| `(\w+)` \| `` (.+?) `` \| `` (.+?) `` \| `` (.+?) `` \| (.+) \|$", re.MULTILINE)

Key = tuple[str, str, str, str]
"""Module, line of code, what was there, what is there now: it stays the same when lines move."""


def listed() -> dict[Key, str]:
    """The survivors that are known, with their reasons."""
    text = (Path(__file__).parent / "survivors.md").read_text("utf-8")
    return {(module, code, was, now): reason for module, code, was, now, reason in LISTED.findall(text)}


def key(module: str, mutant: Mutant) -> Key:
    """How a mutant stands in the list."""
    return module, mutant.code, mutant.was, mutant.now


def made_of(module: str) -> set[str]:
    """A module and those beside it that it is made of, told without importing any."""
    found, waiting = set[str](), {module}
    while waiting:
        found.add(name := waiting.pop())
        tree = ast.parse((GUARDS / f"{name}.py").read_text("utf-8"))
        names = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        waiting |= {other.rpartition(".")[2] for other in names if other.startswith("embodied.guards.")} - found
    return found


def held_by(module: str) -> list[str]:
    """The tests that hold a module: its own, then those of every whole guard that has it in it."""
    whole = [tests for guard, tests in WHOLE.items() if module in made_of(guard)]
    return [f"{TESTS}/test_{name}.py" for name in dict.fromkeys((module, *itertools.chain(*whole)))]


def run(modules: list[str]) -> int:
    """Try every mutant of some modules.

    Returns:
        0 if the score is reached and every survivor is listed, else 1.
    """
    for shared in SHARED:
        importlib.import_module(shared)
    known = listed()
    total, alive, unknown = 0, 0, 0
    gone = {one for one in known if one[0] in modules}
    for module in modules:
        file = GUARDS / f"{module}.py"
        source = file.read_text("utf-8")
        batch = list(mutants(source))
        # The first is no mutant: what the tests say of it is said of all.
        trees = [ast.parse(source), *(mutant.tree for mutant in batch)]
        living = survivors(f"embodied.guards.{module}", file, trees, held_by(module))
        if next(living, None) != 0:
            sys.exit(f"{module}: its tests fail without any mutant")
        total += len(batch)
        print(f"{module}: {len(batch)} mutants", flush=True)
        for number in living:
            mutant = batch[number - 1]
            reason = known.get(key(module, mutant))
            alive, unknown = alive + 1, unknown + (reason is None)
            gone.discard(key(module, mutant))
            print(f"  {module}.py:{mutant.line}: {mutant.was} -> {mutant.now}: {reason or 'NOT LISTED'}", flush=True)
    for module, code, was, now in sorted(gone):
        print(f"  {module}: {code}: {was} -> {now} is listed and does not survive")
    score = 1.0 - alive / total
    print(
        f"score {score:.1%}: {total - alive} of {total} mutants killed, {alive} survive, {unknown} of them not listed"
    )
    return int(score < GOAL or unknown > 0 or bool(gone))


if __name__ == "__main__":
    everything = sorted(file.stem for file in GUARDS.glob("*.py") if file.stem != "__init__")
    sys.exit(run(sys.argv[1:] or everything))
