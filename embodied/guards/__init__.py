"""Guards: nothing moves without one."""

from embodied.guards.arm import ArmGuard
from embodied.guards.drone import DroneGuard

__all__ = ["ArmGuard", "DroneGuard"]
