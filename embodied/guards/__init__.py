"""Guards: nothing moves without one."""

from embodied.guards.arm import ArmGuard

__all__ = ["ArmGuard"]
