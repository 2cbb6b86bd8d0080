"""embodied: write the robot once; the launch file decides whether it meets hardware or a simulator."""

from embodied.clock import SECOND, Time
from embodied.node import Driver, Guard, Node, tunable
from embodied.ports import Ports, Stamped

__version__ = "0.1.0"

__all__ = ["SECOND", "Driver", "Guard", "Node", "Ports", "Stamped", "Time", "tunable"]
