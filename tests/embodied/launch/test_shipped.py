"""Launch files that ship are found by name, and as data: whatever else is called `launch` on the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from embodied.errors import LaunchError
from embodied.launch import load
from embodied.launch.shipped import SHIPPED, locate

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder laid out as site-packages after `pip install`, with the Python package `launch` of ROS 2 in it."""
    folder = tmp_path_factory.mktemp("site-packages")
    wheel = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    for source in wheel["only-include"]:
        target = folder / wheel["sources"].get(source, source)
        shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
    assert not (folder / "launch").exists()
    (folder / "launch").mkdir()
    (folder / "launch" / "__init__.py").write_text("class LaunchDescription: ...\n", encoding="utf-8")
    return folder


def python(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(site)}
    return subprocess.run(
        [sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True, timeout=100
    )


def test_an_installed_copy_finds_what_it_ships_by_name(site: Path, tmp_path: Path) -> None:
    code = """
import launch, embodied
from embodied.launch import load
files = {load(name).file for name in ("pick_place", "pick_place.yaml", "launch/pick_place.yaml")}
print(embodied.__file__, launch.LaunchDescription.__module__, *files)
assert "detector" in load("pick_place").graph("truth").entries
assert launch.LaunchDescription.__module__ == "launch"
"""
    done = python(site, tmp_path, "-c", code)
    assert done.returncode == 0, done.stderr
    shipped = site / "embodied" / "launch_files" / "pick_place.yaml"
    assert done.stdout.split() == [str(site / "embodied" / "__init__.py"), "launch", str(shipped)]


def test_a_launch_file_of_ones_own_comes_before_the_one_that_ships(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert locate(Path("pick_place")) == SHIPPED / "pick_place.yaml"
    (tmp_path / "pick_place").mkdir()  # a folder is no launch file
    assert locate(Path("pick_place")) == SHIPPED / "pick_place.yaml"
    (tmp_path / "launch").mkdir()
    (tmp_path / "launch" / "pick_place.yaml").write_text("embodied: 1\n", encoding="utf-8")
    assert locate(Path("pick_place")) == Path("launch/pick_place.yaml")
    (tmp_path / "pick_place.yaml").write_text("embodied: 1\n", encoding="utf-8")
    assert locate(Path("pick_place")) == Path("pick_place.yaml")


def test_a_name_that_is_nearly_right_is_corrected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LaunchError) as caught:
        load("pik_place")
    (problem,) = caught.value.problems
    assert (problem.code, problem.help) == ("E105", ("did you mean 'pick_place'?",))
    with pytest.raises(LaunchError, match="cannot read"):
        load("a\0b")
