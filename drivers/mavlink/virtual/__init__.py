"""Virtual PX4: an autopilot that MAVLink clients take for PX4's simulator, with a multirotor behind it."""

from drivers.mavlink.virtual.device import VirtualPX4

__all__ = ["VirtualPX4"]
