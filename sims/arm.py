"""An arm in the simulated world, as a driver."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from embodied import Driver, Ports
from embodied.bodies import Arms, arm, lacks
from embodied.errors import WorldFailed
from embodied.messages import GripperState, JointCommand, JointState
from embodied.robot import Robot
from embodied.world import World


class ArmOutput(NamedTuple):
    """What the arm measures, and what it was really told to do."""

    state: JointState
    gripper: GripperState
    applied: JointCommand | None


@dataclass
class SimArm(Driver):
    """The arm of the world, position controlled; without a command its servos hold where they are.

    Attributes:
        robot: the arm.
    """

    robot: Robot

    rate = 100.0  # [Hz]

    def ports(self) -> Ports:
        """As many joints as the robot has; commands are positions."""
        ports = super().ports()
        sizes = {"n": len(self.robot.joints)}
        for port in ("command", "state", "applied"):
            ports = ports.refine(port, sizes=sizes)
        return ports.refine("command", modes=frozenset({"position"})).refine("applied", modes=frozenset({"position"}))

    def check_world(self, world: World) -> Iterable[str]:
        """Check that the world has arms."""
        return lacks(world, Arms)

    def open(self, world: World) -> None:
        """Find the arm in the world.

        Raises:
            WorldFailed: the world has another arm than this one.
        """
        self._arm = arm(world, "arm")
        if self._arm.joints != tuple(self.robot.joints):
            raise WorldFailed(
                f"the world's arm has the joints {list(self._arm.joints)}, not those of {self.robot.name}"
            )

    def step(self, command: JointCommand | None) -> ArmOutput:
        """Read the joints, then hand the command to the servos."""
        state, gripper = self._arm.read()
        return ArmOutput(state, gripper, None if command is None else self._arm.command(command))
