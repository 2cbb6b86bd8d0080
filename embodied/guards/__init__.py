"""Guards between policies and drivers: every command to an actuator passes through one."""

from embodied.guards.arm import ArmGuard
from embodied.guards.drone import DroneGuard
from embodied.guards.vehicle import VehicleGuard

__all__ = ["ArmGuard", "DroneGuard", "VehicleGuard"]
