"""A graph in Python: one joint of the Panda swings to and fro, through its guard. `python examples/wave.py`."""

import math
from dataclasses import dataclass
from pathlib import Path

from embodied import SECOND, Graph, Lockstep, Node, Time
from embodied.guards import ArmGuard
from embodied.launch import load
from embodied.messages import JointCommand, Vector
from sims.arm import SimArm
from sims.tabletop import Tabletop

LAUNCH = Path(__file__).parents[1] / "launch" / "pick_place.yaml"


@dataclass
class Wave(Node):
    """Swing the first joint about its home position."""

    home: Vector  # [rad]
    amplitude: float = 0.3  # [rad]
    period: float = 4.0  # [s]

    rate = 100.0  # [Hz]

    def step(self, now: Time) -> JointCommand:
        """Return the target of every joint."""
        position = self.home.copy()
        position[0] += self.amplitude * math.sin(2.0 * math.pi * now / SECOND / self.period)
        return JointCommand(position=position)


panda = load(LAUNCH).robots()["panda"]
graph = Graph(world=Tabletop(panda))
graph.add("wave", Wave(panda.limit("home")))
graph.add("guard", ArmGuard(panda), command="wave", joints="arm.state")
graph.add("arm", SimArm(panda), command="guard")

swing: list[float] = []
run = Lockstep(graph.check(), seed=0)
run.observe("arm.state", lambda state: swing.append(state.value.position[0] - panda.limit("home")[0]))
with run:
    run.advance(Time(8 * SECOND))
print(f"joint 1 swung from {min(swing):.2f} to {max(swing):.2f} rad")
