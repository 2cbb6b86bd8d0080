"""Simulated arms, by their names in launch files."""

from collections.abc import Mapping

from sims.bodies.model import ArmModel
from sims.bodies.panda import PANDA
from sims.bodies.so101 import SO101
from sims.bodies.xarm6 import XARM6

ARMS: Mapping[str, ArmModel] = {"panda": PANDA, "xarm6": XARM6, "so101": SO101}
"""Models of the arms by name."""

__all__ = ["ARMS", "ArmModel"]
