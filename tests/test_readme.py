"""What the README shows is run as it stands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from embodied.errors import LaunchError
from embodied.launch import load
from tests.embodied.cli.test_cli import simulated
from tests.embodied.conftest import Command
from tests.processes import Child

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, page: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def program(page: str) -> None:
    """Run the first program of a page in the current folder, as a module of its own in this process."""
    exec(compile(blocks("python", page)[0], "page", "exec"), {"__name__": "__main__"})


LINES = [line for block in blocks("sh") for line in block.splitlines() if line]
LONG = """# The same cell, whose judge has all the time in the world.
embodied: 1
args: {robot: panda}
include: ["ROOT/launch/pick_place.yaml", "ROOT/launch/robots/panda.yaml"]
profiles:
  sim:
    clock: lockstep
    world: {use: "sims.tabletop:Tabletop", with: {robot: panda, time_limit: 600}}
    nodes:
      camera: null
      detector: {use: "sims.tabletop.nodes:TruePoses", rate: 10, in: null}
      task: {use: "policies.tasks.target:NamedTarget", with: {label: none}}
processes: [[guard, arm], [detector, policy, ik, task]]
"""
LIVE = """
embodied top --once
embodied topic echo arm.state --once
embodied estop "a hand in the cell"
embodied stop
""".strip().splitlines()


@simulated
@pytest.mark.parametrize("line", [line for line in LINES if line.startswith("embodied ")])
def test_every_command_of_the_readme_runs(line: str, embodied: Command) -> None:
    words = shlex.split(line, comments=True)[1:]
    done = embodied(*(str(ROOT / word) if word.startswith("launch/") else word for word in words))
    assert done.code == 0, done.stderr + done.stdout


@simulated
def test_every_command_for_a_graph_that_runs_works_while_it_does(tmp_path: Path, embodied: Command) -> None:
    file = tmp_path / "launch" / "long.yaml"
    file.parent.mkdir()
    file.write_text(LONG.replace("ROOT", str(ROOT)), encoding="utf-8")
    words = [sys.executable, "-m", "embodied", "run", str(file), "--sim", "--live"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with Child(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        name = run.stderr.readline().split()[2].rstrip(",")
        for line in LIVE:
            words = shlex.split(line, comments=True)[1:]
            # Other graphs may run on this machine.
            done = embodied(*words, *([name] if words == ["stop"] else ["--run", name]))
            assert done.code == 0, done.stderr + done.stdout
        assert run.wait(10) == 0


def test_every_other_command_is_a_target_that_ci_runs() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    others = [shlex.split(line, comments=True) for line in LINES if not line.startswith("embodied ")]
    assert others
    for words in others:
        assert " ".join(words) in ci.splitlines()


def test_the_node_of_the_readme_is_a_node_of_twelve_lines() -> None:
    code = blocks("python")[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 12
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    hold, state = names["Hold"], names["JointState"]
    joints = state(position=np.ones(2), velocity=np.zeros(2), acquired=0)  # type: ignore[operator]
    assert hold(goal=np.zeros(2)).step(joints).position.tolist() == [0.95, 0.95]  # type: ignore[operator]


@simulated
def test_the_graph_of_the_docs_is_built_and_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    program((ROOT / "docs" / "launch.md").read_text(encoding="utf-8"))
    *positions, digest = capsys.readouterr().out.splitlines()
    assert positions[0].startswith("0.0 [")
    assert re.fullmatch(r"[0-9a-f]{64}", digest)


@simulated
def test_the_project_of_the_docs_runs_as_it_is_written(tmp_path: Path, embodied: Command) -> None:
    page = (ROOT / "docs" / "project.md").read_text(encoding="utf-8")
    for name, text in (
        ("pyproject.toml", ""),
        ("policies/hold.py", blocks("python")[0]),
        ("launch/hold.yaml", blocks("yaml", page)[0]),
    ):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    for line in blocks("sh", page)[0].splitlines():
        done = embodied(*shlex.split(line, comments=True)[1:])
        assert done.code == 0, done.stderr + done.stdout
    program(page)


@simulated
def test_the_faults_of_the_docs_strike_as_they_are_written(
    tmp_path: Path, embodied: Command, capfd: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    (tmp_path / "launch").mkdir()
    (tmp_path / "launch" / "rough.yaml").write_text(blocks("yaml", page)[0], encoding="utf-8")
    for line in blocks("sh", page)[0].splitlines():
        done = embodied(*shlex.split(line, comments=True)[1:])
        assert done.code == 0, done.stderr + done.stdout
        if "check" in line:
            assert "  fault: stuck camera.depth at 2 s for 1 s\n" in done.stdout
    assert "fault      drop detector share 0.3: " in done.stdout
    program(page)
    assert "kill policy at 1 s " in capfd.readouterr().out


@simulated
def test_the_commands_of_the_page_on_ci_run_as_they_are_written(embodied: Command) -> None:
    page = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for line in blocks("sh", page)[0].splitlines():
        words = [str(ROOT / word) if word.startswith("launch/") else word for word in shlex.split(line)[1:]]
        done = embodied(*words)
        assert done.code == 0, done.stderr + done.stdout


@simulated
def test_the_tests_of_the_docs_pass_as_they_are_written(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_cell.py").write_text(blocks("python", page)[0], encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    # Several processes and JUnit's file are tested with the plugin.
    alone = [line for line in blocks("sh", page)[0].splitlines() if "-n 2" not in line]
    for line, passed in zip(alone, (3, 1), strict=True):
        words = [sys.executable, "-m", *shlex.split(line)]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert f"{passed} passed" in done.stdout, done.stdout


@simulated
def test_the_error_of_the_docs_is_what_is_printed(tmp_path: Path) -> None:
    text = (ROOT / "launch" / "pick_place.yaml").read_text(encoding="utf-8")
    (tmp_path / "launch").mkdir()
    (tmp_path / "launch" / "robots").symlink_to(ROOT / "launch" / "robots")
    file = tmp_path / "launch" / "pick_place.yaml"
    file.write_text(text.replace("in: {joints: arm.state, goal", "in: {joints: arm.stat, goal"), encoding="utf-8")
    with pytest.raises(LaunchError) as caught:
        load(file).graph("sim").check()
    shown = next(str(p) for p in caught.value.problems if p.code == "E302").replace(str(tmp_path) + "/", "")
    assert shown in (ROOT / "docs" / "launch.md").read_text("utf-8")


def test_the_readme_is_short_and_every_link_leads_somewhere() -> None:
    assert len(README.splitlines()) <= 110
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", README):
        assert (ROOT / target).exists(), target
