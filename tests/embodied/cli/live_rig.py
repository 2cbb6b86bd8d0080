"""A graph that runs live in processes of its own, and what its commands say."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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


def start(at: Path, name: str = "cell", processes: str = ONE, text: str = CELL) -> Live:
    """Run the cell; returns when it runs."""
    file = at / f"{name}.yaml"
    file.write_text(text.replace("{processes}", processes), encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [sys.executable, "-c", CODE, "run", file.name, "--live", "--for", "5min"]
    process = subprocess.Popen(
        words, cwd=at, env=environment, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    if not said.startswith("running as"):
        process.kill()
        raise AssertionError(said + process.communicate()[1])
    return Live(at, process)


@pytest.fixture(scope="module")
def runtime() -> Iterator[Path]:
    # The path of a Unix socket has at most 107 characters, and pytest's folders are longer.
    path = Path(tempfile.mkdtemp(prefix="e"))
    before = os.environ.get("XDG_RUNTIME_DIR")
    os.environ["XDG_RUNTIME_DIR"] = str(path)
    yield path
    if before is None:
        del os.environ["XDG_RUNTIME_DIR"]
    else:
        os.environ["XDG_RUNTIME_DIR"] = before
    shutil.rmtree(path)


Ask = Callable[..., Any]


@pytest.fixture
def ask(embodied: Command) -> Ask:
    """What a command says with --json."""

    def said(*words: str) -> Any:
        done = embodied(*words, "--json")
        assert done.stderr == ""
        return json.loads(done.stdout)

    return said


def until(true: Callable[[], Any], limit: float = 10.0) -> Any:
    """Look until something is so."""
    end = time.monotonic() + limit
    while not (found := true()):
        assert time.monotonic() < end, "it does not come to be"
    return found
