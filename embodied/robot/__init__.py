"""Robots: joints with their limits, a tool, forward kinematics, and the reader of their URDF files."""

from __future__ import annotations

from embodied.robot.body import Body
from embodied.robot.model import Chain, Joint, Robot, Tool

__all__ = ["Body", "Chain", "Joint", "Robot", "Tool"]
