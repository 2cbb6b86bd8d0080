"""The description that a person reads agrees with how the joints move the hand."""

from __future__ import annotations

import numpy as np
import pytest

from drivers.so101 import pose_description
from drivers.so101.servos import JOINTS, NAMES
from tests.drivers.so101.bench import ROBOT

SIDES = {
    "forwards": (1, 0, 0),
    "backwards": (-1, 0, 0),
    "to the left": (0, 1, 0),
    "to the right": (0, -1, 0),
    "up": (0, 0, 1),
    "down": (0, 0, -1),
}


@pytest.mark.parametrize("joint", [name for name in JOINTS if name != "wrist_roll"])
@pytest.mark.parametrize("upper", [False, True])
def test_the_hand_goes_where_it_is_said_to_go(joint: str, upper: bool) -> None:
    home = ROBOT.limit("home")
    moved = home.copy()
    moved[JOINTS.index(joint)] += 0.02 if upper else -0.02
    went = (ROBOT.chain.tool(moved) - ROBOT.chain.tool(home))[:3, 3]
    said = pose_description.motion_text(ROBOT, joint, upper).removeprefix("the hand goes ").split(" and ")
    aim = np.sum([SIDES[side] for side in said], axis=0)
    # Within half of a right angle.
    assert went @ aim / np.linalg.norm(went) / np.linalg.norm(aim) > np.cos(np.pi / 4)


def test_the_hand_turns_as_it_is_said_to_turn() -> None:
    home = ROBOT.limit("home")
    before, after = ROBOT.chain.tool(home), ROBOT.chain.tool(home + np.array([0, 0, 0, 0, 0.1]))
    x, y, _ = before[:3, :3].T @ after[:3, 0]
    # Who looks along z sees y to the right of x.
    said = "clockwise" if np.arctan2(y, x) > 0 else "anticlockwise"
    assert pose_description.motion_text(ROBOT, "wrist_roll", True) == f"the hand turns {said}, seen from the arm"
    other = {"clockwise": "anticlockwise", "anticlockwise": "clockwise"}[said]
    assert pose_description.motion_text(ROBOT, "wrist_roll", False) == f"the hand turns {other}, seen from the arm"


def test_the_pose_is_said_in_degrees_and_in_centimetres() -> None:
    said = pose_description.pose_lines(ROBOT)
    assert said[0] == "  the fingertips 14 cm before the middle of the base and 7 cm above the table"
    assert said[1] == "  the hand points down, its fingers open to both sides"
    assert [line.split()[0] for line in said[2:]] == list(NAMES)
    assert "  wrist_flex      +90.9°" in said
    assert (
        pose_description.motion_text(ROBOT, "gripper", True),
        pose_description.motion_text(ROBOT, "gripper", False),
    ) == (
        "it opens",
        "it closes",
    )
