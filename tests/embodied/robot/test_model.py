from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.embodied.robots import robot


@pytest.mark.parametrize("name", ["panda", "xarm6"])
def test_the_points_of_an_arm_are_its_joints_and_its_tool_for_one_posture_as_for_many(name: str) -> None:
    arm = robot(name)
    home = arm.limit("home")
    turned = home + 0.1
    points = arm.chain.points(np.array((home, turned)))
    assert points.shape == (2, home.size + 1, 3)
    for posture, found in zip((home, turned), points, strict=True):
        assert np.array_equal(found, arm.chain.points(posture))
        assert np.array_equal(found[-1], arm.chain.tool(posture)[:3, 3])
    # The first joint turns about itself.
    assert np.array_equal(points[0, 0], points[1, 0])


@pytest.mark.parametrize("name", ["panda", "xarm6"])
def test_a_joint_moves_only_what_comes_after_it_and_never_its_distance(name: str) -> None:
    arm = robot(name)
    home = arm.limit("home")
    before = arm.chain.points(home)
    for joint in range(home.size):
        after = arm.chain.points(home + 0.3 * np.eye(home.size)[joint])
        assert np.allclose(after[: joint + 1], before[: joint + 1], atol=1e-12)
        reach = np.linalg.norm(before - before[joint], axis=1)
        assert np.allclose(np.linalg.norm(after - after[joint], axis=1), reach, atol=1e-12)


@pytest.mark.parametrize("name", ["panda", "xarm6", "xarm7", "so101"])
def test_no_arm_is_allowed_beyond_the_stops_of_its_urdf(name: str) -> None:
    arm = robot(name)
    assert list(arm.stops) == list(arm.joints)
    for joint, (lower, upper) in arm.stops.items():
        assert lower - 1e-3 <= arm.joints[joint].lower < arm.joints[joint].upper <= upper + 1e-3


def test_a_joint_of_which_the_urdf_names_no_stops_is_named(tmp_path: Path) -> None:
    arm = robot("so101")
    text = arm.urdf.read_text("utf-8").replace('lower="-1.69" upper="1.69"', 'lower="-1.69"')
    (tmp_path / "arm.urdf").write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"arm\.urdf has no limits of joint 'elbow_flex'"):
        _ = replace(arm, urdf=tmp_path / "arm.urdf").stops
