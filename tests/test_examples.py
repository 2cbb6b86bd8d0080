"""Each example does what its first line promises."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.embodied.cli.test_cli import ROOT, simulated
from tests.embodied.conftest import Command
from tests.processes import Child

EXAMPLES = ROOT / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


Example = Callable[[str], str]


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Example:
    """Runs an example as the main program in `tmp_path`, and returns what it prints; a process more costs a second."""

    def run(name: str) -> str:
        monkeypatch.chdir(tmp_path)
        runpy.run_path(str(EXAMPLES / name), run_name="__main__")
        return capsys.readouterr().out

    return run


def test_there_are_eight_of_15_to_60_lines_and_the_page_lists_each() -> None:
    files = [file for file in EXAMPLES.iterdir() if file.suffix in {".py", ".yaml"}]
    assert len(files) == 8
    page = (EXAMPLES / "README.md").read_text("utf-8")
    for file in files:
        assert 15 <= len(file.read_text("utf-8").splitlines()) <= 60, file.name
        assert f"[`{file.name}`]({file.name})" in page


@simulated
def test_a_joint_swings_by_its_amplitude(example: Example) -> None:
    assert example("wave.py") == "joint 1 swung from -0.30 to 0.30 rad\n"


@simulated
def test_one_seed_has_one_digest(example: Example) -> None:
    first, again, other = (line.split()[-1] for line in example("same_bytes.py").splitlines())
    assert first == again != other


@simulated
def test_the_arm_holds_within_the_proven_time_of_its_policys_death(example: Example) -> None:
    proven, measured = (int(n) for n in re.findall(r"(\d+) ms", example("dead_policy.py")))
    assert 0 < measured <= proven


@simulated
def test_detections_lie_within_a_centimetre_of_the_truth(example: Example) -> None:
    errors = [float(error) for error in re.findall(r"([\d.]+) mm from the truth", example("detections.py"))]
    assert len(errors) >= 4
    assert max(errors) < 10.0


@simulated
def test_a_drone_flies_its_square_and_lands_where_it_began(example: Example) -> None:
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+|-?\d+\.", example("square_flight.py"))]
    x, y, height, *landed = numbers
    assert x > 2.0
    assert y > 2.0
    assert 1.8 < height < 2.5
    assert all(abs(value) < 0.3 for value in landed)


@simulated
def test_a_live_run_is_watched_from_outside(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "embodied", "run", str(ROOT / "launch" / "pick_place.yaml")]
    words += ["--profile", "truth", "--live"]
    with Child(words, cwd=tmp_path, env=ENVIRONMENT, stderr=subprocess.PIPE, text=True) as run:
        assert run.stderr is not None
        name = run.stderr.readline().split()[2].rstrip(",")
        words = [sys.executable, str(EXAMPLES / "watch_live.py"), name]
        done = subprocess.run(words, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=60)
        run.terminate()
    assert done.returncode == 0, done.stderr
    steps = [int(step) for step in re.findall(r"step (\d+): joint 1 at [+-]\d\.\d{3} rad", done.stdout)]
    assert len(steps) == 5
    assert steps == sorted(set(steps))


@simulated
@pytest.mark.parametrize(
    ("file", "profile", "printed"),
    [("rough_sensors.yaml", "rough", "drop camera"), ("careful_cell.yaml", "sim", "PASS")],
)
def test_the_launch_files_place_their_block(file: str, profile: str, printed: str, embodied: Command) -> None:
    done = embodied("run", str(EXAMPLES / file), "--profile", profile, "--seed", "7")
    assert done.code == 0, done.stderr
    assert printed in done.stdout
