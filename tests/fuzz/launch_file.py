"""Fuzzers of launch files, as `check` reads them, and of site files, which are laid over and written into."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from embodied.errors import LaunchError
from embodied.launch import Overrides, load
from embodied.launch.site import Site
from tests.fuzz.harness import Kind

ROOT = Path(__file__).parents[2]

CELL = """\
embodied: 1
clock: lockstep
args: {rate: 100, goal: [0.1, -0.2], id: "007"}
include: [part.yaml, {file: part.yaml, namespace: left}]
machines: {base: "tcp://127.0.0.1:7447"}
processes: [[clock, hold]]
nodes:
  clock: {use: "tests.embodied.nodes:Clock", rate: "${args.rate}", on: base}
  hold:
    use: "tests.embodied.nodes:Hold"
    with: {goal: "${args.goal}", kp: 20}
    in: {joints: {from: clock.joint_state, max_age: 50ms, bound: 4}}
    latency: 3ms
    restart: {when: on-failure, limit: 3, backoff: 1s}
faults:
  - {silence: clock, at: {from: 0s, to: 500ms}, for: 10ms}
profiles:
  sim: {clock: lockstep}
  other: {base: sim, nodes: {hold: {with: {kp: 3}}}}
"""

PART = 'embodied: 1\nargs: {rate: 10}\nnodes:\n  tick: {use: "tests.embodied.nodes:Clock", rate: "${args.rate}"}\n'

SITE = """\
# cell 3
embodied: 1
args: {rate: 50}
nodes:
  clock: {rate: 20}   # slow
  hold:
    with:
      kp: 7  # soft
"""


@cache
def _ready() -> None:
    # References to variables of the environment are a part of the file's text.
    os.environ["FUZZ"] = "00012345"


def read_launch(data: bytes, folder: Path) -> str:
    """Load a launch file, and check all its profiles."""
    _ready()
    (folder / "part.yaml").write_text(PART)
    file = folder / "cell.yaml"
    file.write_bytes(data)
    return _checked(file, Overrides())


def read_site(data: bytes, folder: Path) -> str:
    """Lay a site file over a launch file, and write a setting into it."""
    (folder / "part.yaml").write_text(PART)
    (folder / "cell.yaml").write_text(CELL)
    file = folder / "site.yaml"
    file.write_bytes(data)
    error = _checked(folder / "cell.yaml", Overrides(site=file))
    try:
        Site.read(file).put("camera", "calibration", {"fx": 601.5, "frame": "base"}).write()
    except LaunchError as problem:
        return error or str(problem)
    if not error:
        assert file.read_bytes() != data
    return error


def _checked(file: Path, overrides: Overrides) -> str:
    try:
        launch = load(file, overrides)
    except LaunchError as error:
        return _placed(error)
    for profile in (None, *launch.profiles):
        found = launch.check(profile)
        if problems := [*found.problems, *found.missing.values()]:
            return _placed(LaunchError(problems))
        launch.uses(profile)
    return ""


def _placed(error: LaunchError) -> str:
    assert all(problem.place is not None or problem.where or problem.help for problem in error.problems), str(error)
    # What the user sees is bounded; the harness counts letters of one error, and 20 are shown.
    return max((str(problem) for problem in error.problems), key=len)


def launch_examples() -> Sequence[bytes]:
    return [CELL.encode(), CELL.replace("\n", "\r\n").encode(), b"\xef\xbb\xbf" + CELL.encode()]


WORDS = (
    *(b"${args.rate}", b"${env:FUZZ}", b"${env:NONE:-1}", b"${", b"}", b"{", b"[", b"]", b": ", b"- ", b"null", b"~"),
    *(b"use: ", b"with: ", b"in: ", b"from: ", b"rate: ", b"nodes:\n", b"profiles:\n", b"world: ", b"robots: "),
    *(
        b"include: [part.yaml]",
        b"namespace: left",
        b"clock: lockstep",
        b"1/30",
        b"30000/1001",
        b"15ms",
        b".inf",
        b".nan",
    ),
    *(b"&a", b"*a", b"!!python/object", b"<<: ", b"|\n", b"'", b'"', b"#", b"\t", b"\r", b"\xe2\x80\x8b", b"\x1b[31m"),
    *(b"drivers.uvc:Camera", b"os:system", b"tests.embodied.nodes:Hold", b"clock/joint_state", b"/clock.joint_state"),
)

LAUNCH = Kind("launch", launch_examples, WORDS, read_launch, ("embodied.launch", "embodied.graph", "embodied.node"))

SITE_FILE = Kind(
    "site",
    lambda: [SITE.encode(), SITE.replace("\n", "\r\n").encode(), b"embodied: 1"],
    WORDS,
    read_site,
    ("embodied.launch",),
)
