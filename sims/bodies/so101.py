"""The SO-101 follower arm, whose model file `so101.urdf` is made of boxes (Apache-2.0, The Robot Studio)."""

import math
from pathlib import Path

from sims.bodies.model import ArmModel, Gripper, Mount
from sims.bodies.worktable import Bench, Sight, Tray

# One jaw turns about a pivot and the other is fixed; from the model file, in the plane in which they open.
PIVOT = 0.0202 + 0.0116  # from the face of the fixed pad to the pivot [m]
DEPTH = 0.0964 - 0.0234  # from the pivot down to the tool centre [m]
FACE = 0.0083  # from the pivot to the plane of the turning pad's face [m]
CLOSED, OPEN = -0.1745, 1.0  # of the jaw [rad]


def width(jaw: float) -> float:
    """Opening between the pads at the depth of the tool centre [m] at a jaw angle [rad], 10 mm at its lower limit."""
    return PIVOT + DEPTH * math.tan(jaw) - FACE / math.cos(jaw)


def drive(opening: float) -> float:
    """Jaw angle [rad] at an opening between the pads at the depth of the tool centre [m], within the jaw's range."""
    beyond = opening - PIVOT
    angle = math.atan2(beyond, DEPTH) + math.asin(FACE / math.hypot(beyond, DEPTH))
    return min(max(angle, CLOSED), OPEN)


def slope(jaw: float) -> float:
    """Change of the opening with the jaw angle [m/rad]; always positive."""
    return (DEPTH - FACE * math.sin(jaw)) / math.cos(jaw) ** 2


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
        width=width,
        slope=slope,
    ),
    # Ahead of the hand and tilted towards the grasp.
    wrist=Mount("gripper_link", (0.0, 0.06, -0.02), (math.pi - 0.5, 0.0, 0.0)),
    iterations=150,
    gain=0.3,
    bench=Bench(
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
