"""An arm that no code knows: its description in a launch file is all that simulated worlds need of it."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from embodied.geometry import pose_matrix, transform
from embodied.node.settings import Context, make
from embodied.robot import Robot
from sims.simulated_world import arm_problems
from sims.tabletop.world import Tabletop
from tests.sims.conftest import FRAGMENTS, read_robot

pytestmark = pytest.mark.usefixtures("_simulator")

PEDESTAL = """<link name="floor"/>
<joint name="pedestal" type="fixed">
  <parent link="floor"/><child link="base_link"/><origin xyz="0.1 -0.2 0.5" rpy="0.1 -0.2 0.3"/>
</joint>
</robot>"""


@pytest.fixture
def _simulator() -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")


def own_arm(folder: Path, extra: str = "</robot>") -> Robot:
    """The SO-101 under another name, its files in a folder of its own."""
    written = yaml.safe_load((FRAGMENTS / "so101.yaml").read_text())["robots"]["so101"]
    for file in ("so101.urdf", "so101_boxes.urdf"):
        shutil.copy(FRAGMENTS / file, folder)
    boxes = folder / "so101_boxes.urdf"
    boxes.write_text(boxes.read_text().replace("</robot>", extra))
    robot = make(Robot, {"name": "mine", **written}, Context(folder=folder))
    assert isinstance(robot, Robot)
    return robot


def test_an_arm_on_a_pedestal_of_its_model_file_stands_with_its_base_at_the_origin(tmp_path: Path) -> None:
    robot = own_arm(tmp_path, PEDESTAL)
    assert list(arm_problems(robot)) == []
    world = Tabletop(robot)
    world.reset(3)
    tool = pose_matrix(*world.arm().link(robot.tool.link)) @ transform(robot.tool.position, robot.tool.rpy)
    assert tool == pytest.approx(robot.chain.tool(robot.limit("home")), abs=1e-6)
    world.close()


def test_an_arm_without_a_body_is_told_what_to_add() -> None:
    (problem,) = arm_problems(replace(read_robot("so101"), body=None))
    assert problem == "robot 'so101' has no body for simulated worlds: add 'body:' to its description"


@pytest.mark.parametrize(
    ("was", "is_", "says"),
    [
        ('name="base_link"', 'name="foot"', "has no link 'base_link'"),
        ('name="shoulder_pan"', 'name="pan"', "has no joint 'shoulder_pan'"),
        ('name="moving_jaw_link"', 'name="jaw"', "has no link 'moving_jaw_link'"),
        ("<box size", "<mesh filename='package://none/a.stl' size", "there is no a.stl of a package 'none'"),
        ("<box size", "<mesh filename='a.stl' size", "names the mesh a.stl, and there is none at"),
        ("<robot", "<robot><robot", "cannot read the URDF"),
    ],
)
def test_a_model_file_that_does_not_fit_is_named_with_what_is_missing(
    was: str, is_: str, says: str, tmp_path: Path
) -> None:
    robot = own_arm(tmp_path)
    boxes = tmp_path / "so101_boxes.urdf"
    text = boxes.read_text()
    assert was in text
    boxes.write_text(text.replace(was, is_, 1))
    problems = list(arm_problems(robot))
    assert any(says in problem for problem in problems), problems
