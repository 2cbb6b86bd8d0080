"""Virtual xArm: a control box that the vendor's SDK takes for one, with an arm behind it."""

from drivers.xarm.virtual.device import VirtualXArm
from drivers.xarm.virtual.standalone import StandaloneXArm

__all__ = ["StandaloneXArm", "VirtualXArm"]
