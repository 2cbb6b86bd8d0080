"""Driver of a simulated arm, position controlled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver, Ports
from embodied.bodies import Arms, arm, body_claim, lacks
from embodied.errors import WorldFailed
from embodied.messages import GripperState, JointCommand, JointState
from embodied.robot import Robot
from embodied.world import World


class ArmOutput(NamedTuple):
    """Output of the driver `SimArm`: measured joints and gripper, and the command after the servos' own limits."""

    state: JointState
    gripper: GripperState
    applied: JointCommand | None


@dataclass
class SimArm(Driver):
    """Driver of a simulated arm, position controlled; without a command its servos hold their position.

    Attributes:
        robot: description of the arm.
    """

    robot: Robot

    rate = 100.0  # [Hz]

    def ports(self) -> Ports:
        """Refine the ports by the number of joints; commands are positions."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, sizes=sizes)
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def claims(self) -> Iterable[str]:
        """Yield the arm of the world."""
        yield body_claim("arm", "arm")

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has arms."""
        return lacks(world, Arms)

    def open(self, world: World) -> None:
        """Find the arm in the world.

        Raises:
            WorldFailed: the world has no such arm, or its joints are others.
        """
        self._arm = arm(world, "arm")
        if self._arm.joints != tuple(self.robot.joints):
            raise WorldFailed(
                f"the world's arm has the joints {list(self._arm.joints)}, not those of {self.robot.name}"
            )

    def step(self, command: JointCommand | None) -> ArmOutput:
        """Read the joints, then pass the command to the servos."""
        state, gripper = self._arm.read()
        return ArmOutput(state, gripper, None if command is None else self._arm.command(command))
