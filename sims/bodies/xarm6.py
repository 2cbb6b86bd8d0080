"""Simulated UFACTORY xArm6 with its gripper, from pybullet_data (BSD-3-Clause, © 2018 UFACTORY)."""

import math

from sims.bodies.model import ArmModel, Gripper, WristMount

# One side of the linkage, from the model file: a knuckle turns about its pivot, a finger stays parallel at its end.
PIVOT = 0.035
"""Distance of a knuckle's pivot from the middle [m]."""

KNUCKLE_Y = 0.035465
"""Distance from the pivot to a finger's frame when open, across the gripper [m]."""

KNUCKLE_Z = 0.042039
"""Distance from the pivot to a finger's frame when open, along the gripper [m]."""

PAD = 0.0260
"""Distance from a finger's frame to the face of its pad [m]."""

CLOSED = 0.85
"""Largest drive angle, at which the gripper is closed [rad]."""

_RADIUS = math.hypot(KNUCKLE_Y, KNUCKLE_Z)
_PHASE = math.atan2(KNUCKLE_Z, KNUCKLE_Y)


def width(drive: float) -> float:
    """Return the simulated xArm6's opening between the pads [m] at a drive angle [rad], 89 mm at 0 and 2 mm at 0.85."""
    return 2 * (PIVOT - PAD + _RADIUS * math.cos(drive + _PHASE))


def drive(opening: float) -> float:
    """Return the simulated xArm6's drive angle [rad] at an opening between the pads [m], within the joint's range."""
    return min(max(math.acos((opening / 2 - PIVOT + PAD) / _RADIUS) - _PHASE, 0.0), CLOSED)


def slope(angle: float) -> float:
    """Return the change of the simulated xArm6's opening with the drive angle [m/rad]; never positive."""
    return -2 * _RADIUS * math.sin(angle + _PHASE)


XARM6 = ArmModel(
    urdf="xarm/xarm6_with_gripper.urdf",
    packages="xarm",
    base="link_base",
    gripper=Gripper(
        drives=("drive_joint",),
        # Five bars mirror the drive: the mimic joints of the model file, which PyBullet leaves out.
        followers={
            "left_finger_joint": 1.0,
            "left_inner_knuckle_joint": 1.0,
            "right_outer_knuckle_joint": 1.0,
            "right_finger_joint": 1.0,
            "right_inner_knuckle_joint": 1.0,
        },
        fingers=("left_finger", "right_finger"),
        force=1.5,
        stiff=0.8,
        joint=drive,
        width=width,
        slope=slope,
    ),
    wrist=WristMount("xarm_gripper_base_link", (0.08, 0.0, 0.04), (-0.5, 0.0, 1.5708)),
    iterations=100,
    gain=0.3,
    colours={"link6": (0.6, 0.6, 0.62, 1.0)},
    coarse={
        "link6": 0.006,
        "xarm_gripper_base_link": 0.006,
        "left_finger": 0.004,
        "right_finger": 0.004,
        "left_inner_knuckle": 0.005,
        "right_inner_knuckle": 0.005,
        "left_outer_knuckle": 0.005,
        "right_outer_knuckle": 0.005,
    },
)
