"""The arms that a simulated world can hold, by the name that a launch file gives them."""

from collections.abc import Mapping

from sims.bodies.model import ArmModel
from sims.bodies.panda import PANDA
from sims.bodies.so101 import SO101
from sims.bodies.xarm6 import XARM6

ARMS: Mapping[str, ArmModel] = {"panda": PANDA, "xarm6": XARM6, "so101": SO101}

__all__ = ["ARMS", "ArmModel"]
