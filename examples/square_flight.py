"""A drone: fly a square and land, through the guard that knows the fence. `python examples/square_flight.py`."""

from dataclasses import dataclass

import numpy as np

from embodied import SECOND, Graph, Lockstep, Node, Time
from embodied.guards import DroneGuard
from embodied.messages import DroneCommand, DroneState, Vector
from sims.airfield import Airfield
from sims.drone import SimDrone

CORNERS = ((0.0, 0.0), (2.0, 0.0), (2.0, 2.0), (0.0, 2.0), (0.0, 0.0))


@dataclass
class Square(Node):
    """Fly from corner to corner, then land."""

    height: float = 2.0  # [m]
    near: float = 0.2  # [m]

    rate = 50.0  # [Hz]

    def open(self) -> None:
        """Begin at the first corner."""
        self._corner = 0

    def step(self, state: DroneState) -> DroneCommand:
        """Return the next corner as a position, or the order to land over the last one."""
        if self._corner == len(CORNERS):
            return DroneCommand(land=True, frame=state.frame)
        goal = np.array([*CORNERS[self._corner], self.height])
        if float(np.linalg.norm(goal - state.position)) < self.near:
            self._corner += 1
        return DroneCommand(position=goal, yaw=0.0, frame=state.frame)


graph = Graph(world=Airfield())
graph.add("square", Square(), state="drone.state")
graph.add("guard", DroneGuard(low=(-4.0, -4.0, 0.0), high=(4.0, 4.0, 5.0)), command="square", state="drone.state")
graph.add("drone", SimDrone(), command="guard")

path: list[Vector] = []
run = Lockstep(graph.check(), seed=0)
run.observe("drone.state", lambda state: path.append(state.value.position))
with run:
    run.advance(Time(40 * SECOND))
flown = np.array(path)
print(f"flew to {flown.max(axis=0).round(1)} m, landed at {flown[-1].round(1)} m")
