"""Virtual xArm: a control box that the vendor's SDK takes for one, with an arm behind it."""

from drivers.xarm.virtual.device import VirtualXArm

__all__ = ["VirtualXArm"]
