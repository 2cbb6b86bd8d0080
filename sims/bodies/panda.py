"""Simulated Franka Emika Panda with its hand, from pybullet_data (Apache-2.0, Franka Emika GmbH)."""

from sims.bodies.model import ArmModel, Gripper, WristMount

PANDA = ArmModel(
    urdf="franka_panda/panda.urdf",
    packages="franka_panda",
    base="panda_link0",
    gripper=Gripper(
        drives=("panda_finger_joint1", "panda_finger_joint2"),
        # A belt keeps the fingers at equal distances from the middle.
        followers={"panda_finger_joint2": 1.0},
        fingers=("panda_leftfinger", "panda_rightfinger"),
        force=20.0,
        stiff=0.2,
        joint=lambda width: width / 2,
        width=lambda position: 2 * position,
        slope=lambda _: 2.0,
    ),
    # Ahead of the hand and tilted towards the grasp, so that the fingers are in the lower part of the picture.
    wrist=WristMount("panda_hand", (0.07, 0.0, 0.02), (-0.5, 0.0, 1.5708)),
    iterations=50,
    gain=0.3,
)
