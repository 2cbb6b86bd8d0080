"""Simulated SO-101 follower arm, whose model file `so101.urdf` is made of boxes (Apache-2.0, The Robot Studio)."""

import math
from pathlib import Path

from embodied.devices.jaw import SO101_JAW
from sims.bodies.model import ArmModel, Gripper, WristMount
from sims.bodies.worktable import Sight, Tray, Worktable

OPEN = 1.0
"""Largest angle of the jaw that the gripper is driven to [rad]."""


def drive(opening: float) -> float:
    """Return the angle of the simulated SO-101's jaw [rad], up to `OPEN`, at an opening between the pads [m]."""
    return SO101_JAW.angle(opening, OPEN)


SO101 = ArmModel(
    urdf=Path(__file__).parent / "so101.urdf",
    base="base_link",
    gripper=Gripper(
        drives=("gripper",),
        followers={},
        fingers=("gripper_link", "moving_jaw_link"),
        force=0.5,
        stiff=0.0,
        joint=drive,
        width=SO101_JAW.opening,
        slope=SO101_JAW.slope,
    ),
    # Ahead of the hand and tilted towards the grasp.
    wrist=WristMount("gripper_link", (0.0, 0.06, -0.02), (math.pi - 0.5, 0.0, 0.0)),
    iterations=150,
    gain=0.3,
    worktable=Worktable(
        block=0.025,
        mass=0.02,
        # What it reaches from above, 85 to 255 mm from its pan axis with 60 mm under the tool.
        region=((0.17, 0.26), (-0.10, 0.10)),
        margin=0.0125,
        gap=0.0075,
        width=(0.016, 0.038),
        height=(0.010, 0.028),
        finger=(0.011, 0.040),
        tray=Tray(x=0.088, y=0.184, inner=0.11, wall=0.004, height=0.015, floor=0.0025),
        # As high as a block is then as many pixels wide as a larger one on the larger table.
        overhead=Sight((0.215, 0.0, 0.50), (0.215, 0.0, 0.0), 0.3125),
        sway=0.01875,
        overview=Sight((0.70, 0.52, 0.52), (0.11, 0.05, 0.10), 0.46),
    ),
)
