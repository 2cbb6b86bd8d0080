"""A graph that runs live in processes of its own, and what its commands say."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embodied.live.run_directory import RunDirectory, running
from embodied.live.run_places import ONLY
from tests.embodied.conftest import Command

ROOT = Path(__file__).parents[3]

CELL = """\
embodied: 1
nodes:
  clock: {use: "tests.embodied.nodes:Clock"}
  twice: {use: "tests.embodied.nodes:Double", in: {joints: clock}}
  ramp: {use: "tests.embodied.nodes:Ramp", in: {joints: arm.state}}
  guard: {use: "tests.embodied.nodes:LatchGuard", in: {command: ramp}}
  arm: {use: "tests.embodied.nodes:Motor", in: {command: guard.command}}
  hold: {use: "tests.embodied.nodes:Hold", with: {goal: [0, 0]}, in: {joints: arm.state}}
  camera: {use: "tests.embodied.nodes:Picture"}
  task: {use: "tests.embodied.nodes:Once"}
  talk: {use: "tests.embodied.nodes:Talks"}
processes: {processes}
"""

SMALL = """\
embodied: 1
nodes:
  ramp: {use: "tests.embodied.nodes:Ramp", in: {joints: arm.state}}
  hold: {use: "tests.embodied.nodes:Hold", with: {goal: [0, 0]}, in: {joints: arm.state}}
  guard: {use: "tests.embodied.nodes:LatchGuard", in: {command: ramp}}
  arm: {use: "tests.embodied.nodes:Motor", in: {command: guard.command}}
processes: [[hold, ramp], [guard, arm]]
"""

TINY = SMALL.replace("[[hold, ramp], [guard, arm]]", "[[arm, guard, hold, ramp]]")
"""The same in one process, for what depends on the launcher alone."""

SEVERAL = "[[guard, arm], [twice, ramp, hold, task, talk]]"
ONE = "[[arm, camera, clock, guard, hold, ramp, talk, task, twice]]"

CODE = "from embodied.cli.main import main; main()"


@dataclass
class Live:
    """A run, and where it is."""

    folder: Path
    process: subprocess.Popen[str]

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


def spawn(
    at: Path,
    name: str,
    text: str,
    environment: Mapping[str, str] | None = None,
    before: Sequence[str] = (),
    **about: Any,
) -> Live:
    """Run a launch file; returns at once. `before` are words before the command, `about` is of its process."""
    file = at / f"{name}.yaml"
    file.write_text(text, encoding="utf-8")
    environment = {**(os.environ if environment is None else environment), "PYTHONPATH": str(ROOT)}
    words = [*before, sys.executable, "-c", CODE, "run", file.name, "--live", "--for", "5min"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return Live(at, subprocess.Popen(words, cwd=at, env=environment, text=True, **(pipes | about)))


def start(at: Path, name: str = "cell", processes: str = ONE, text: str = CELL) -> Live:
    """Run the cell; returns when it runs."""
    return started(spawn(at, name, text.replace("{processes}", processes)))


def started(live: Live) -> Live:
    """Wait until a run runs."""
    process = live.process
    assert process.stderr is not None
    said = process.stderr.readline()
    if not said.startswith("running as"):
        process.kill()
        raise AssertionError(said + process.communicate()[1])
    return live


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    # The path of a Unix socket has at most 107 characters, and pytest's folders are longer.
    path = Path(tempfile.mkdtemp(prefix="e"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(ONLY, str(path))
        yield path
    shutil.rmtree(path)


Ask = Callable[..., Any]


@pytest.fixture
def ask(embodied: Command) -> Ask:
    """What a command says with --json."""

    def said(*words: str) -> Any:
        done = embodied(*words, "--json")
        assert done.stderr == "", done.stderr
        return json.loads(done.stdout)

    return said


LOOK_PERIOD = 0.02
"""Time between two looks at what is to come [s]; without a pause they take the processor from what is waited for."""


def until(true: Callable[[], Any], limit: float = 10.0) -> Any:
    """Look until something is so."""
    end = time.monotonic() + limit
    while not (found := true()):
        assert time.monotonic() < end, "it does not come to be"
        select.select([], [], [], LOOK_PERIOD)
    return found


def directory_of(name: str) -> RunDirectory | None:
    """Return the directory of a run by the name of its launch file."""
    return next((folder for folder in running() if folder.name.startswith(f"{name}-")), None)
