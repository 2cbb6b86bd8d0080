"""A device folder that fails to import is reported with its file and line wherever devices are looked for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from embodied.devices.registry import device, devices
from embodied.errors import LaunchError
from tests.embodied.conftest import Command

BROKEN = '"""A turntable."""\n\nDEVICE = Device(\n'
CELL = """\
embodied: 1
nodes:
  table: {use: "drivers.broken:Turntable", rate: 50}
profiles:
  bench: {clock: steady}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with one device folder that has a syntax error, and one that raises in the module it imports."""
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    for name, text in (("broken", BROKEN), ("raising", "from drivers.raising import codec\n")):
        (tmp_path / "drivers" / name).mkdir(parents=True)
        (tmp_path / "drivers" / name / "__init__.py").write_text(text, encoding="utf-8")
    (tmp_path / "drivers" / "raising" / "codec.py").write_text("SCALE = 1\n1 / 0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def test_the_registry_has_the_problem_of_each_broken_folder_and_every_other_device(project: Path) -> None:
    found = devices()
    assert {"xarm", "so101", "uvc", "mavlink", "can_ev"} <= set(found.known)
    assert {name: problem.where for name, problem in found.broken.items()} == {
        "broken": f"{project}/drivers/broken/__init__.py:3",
        "raising": f"{project}/drivers/raising/codec.py:2 in <module>",
    }
    assert "'drivers/raising' cannot be imported: ZeroDivisionError" in found.broken["raising"].message


def test_a_broken_device_that_is_asked_for_is_reported_as_broken(project: Path) -> None:
    with pytest.raises(
        LaunchError, match=f"cannot be imported: SyntaxError.*\n.*{project}/drivers/broken/__init__.py:3"
    ):
        device("broken")


def test_a_name_that_is_not_found_comes_with_the_folders_that_are_broken(project: Path) -> None:
    with pytest.raises(LaunchError) as caught:
        device("brokn")
    assert [problem.code for problem in caught.value.problems] == ["E008", "E201", "E201"]


def test_the_list_of_devices_ends_with_the_broken_folders(embodied: Command, project: Path) -> None:
    done = embodied("driver", "list")
    assert done.code == 0
    assert "xArm 7" in done.stdout
    assert f"--> {project}/drivers/broken/__init__.py:3" in done.stderr
    listed = json.loads(embodied("driver", "list", "--json").stdout)
    assert [entry["where"] for entry in listed["broken"]] == [
        f"{project}/drivers/broken/__init__.py:3",
        f"{project}/drivers/raising/codec.py:2 in <module>",
    ]


def test_a_scan_names_the_broken_folders_among_what_it_skipped(embodied: Command, project: Path) -> None:
    skipped = json.loads(embodied("driver", "scan", "--json").stdout)["skipped"]
    assert f"{project}/drivers/broken/__init__.py:3" in skipped["broken"]
    assert f"{project}/drivers/raising/codec.py:2" in skipped["raising"]


def test_a_test_of_a_driver_in_a_broken_folder_reports_file_and_line(embodied: Command, project: Path) -> None:
    (project / "cell.yaml").write_text(CELL, encoding="utf-8")
    done = embodied("driver", "test", "cell.yaml", "--node", "table", "--yes")
    assert done.code == 2
    assert f"see {project}/drivers/broken/__init__.py:3" in done.stderr


def test_completion_offers_a_broken_device_with_what_is_wrong(
    embodied: Command, monkeypatch: pytest.MonkeyPatch, project: Path
) -> None:
    monkeypatch.setenv("_EMBODIED_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", "embodied virtual br")
    done = embodied()
    assert "broken" in done.stdout
    assert f"{project}/drivers/broken/__init__.py" in done.stdout
