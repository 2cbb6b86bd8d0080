"""Virtual xArm without a simulated world: for an arm that has no simulated body, and for clients that need none."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from drivers.xarm.hosts import numeric
from drivers.xarm.virtual.device import VirtualXArm
from embodied.devices.kinematic_arm import KinematicArm


@dataclass
class StandaloneXArm(VirtualXArm):
    """Virtual xArm 6 or 7 with a plain body of its own, which meets nothing: the same box, without a world."""

    def claims(self) -> Iterable[str]:
        """Yield the address at which it is served."""
        yield f"the address {numeric(self.host)}:{self.port} to serve"

    def open(self) -> None:  # type: ignore[override]
        """Serve the box with its plain body.

        Raises:
            LinkFailed: a port is taken, or may not be used.
        """
        self._plain = KinematicArm(self.robot)
        self._start(self._plain)

    def step(self) -> None:
        """Let the body follow its motors, then run the box as any other."""
        self._plain.advance(self._period)
        super().step()
