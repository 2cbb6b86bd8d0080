"""Repetition of a test in processes of its own, each with another order of what Python hashes.

The law: a run is the same bytes each time. What depends on the order of a set differs between two of the processes;
what an earlier test left in a module or a cache differs between them and this one.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from embodied.runtime.digest import Mark, first_difference
from embodied.suite.repeats import HASH_SEED, hash_seed

if TYPE_CHECKING:
    import pytest

    from embodied.testing.run import Run

VARIABLE = "EMBODIED_REPETITION"
"""Variable with the file to which a repetition writes the traces of its runs."""

START_MOST = 60.0
"""Time that a repetition may take beside ten times that of the test [s]."""

LINES_SHOWN = 30
"""Number of lines of a repetition's output that a failure shows."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Trace of one run of a test.

    Attributes:
        seed: seed of the run.
        digest: digest of everything that was published.
        marks: mark of each publication.
    """

    seed: int
    digest: str
    marks: list[Mark]


def traces(runs: Sequence[Run]) -> list[Trace]:
    """Return the traces of a test's runs, which were opened with one."""
    return [Trace(run.seed, run.digest, run.marks) for run in runs]


def write(runs: Sequence[Run]) -> None:
    """Write the traces of a repetition's runs to the file that its environment names."""
    Path(os.environ[VARIABLE]).write_bytes(pickle.dumps(traces(runs)))


def difference(item: pytest.Item, runs: Sequence[Run], repeat: int, took: float) -> str:
    """Repeat a test, and return how its runs differ; empty if they do not.

    Args:
        item: the test, which has passed.
        runs: its runs here.
        repeat: number of repetitions, each in a process of its own.
        took: duration of the test [s].
    """
    found: list[list[Trace]] = []
    for number in range(repeat):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "traces"
            failure = _run(item, file, hash_seed(number), START_MOST + 10 * took)
            if failure:
                seed = f"{HASH_SEED}={hash_seed(number)}"
                return f"the test passes here, and not in a process of its own with {seed}:\n{failure}"
            found.append(pickle.loads(file.read_bytes()) if file.exists() else [])
    return compared(traces(runs), found)


def compared(here: Sequence[Trace], found: Sequence[Sequence[Trace]]) -> str:
    """Return where the runs of a test and of its repetitions differ, and why; empty if they do not.

    Args:
        here: runs of the test itself.
        found: runs of each repetition, at least one.
    """
    for number, other in enumerate(found):
        if where := _where(found[0], other):
            seeds = " and ".join(f"{HASH_SEED}={hash_seed(n)}" for n in (0, number))
            return f"{where}; run it with {seeds} before the command"
    if where := _where(here, found[0]):
        # Here, Python has drawn an order of its own unless the variable is set.
        order = "" if os.environ.get(HASH_SEED, "").isdecimal() else "it depends on the order of a set, or "
        return f"{where}, here and in a process of its own: {order}a module or a cache keeps something of earlier tests"
    return ""


def _run(item: pytest.Item, file: Path, seed: str, timeout: float) -> str:
    """Run a test in a process of its own; return the end of its output if it does not pass."""
    config = item.config
    plugins = [word for name in config.getoption("plugins", default=()) for word in ("-p", str(name))]
    files = ["-c", str(config.inipath)] if config.inipath else []
    here = ["-n0"] if config.pluginmanager.hasplugin("xdist") else []
    name = f"{item.path}::{item.nodeid.partition('::')[2]}"
    # A report of one test must not take the place of that of all.
    words = ["--rootdir", str(config.rootpath), "-p", "no:cacheprovider", "--junitxml", "", "--color", "no"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST_XDIST")}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", name, *files, *plugins, *words, *here],
            cwd=config.invocation_params.dir,
            env={**environment, HASH_SEED: seed, VARIABLE: str(file)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it is not over within {timeout:.0f} s"
    return "\n".join(done.stdout.splitlines()[-LINES_SHOWN:]) if done.returncode else ""


def _where(one: Sequence[Trace], other: Sequence[Trace]) -> str:
    """Return where the runs of a test and of its repetition differ first; empty if they do not."""
    if len(one) != len(other):
        return f"the test opened {len(one)} runs, and when it was repeated {len(other)}"
    for mine, theirs in zip(one, other, strict=True):
        if (mine.seed, mine.digest) != (theirs.seed, theirs.digest):
            return f"seed {mine.seed}: two runs differ first in {first_difference(mine.marks, theirs.marks)}"
    return ""
