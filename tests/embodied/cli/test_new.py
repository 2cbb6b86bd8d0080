"""A new project passes as it stands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embodied.conftest import Command, Done

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new") / "mycell"
    done = within(folder.parent, "-m", "embodied", "new", "mycell", "--json")
    assert done.code == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "mycell"
    return folder


def within(folder: Path, *words: str) -> Done:
    """What Python gives in a folder, with embodied as if it were installed and nothing of this test run."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return Done(done.returncode, done.stdout, done.stderr)


def test_nothing_of_the_template_is_left_in_it(project: Path) -> None:
    files = [file for file in project.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
    names = {str(file.relative_to(project)) for file in files}
    assert {"launch/mycell.yaml", "tests/scenarios/test_mycell.py", ".github/workflows/ci.yml", ".gitignore"} <= names
    for file in files:
        assert "__NAME__" not in str(file) + file.read_text("utf-8")


def test_its_launch_file_nodes_and_scenarios_pass(project: Path, embodied: Command) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    checked = embodied("check", str(project / "launch" / "mycell.yaml"), "--format", "github")
    assert (checked.code, "::error" in checked.stdout) == (0, False), checked.stdout
    # One seed of its scenario; the others are the same scenario again.
    done = within(project, "-m", "pytest", "-q", "-W", "error", "-k", "not seed-0 and not seed-1")
    assert done.code == 0, done.stdout + done.stderr
    assert "6 passed, 2 deselected" in done.stdout


def test_it_is_formatted_and_linted_as_a_project_of_its_own(project: Path) -> None:
    ruff = ("-m", "ruff")
    for words in (("format", "--check"), ("check", "--select", "E,F,I,UP,B,RUF")):
        done = within(project, *ruff, *words, "--isolated", "--line-length", "120", ".")
        assert done.code == 0, done.stdout


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("my-cell", "write: embodied new my_cell"),
        ("Cell", "write: embodied new cell"),
        ("7up", "write: embodied new up"),
        ("sims", "write: embodied new my_sims"),
        ("a; rm -rf x", "write: embodied new a_rm_rf_x"),
        ("x" * 60, f"write: embodied new {'x' * 40}"),
    ],
)
def test_a_name_that_is_none_is_refused_and_repaired(name: str, says: str, embodied: Command, tmp_path: Path) -> None:
    done = embodied("new", name)
    assert done.code == 2
    assert says in done.stderr
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_empty_is_left_as_it_is(embodied: Command, tmp_path: Path) -> None:
    (tmp_path / "mycell").mkdir()
    (tmp_path / "mycell" / "mine.txt").write_text("mine", encoding="utf-8")
    done = embodied("new", "mycell")
    assert done.code == 2
    assert "exists and is not empty" in done.stderr
    assert [file.name for file in (tmp_path / "mycell").iterdir()] == ["mine.txt"]


def test_a_place_that_cannot_be_written_is_one_error_with_the_fix(embodied: Command, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    for path in ("file/mycell", "file"):
        done = embodied("new", path)
        assert done.code == 2
        assert f"cannot create {path}" in done.stderr
        assert "choose a folder that you may write in" in done.stderr
