"""Law 7: what the kinematics will need from a URDF is proven when it is read, by joint or link; all else is ignored."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from embodied.robot import Joint, Robot, Tool, urdf
from policies.motion.arm import Arm, Limits
from policies.motion.kinematics import InverseKinematics

LIMIT = '<limit lower="-1" upper="1" effort="5" velocity="1"/>'


def joint(name: str, parent: str, child: str, kind: str = "revolute", inside: str = LIMIT, axis: str = "0 0 1") -> str:
    return (
        f'<joint name="{name}" type="{kind}"><parent link="{parent}"/><child link="{child}"/>'
        f'<origin xyz="0.2 0 0.1" rpy="0 0.3 0"/><axis xyz="{axis}"/>{inside}</joint>'
    )


LINKS = "".join(f'<link name="{name}"/>' for name in ("base", "upper", "lower", "hand"))
JOINTS = [
    joint("shoulder", "base", "upper"),
    joint("elbow", "upper", "lower", axis="0 1 0"),
    joint("flange", "lower", "hand", "fixed", ""),
]


def text(*, joints: list[str] = JOINTS, links: str = LINKS, name: str = ' name="arm"', more: str = "") -> str:
    return f"<robot{name}>{links}{''.join(joints)}{more}</robot>"


def arm(path: Path) -> Robot:
    limits = Joint(-3.0, 3.0, 2.0, 5.0, 10.0, 0.1)
    return Robot("arm", path, "base", Tool("hand", (0.0, 0.0, 0.1)), {"shoulder": limits, "elbow": limits}, 0.08)


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str | bytes], Robot]:
    """Return a function that writes a URDF, and makes an arm of it."""

    def write(content: str | bytes) -> Robot:
        path = tmp_path / "arm.urdf"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return arm(path)

    return write


REFERENCE = np.array([0.4, -0.7])


def agree(robot: Robot) -> np.ndarray:
    """Check that guard and inverse kinematics compute one pose, and that the second one finds back; return it."""
    kinematics = Arm(robot)
    position, rotation = kinematics.solve_forward(REFERENCE)
    tool = robot.chain.tool(REFERENCE)
    assert np.allclose(position, tool[:3, 3], atol=1e-12)
    assert np.allclose(rotation, tool[:3, :3], atol=1e-12)
    found, _ = kinematics.solve_inverse(
        position, rotation, REFERENCE + 0.05, Limits.of(robot, 1.0), damping=1e-3, weight=1.0, iterations=50
    )
    assert np.allclose(found, REFERENCE, atol=1e-3)
    assert not list(InverseKinematics(robot).check())
    InverseKinematics(robot).open()
    return tool


@pytest.mark.parametrize(
    "content",
    [
        text(joints=[joint("shoulder", "base", "upper", "continuous", ""), *JOINTS[1:]]),
        text(joints=[joint("shoulder", "base", "upper", "continuous"), *JOINTS[1:]]),
        text(links=LINKS + '<link name="shoulder"/><link name="elbow"/>'),
        text(more='<transmission name="t"><joint name="shoulder"><limit lower="9" upper="9"/></joint></transmission>'),
        text(more='<gazebo><sensor:camera name="c" x:y="1"/></gazebo><xacro:macro/>'),
        text(more=joint("finger", "hand", "tip", "prismatic", "") + '<link name="tip"/>'),
        text(more=joint("float", "hand", "tip", "floating", "") + '<link name="tip"/>'),
        '<?xml version="1.0" encoding="gb2312"?>\n<!-- 机器人 -->' + text(),
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n<!-- “élan” -->' + text(),
        '<?xml version="1.0" encoding="shift_jis"?>' + text(),
        text(joints=[line.replace("0.2 0 0.1", " 0.2\n0\t0.1 ") for line in JOINTS]),
    ],
    ids=[
        "continuous",
        "continuous with limits",
        "a link and a joint of one name",
        "transmission",
        "prefixes",
        "a finger without limits",
        "a floating joint beside the chain",
        "gb2312",
        "utf-8",
        "shift_jis",
        "white space",
    ],
)
def test_what_the_kinematics_does_not_need_changes_nothing(
    written: Callable[[str | bytes], Robot], content: str
) -> None:
    encoding = next((name for name in ("gb2312", "shift_jis") if name in content), "utf-8")
    pose = agree(written(content.encode(encoding)))
    assert np.array_equal(pose, agree(written(text())))


def changed(old: str, new: str, number: int = 0) -> str:
    joints = list(JOINTS)
    assert old in joints[number]
    joints[number] = joints[number].replace(old, new, 1)
    return text(joints=joints)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (changed(LIMIT, ""), "joint 'shoulder': a revolute joint must have a <limit>; without one it is continuous"),
        (changed('effort="5"', ""), "joint 'shoulder': its limit must have effort, at least 0 and finite, got none"),
        (changed('velocity="1"', 'velocity="nan"', 1), "joint 'elbow': its limit must have velocity"),
        (changed('lower="-1" upper="1"', 'lower="1" upper="-1"'), "lower must be at most upper, got 1 and -1"),
        (changed("revolute", "planar"), "joint 'shoulder' must be fixed, revolute, continuous, prismatic between base"),
        (changed("revolute", "floating"), "got 'floating'"),
        (changed("revolute", "Revolute"), "got 'Revolute'"),
        (changed('type="revolute"', ""), "got ''"),
        (changed("<axis", '<mimic joint="elbow"/><axis'), "joint 'shoulder' follows 'elbow' (mimic)"),
        (changed('xyz="0.2 0 0.1"', 'xyz="0.2 0"'), "joint 'shoulder': origin xyz='0.2 0' is not three finite numbers"),
        (changed('xyz="0.2 0 0.1"', 'xyz="${reach} 0 0.1"'), "is a macro: run xacro on the file first"),
        (changed('xyz="0.2 0 0.1"', 'xyz="0.2 inf 0.1"'), "is not three finite numbers"),
        (changed('xyz="0.2 0 0.1"', 'xyz="0.2 1e300 0.1"'), "must be within 10000"),
        (changed('rpy="0 0.3 0"', 'rpy="0 0.3 0 0"'), "origin rpy='0 0.3 0 0' is not three finite numbers"),
        (changed('xyz="0 0 1"', 'xyz="0 0 0"'), "the axis of joint 'shoulder' has no direction"),
        (changed('xyz="0 0 1"', 'xyz="0 0 1e-300"'), "the axis of joint 'shoulder' has no direction"),
        (changed('name="shoulder"', 'name="shoulders"'), "moves ['shoulders', 'elbow'] between base and tool"),
        (changed('name="shoulder"', ""), "every joint must have a name, 1 has none"),
        (changed('parent link="base"', 'parent link="bass"'), "has no path from 'base' to 'hand'"),
        (changed('parent link="base"', 'parent link="hand"'), "has no path from 'base' to 'hand'"),
        (text(name=""), "<robot> must have a name"),
        (text(links=LINKS.replace("lower", "lowest")), "joint 'elbow' has the child 'lower', which is no link"),
        (text(links=LINKS + '<link name="hand"/>'), "there are 2 links named 'hand'"),
        (text(more=joint("elbow", "hand", "x")), "there are 2 joints named 'elbow'"),
        (text(more=joint("other", "base", "lower")), "link 'lower' has two parents, by the joints 'elbow' and 'other'"),
        (text().replace("robot", "sdf"), "the outermost element of a URDF is <robot>, got <sdf>"),
        (text()[:-4], "cannot read the URDF"),
        ("", "cannot read the URDF"),
        ("<a>" * 100_000, "it is nested more than 64 deep"),
        (f"<robot name='a'>{'<a/>' * 200_001}</robot>", "it has more than 200000 elements"),
        ('<!DOCTYPE r [<!ENTITY a "b">]><robot name="a">&a;</robot>', "it declares entities"),
        ('<?xml version="1.0" encoding="rot13"?><robot/>', "it is no text in 'rot13'"),
        ('<?xml version="1.0" encoding="klingon"?><robot/>', "it is no text in 'klingon'"),
    ],
)
def test_what_it_does_need_is_refused_at_check_by_joint_or_link(
    written: Callable[[str | bytes], Robot], content: str, problem: str
) -> None:
    (sentence,) = InverseKinematics(written(content)).check()
    assert problem in sentence
    assert "arm.urdf" in sentence
    assert len(sentence) < 400


def test_a_byte_that_is_none_of_the_encoding_is_named_with_the_file(written: Callable[[str | bytes], Robot]) -> None:
    with pytest.raises(ValueError, match=r"cannot read the URDF .*arm\.urdf: it is no text in 'utf-8'"):
        _ = written(b'<robot name="\xff"/>').chain


def test_limits_are_those_of_the_joint_and_not_of_a_transmission_of_its_name(
    written: Callable[[str | bytes], Robot],
) -> None:
    transmission = '<transmission><joint name="shoulder"><limit lower="8" upper="9"/></joint></transmission>'
    assert written(text(more=transmission)).stops == {"shoulder": (-1.0, 1.0), "elbow": (-1.0, 1.0)}


def test_a_package_is_found_beside_the_file_or_where_ros_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: Callable[[str | bytes], Robot]
) -> None:
    robot = written(text())
    launch = tmp_path / "cells" / "left"
    (tmp_path / "my_arm" / "urdf").mkdir(parents=True)
    robot.urdf.rename(tmp_path / "my_arm" / "urdf" / "arm.urdf")
    asked = replace(robot, urdf=launch / "package://my_arm/urdf/arm.urdf")
    assert np.array_equal(agree(asked), agree(replace(robot, urdf=tmp_path / "my_arm" / "urdf" / "arm.urdf")))
    (tmp_path / "share").mkdir()
    (tmp_path / "my_arm").rename(tmp_path / "share" / "my_arm")
    with pytest.raises(ValueError, match=r"there is no urdf/arm\.urdf of a package 'my_arm'; write its path relative"):
        _ = replace(asked, name="again").chain
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    agree(replace(asked, name="found"))


def test_what_is_no_file_with_an_end_is_refused_at_once(tmp_path: Path) -> None:
    pipe, huge = tmp_path / "pipe.urdf", tmp_path / "huge.urdf"
    os.mkfifo(pipe)
    huge.touch()
    os.truncate(huge, 1 << 40)
    began = time.monotonic()
    for path, problem in (
        (pipe, "a pipe"),
        (huge, "larger than"),
        (tmp_path, "a folder"),
        (Path("/dev/zero"), "a device"),
    ):
        (sentence,) = InverseKinematics(arm(path)).check()
        assert problem in sentence
        assert str(path) in sentence
    assert time.monotonic() - began < 2.0


def test_the_chain_alone_is_what_another_reader_gets(written: Callable[[str | bytes], Robot]) -> None:
    kinematics = written(text(more="<gazebo/>")).kinematics
    assert 'name="joint2" type="revolute"' in kinematics
    assert "gazebo" not in kinematics
    assert [joint.xyz for joint in urdf.chain(written(text()).urdf, "base", "hand")] == [(0.2, 0.0, 0.1)] * 3
