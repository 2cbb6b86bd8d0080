"""Classes are found by the names in launch files, whatever was renamed, hidden or broken on the way."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from embodied.cli.common.complete import classes
from embodied.errors import LaunchError, Place
from embodied.launch import load
from embodied.launch.class_lookup import find_class
from embodied.launch.discovery import class_names, find_classes
from embodied.launch.project import enter
from embodied.launch.renamed import current_name
from tests.embodied.conftest import Command

PLACE = Place("cell.yaml", 4, 12, 'use: "it"')

OLD = [
    "policies.cloned:ClonedPickPlace",
    "policies.detector:Detector",
    "policies.dispatch:Dispatch",
    "policies.inspection:Inspect",
    "policies.kinematics:InverseKinematics",
    "policies.lane:LaneDetector",
    "policies.markers:Markers",
    "policies.pick_place:PickPlace",
    "policies.shuttle:Shuttle",
    "policies.spotter:Spotter",
    "policies.target:NamedTarget",
    "sims.consignment:Archive",
    "sims.consignment:DeliveryTask",
    "sims.consignment:TrueBlocks",
    "sims.consignment:TrueSight",
    "sims.errand:InspectionTask",
    "sims.errand:TrueMarkers",
    "sims.lanes:TrueLane",
    "sims.task:TabletopTask",
    "sims.truth:TruePoses",
    "drivers.can_ev.virtual:VirtualEV",
    "drivers.mavlink.virtual:VirtualPX4",
    "drivers.so101.virtual:VirtualSO101",
    "drivers.uvc.virtual:VirtualCamera",
    "drivers.xarm.virtual:VirtualXArm",
    "sims.airfield:Airfield",
    "sims.factory:Factory",
    "sims.road:Road",
    "sims.tabletop:Tabletop",
]
"""Names of shipped classes in launch files of version 0.1."""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, own_modules: None) -> Path:
    """Folder of a project; what is imported from it is forgotten again."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    return tmp_path


def write(project: Path, file: str, text: str) -> Path:
    path = project / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("use", OLD)
def test_every_name_of_a_shipped_class_of_before_still_names_one(use: str) -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    kind = "world" if use.split(".")[1].split(":")[0] in ("airfield", "factory", "road", "tabletop") else "node"
    assert find_class(use, kind, PLACE).__name__


NODE = """\
from embodied.messages import JointState
from tests.embodied.nodes import Clock


class Mine(Clock):
    def step(self) -> JointState: ...
"""


def test_a_package_of_ones_own_says_what_it_renamed_and_check_names_the_new_name(
    project: Path, embodied: Command
) -> None:
    write(project, "myrobot/devices/arm.py", NODE)
    write(
        project,
        "myrobot/renamed.yaml",
        "myrobot.arm: myrobot.devices.arm\nmyrobot.old:Gone: myrobot.devices.arm:Mine\n",
    )
    enter(project)
    assert current_name("myrobot.arm:Mine") == "myrobot.devices.arm:Mine"
    assert current_name("myrobot.old:Gone") == "myrobot.devices.arm:Mine"
    assert current_name("myrobot.old:Kept") == "myrobot.old:Kept"
    assert current_name("myrobot.devices.arm:Mine") == "myrobot.devices.arm:Mine"
    assert current_name("nowhere.at.all:Mine") == "nowhere.at.all:Mine"
    file = write(project, "cell.yaml", 'embodied: 1\nnodes: {arm: {use: "myrobot.arm:Mine"}}\n')
    checked = load(file).check()
    assert checked.plan is not None
    assert checked.hints == (f"{file}:2:20: 'myrobot.arm:Mine' is now 'myrobot.devices.arm:Mine'",)
    assert type(load(file).graph().entries["arm"].node).__name__ == "Mine"
    done = embodied("check", "cell.yaml")
    assert done.code == 0
    assert done.stderr == "hint: cell.yaml:2:20: 'myrobot.arm:Mine' is now 'myrobot.devices.arm:Mine'\n"


def test_a_list_of_renamed_classes_that_is_wrong_is_shown_with_its_place(project: Path) -> None:
    (project / "myrobot").mkdir()
    enter(project)
    for text, line in (("- a\n", 1), ("myrobot.arm: [b]\n", 1), ("a: b\n{\n", 3)):
        file = write(project, "myrobot/renamed.yaml", text)
        with pytest.raises(LaunchError) as caught:
            find_class("myrobot.arm:Mine", "node", PLACE)
        place = caught.value.problems[0].place
        assert place is not None
        assert (place.file, place.line) == (str(file), line)


def test_a_broken_module_is_reported_with_its_file_and_line_and_hides_no_other(
    project: Path, embodied: Command
) -> None:
    good = write(project, "policies/good_one.py", NODE)
    broken = write(project, "policies/broken_one.py", f"{NODE}\n1 / 0\n")
    package = write(project, "drivers/brokendevice/__init__.py", "def f(:\n")
    write(project, "drivers/brokendevice/driver.py", NODE)
    enter(project)
    found = find_classes("node")
    assert "policies.good_one:Mine" in found.classes
    assert good.is_file()
    assert found.broken["policies.broken_one"] == f"ZeroDivisionError: division by zero, at {broken}:8 in <module>"
    assert found.broken["drivers.brokendevice"].endswith(f", at {package}:1")
    assert "drivers.brokendevice.driver" in found.broken
    assert {"policies.broken_one:Mine", "drivers.brokendevice.driver:Mine"} <= set(class_names())
    assert "policies.broken_one:Mine" in classes("policies.broken")
    listed = embodied("nodes")
    assert f"at {broken}:8" in listed.stdout
    assert f"at {package}:1" in listed.stdout
    assert f"at {broken}:8" in embodied("schema", "--output", "it.json").stderr
    with pytest.raises(LaunchError, match=r"did you mean 'policies.broken_one'\?"):
        find_class("policies.broken_on:Mine", "node", PLACE)


@pytest.mark.parametrize(
    ("file", "hides", "advice"),
    [
        ("drivers.py", "drivers", "rename it"),
        ("sims/__init__.py", "sims", "without it, this folder and the installed 'sims' are merged"),
        ("embodied.py", "embodied", "rename it"),
        ("embodied/__init__.py", "embodied", "use the environment of that embodied"),
        ("launch/__init__.py", "launch", "ROS 2 has a Python package of that name"),
        ("launch.py", "launch", "rename it"),
    ],
)
def test_a_file_of_the_project_that_hides_a_package_is_named_before_anything_is_imported(
    file: str, hides: str, advice: str, project: Path
) -> None:
    write(project, file, "raise SystemExit\n")
    cell = write(project, "launch/cell.yaml", "embodied: 1\nnodes: {}\n")
    with pytest.raises(LaunchError) as caught:
        load(cell)
    (problem,) = caught.value.problems
    assert (problem.code, problem.message) == ("E210", f"{file} hides the package '{hides}'")
    assert advice in problem.help[0]
    assert str(project) not in sys.path


def test_a_package_that_hides_a_shipped_one_of_its_name_is_named(project: Path) -> None:
    hiding = write(project, "policies/tasks/__init__.py", "")
    for name in [name for name in sys.modules if name == "policies" or name.startswith("policies.")]:
        del sys.modules[name]
    enter(project)
    with pytest.raises(LaunchError) as caught:
        find_class("policies.tasks.target:NamedTarget", "node", PLACE)
    (help_,) = caught.value.problems[0].help
    assert help_.startswith(f"{hiding} hides ")
    assert help_.endswith("policies/tasks/target.py: remove or rename it")
