"""Identity of an xArm, as its control box reports it, with the joint ranges that UFACTORY states for such an arm."""

from __future__ import annotations

from typing import Any

from drivers.xarm.sdk import sdk
from embodied.errors import DeviceLost
from embodied.node.identity import Identity, JointRange

SPEED = 3.1416
"""Largest speed of every joint [rad/s]: xArm User Manual, technical specifications, 180°/s."""

VIRTUAL = "VIRTUAL"
"""End of the serial numbers of virtual arms."""


def read_identity(arm: Any, host: str) -> Identity:
    """Read the identity of a connected arm of the SDK.

    Raises:
        DeviceLost: the box does not report it.
    """
    _, constants = sdk()
    code, serial = arm.get_robot_sn()
    if code != 0:
        raise DeviceLost(f"the xArm at {host} does not report its serial number (code {code})")
    axes, kind = int(arm.axis), int(arm.device_type)
    limits = constants.Robot.JOINT_LIMITS.get(axes, {}).get(kind, [])
    joints = {f"joint{i}": JointRange(lower=low, upper=high, velocity=SPEED) for i, (low, high) in enumerate(limits, 1)}
    return Identity(
        model=f"xArm {axes}",
        serial=str(serial),
        firmware=".".join(map(str, arm.version_number)),
        virtual=str(serial).endswith(VIRTUAL),
        joints=joints,
    )
