"""Warnings at check. The law: what is right and may still do what nobody wants is told, with both figures."""

from __future__ import annotations

from pathlib import Path

import pytest

from embodied.launch import Overrides, load
from tests.embodied.conftest import Command

FILE = "embodied: 1\ninclude: [pick_place.yaml]\nrobots: {{panda: {{{change}}}}}\n"

CASES = {
    "opening: 0.06": ["'policy' opens the gripper to 0.075 m (opening), and the gripper of 'panda' opens to 0.06 m"],
    "opening: 0.03": [
        "'policy' opens the gripper to 0.075 m (opening), and the gripper of 'panda' opens to 0.03 m",
        "'policy' grasps blocks of 0.04 m (block), and the gripper of 'panda' opens to 0.03 m",
    ],
    "tool: {link: panda_hand, position: [0, 0, 0.1034], rpy: [3.1416, 0, 0]}": [
        "the tool of 'panda' points back into its link: its z leads -0.103 m along its own position, where it should "
        "lead +0.103 m; turn rpy = [3.1416, 0, 0] by half a turn"
    ],
    "tool: {link: panda_hand, position: [0, 0, 0], rpy: [3.1416, 0, 0]}": [
        "the tool of 'panda' does not point down at home: the vertical part of its z is +1.00, and -1 is straight "
        "down; correct its rpy, or home"
    ],
    "opening: 0.075": [],
}


@pytest.mark.parametrize("change", CASES)
def test_a_tool_turned_over_and_a_gripper_too_narrow_are_told_with_both_figures(change: str, tmp_path: Path) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text(FILE.format(change=change))
    found = load(file).check("truth")
    assert not found.problems
    assert list(found.warnings) == CASES[change]


@pytest.mark.parametrize("robot", ["panda", "so101", "xarm6"])
def test_the_robots_that_ship_fit_their_policies(robot: str) -> None:
    launch = load("pick_place", Overrides(sets=(f"robot={robot}",)))
    assert [launch.check(profile).warnings for profile in ("sim", "truth")] == [(), ()]


def test_a_check_prints_its_warnings_and_succeeds(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "cell.yaml").write_text(FILE.format(change="opening: 0.06"))
    done = embodied("check", "cell.yaml", "--profile", "truth")
    assert done.code == 0
    assert "warning: 'policy' opens the gripper to 0.075 m (opening), and the gripper of 'panda'" in done.stderr
