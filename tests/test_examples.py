"""Each example does what its first line promises."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embodied.cli.test_cli import ROOT, simulated
from tests.embodied.conftest import Command
from tests.processes import Child

EXAMPLES = ROOT / "examples"
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}


def example(name: str, at: Path) -> str:
    """Run an example as a program of its own and return what it prints."""
    words = [sys.executable, str(EXAMPLES / name)]
    done = subprocess.run(words, cwd=at, env=ENVIRONMENT, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_there_are_eight_of_15_to_60_lines_and_the_page_lists_each() -> None:
    files = [file for file in EXAMPLES.iterdir() if file.suffix in {".py", ".yaml"}]
    assert len(files) == 8
    page = (EXAMPLES / "README.md").read_text("utf-8")
    for file in files:
        assert 15 <= len(file.read_text("utf-8").splitlines()) <= 60, file.name
        assert f"[`{file.name}`]({file.name})" in page


@simulated
def test_a_joint_swings_by_its_amplitude(tmp_path: Path) -> None:
    assert example("wave.py", tmp_path) == "joint 1 swung from -0.30 to 0.30 rad\n"


@simulated
def test_one_seed_has_one_digest(tmp_path: Path) -> None:
    first, again, other = (line.split()[-1] for line in example("same_bytes.py", tmp_path).splitlines())
    assert first == again != other


@simulated
def test_the_arm_holds_within_the_proven_time_of_its_policys_death(tmp_path: Path) -> None:
    proven, measured = (int(n) for n in re.findall(r"(\d+) ms", example("dead_policy.py", tmp_path)))
    assert 0 < measured <= proven


@simulated
def test_detections_lie_within_a_centimetre_of_the_truth(tmp_path: Path) -> None:
    errors = [float(error) for error in re.findall(r"([\d.]+) mm from the truth", example("detections.py", tmp_path))]
    assert len(errors) >= 4
    assert max(errors) < 10.0


@simulated
def test_a_drone_flies_its_square_and_lands_where_it_began(tmp_path: Path) -> None:
    numbers = [float(n) for n in re.findall(r"-?\d+\.\d+|-?\d+\.", example("square_flight.py", tmp_path))]
    x, y, height, *landed = numbers
    assert x > 2.0
    assert y > 2.0
    assert 1.8 < height < 2.5
    assert all(abs(value) < 0.3 for value in landed)


@simulated
def test_a_live_run_is_watched_from_outside(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "embodied", "run", str(ROOT / "launch" / "pick_place.yaml"), "--sim", "--live"]
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
