"""Fuzzer of URDF files, as inverse kinematics checks and opens them; both chains of what is taken agree."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np

from embodied.robot import Robot
from policies.motion.arm import Arm
from policies.motion.kinematics import InverseKinematics
from tests.embodied.robots import robot
from tests.fuzz.harness import Kind

NAMES = ("so101", "xarm7", "xarm6", "panda")
"""Robots whose files are the examples."""


@cache
def robots() -> list[Robot]:
    return [robot(name) for name in NAMES]


def read(data: bytes, folder: Path) -> str:
    """Check the inverse kinematics of the robot to which the file belongs; if it is taken, both chains agree."""
    path = folder / "arm.urdf"
    path.write_bytes(data)
    # The one of whose joints the file names most; one of seven joints is not taken for one of six.
    count = {one.name: sum(f'name="{name}"'.encode() in data for name in one.joints) for one in robots()}
    known = max(robots(), key=lambda one: (count[one.name] / len(one.joints), len(one.joints)))
    arm = replace(known, urdf=path)
    if problems := list(InverseKinematics(arm).check()):
        return "\n".join(problems)
    q = arm.limit("home")
    position, rotation = Arm(arm).solve_forward(q)
    tool = arm.chain.tool(q)
    assert np.isfinite(tool).all()
    assert np.allclose(position, tool[:3, 3], rtol=1e-9, atol=1e-9)
    assert np.allclose(rotation, tool[:3, :3], atol=1e-9)
    return ""


def examples() -> list[bytes]:
    Arm(robots()[0])  # loads pinocchio, which is no part of the time that an input takes
    return [arm.urdf.read_bytes() for arm in robots()]


KIND = Kind(
    name="urdf",
    examples=examples,
    words=(
        b"<joint ",
        b"</joint>",
        b"<link name=",
        b"<mimic joint='a'/>",
        b'type="planar"',
        b'type="continuous"',
        b"<limit/>",
        b'xyz="0 0 0"',
        b"<!DOCTYPE a [<!ENTITY b 'c'>]>",
        b"<?xml version='1.0' encoding='utf-16'?>",
        b"&a;",
        b"<![CDATA[",
        b"<a:b/>",
        b'rpy="',
        b'effort="',
        b"package://",
    ),
    read=read,
    modules=("embodied.robot.urdf", "embodied.robot"),
)
