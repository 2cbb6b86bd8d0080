"""A profile that lacks a driver is checked in everything else."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.errors import LaunchError
from embodied.graph.graph import Graph
from embodied.graph.missing_driver import MissingDriver
from embodied.launch import load
from tests.embodied.launch.test_load import NODES, write

LACKING = f"""\
embodied: 1
nodes:
  motor: {{in: {{command: guard}}}}
  guard: {{use: "{NODES}:PassGuard", in: {{command: ramp}}}}
  ramp: {{use: "{NODES}:Ramp", in: {{joints: motor.state}}, latency: 1ms}}
processes: [[guard, motor]]
profiles:
  real: {{nodes: {{motor: {{use: "{NODES}:Motor"}}}}}}
"""


def test_a_profile_without_a_driver_is_right_in_everything_else(tmp_path: Path) -> None:
    launch = load(write(tmp_path, LACKING))
    found = launch.check()
    assert (found.plan, list(found.missing), found.problems) == (None, ["motor"], ())
    assert found.missing["motor"].code == "E206"
    real = launch.check("real")
    assert real.plan is not None
    assert (dict(real.missing), real.problems) == ({}, ())


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        ("command: ramp", "comand: ramp", "E301"),
        ("command: ramp", "command: rmp", "E302"),
        ("{command: guard}", "{command: gaurd}", "E302"),
        ("{command: guard}", "{command: guard.comand}", "E302"),
        ("latency: 1ms", "latency: 1", "E405"),
        ("[guard, motor]", "[guard, moter]", "E302"),
        (":Ramp", ":Rmap", "E202"),
        ("{command: ramp}", "{command: {from: ramp, max_age: 3s}}", "E404"),
        ("latency: 1ms", "rate: 5", "E404"),
    ],
)
def test_a_typo_beside_a_missing_driver_is_seen(before: str, after: str, code: str, tmp_path: Path) -> None:
    assert before in LACKING
    found = load(write(tmp_path, LACKING.replace(before, after, 1))).check()
    assert [problem.code for problem in found.problems] == [code], [str(p) for p in found.problems]
    assert list(found.missing) == ["motor"]


def test_a_graph_without_a_driver_says_so_and_what_else_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(LaunchError) as caught:
        load(write(tmp_path, LACKING.replace(":Ramp", ":Rmap"))).graph()
    assert [problem.code for problem in caught.value.problems] == ["E206", "E202"]
    with pytest.raises(LaunchError) as caught:
        Graph().add("motor", MissingDriver(), command="guard").check()
    assert [problem.code for problem in caught.value.problems] == ["E206", "E302"]
