"""Ages of what a guard goes by: those of the measurement, `acquired`, for every input of every guard.

A device that is stuck repeats its last measurement, and each repetition is newly published: only `acquired` is old.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pytest

from embodied import SECOND, Node, Stamped, Time
from embodied.bodies import WORLD
from embodied.errors import LaunchError
from embodied.graph.entry import Timing, Wire
from embodied.graph.graph import Graph
from embodied.guards import ArmGuard, DroneGuard, VehicleGuard
from embodied.messages import (
    Battery,
    DroneCommand,
    DroneState,
    GuardReport,
    JointCommand,
    JointState,
    Separation,
    VehicleCommand,
    VehicleState,
)
from embodied.node.node import Guard
from embodied.runtime.lockstep import Lockstep
from tests.embodied.guards.arm_rig import HIGH, LOW, ZONE
from tests.embodied.guards.drone_rig import flying
from tests.embodied.guards.test_guarded_graph import Arm
from tests.embodied.guards.vehicle_states import driving
from tests.embodied.robots import robot

PANDA = robot("panda")
HOME = PANDA.limit("home")
STUCK = Time(SECOND // 2)


class Commands(Node):
    """Command each kind of body to stay."""

    rate = 100.0

    def step(self, now: Time) -> Commanded:
        del now
        return Commanded(
            JointCommand(position=HOME),
            DroneCommand(position=np.array([0.0, 0.0, 2.0]), frame=WORLD),
            VehicleCommand(speed=0.0, steering=0.0),
        )


class Commanded(NamedTuple):
    arm: JointCommand
    drone: DroneCommand
    vehicle: VehicleCommand


class Measured(NamedTuple):
    joints: JointState
    separation: Separation
    drone: DroneState
    battery: Battery
    vehicle: VehicleState


@dataclass
class Sensors(Node):
    """Measure every body; from `STUCK` on one of the measurements is repeated."""

    stuck: str

    rate = 100.0

    def step(self, now: Time) -> Measured:
        def acquired(name: str) -> Time:
            return min(now, STUCK) if name == self.stuck else now

        drone, vehicle = flying(), driving()
        return Measured(
            JointState(position=HOME, velocity=np.zeros(7), acquired=acquired("joints")),
            Separation(distance=5.0, acquired=acquired("separation")),
            DroneState(
                position=drone.position,
                orientation=drone.orientation,
                linear_velocity=drone.linear_velocity,
                angular_velocity=drone.angular_velocity,
                armed=True,
                landed=False,
                mode="",
                frame=WORLD,
                acquired=acquired("drone"),
            ),
            Battery(voltage=15.0, charge=1.0, acquired=acquired("battery")),
            VehicleState(
                speed=0.0,
                steering=0.0,
                yaw_rate=0.0,
                gear=vehicle.gear,
                engaged=True,
                overridden=False,
                acquired=acquired("vehicle"),
            ),
        )


def guard(kind: str) -> tuple[Guard, dict[str, Any]]:
    """Return a guard and the wires of its measurements."""
    if kind == "arm":
        arm = ArmGuard(PANDA, low=LOW, high=HIGH, zone=ZONE)
        return arm, {"joints": "sensors.joints", "separation": "sensors.separation"}
    wires = {"state": f"sensors.{kind}", "battery": "sensors.battery"}
    return DroneGuard((-5.0, -5.0, 0.0), (5.0, 5.0, 6.0)) if kind == "drone" else VehicleGuard(0.6), wires


@pytest.mark.parametrize(
    ("kind", "stuck"),
    [
        ("arm", "joints"),
        ("arm", "separation"),
        ("drone", "drone"),
        ("drone", "battery"),
        ("vehicle", "vehicle"),
        ("vehicle", "battery"),
    ],
)
def test_a_measurement_that_is_stuck_is_as_good_as_none(kind: str, stuck: str) -> None:
    node, wires = guard(kind)
    graph = Graph().add("commands", Commands()).add("sensors", Sensors(stuck))
    graph.add("guard", node, command=f"commands.{kind}", **wires)
    run = Lockstep(graph.check())
    seen: list[Stamped[GuardReport]] = []
    run.observe("guard.report", seen.append)
    with run:
        run.advance(Time(SECOND))
    period = 1.0 / float(str(node.rate))
    followed = [report.stamp / SECOND for report in seen if report.value.state == "following"]
    # Three periods of its source, and one of the guard.
    assert 0.5 <= followed[-1] <= 0.53 + period
    assert seen[-1].value.refusals[0].startswith("no fresh ")


def test_a_measurement_that_is_late_by_a_known_latency_is_not_stale() -> None:
    node, wires = guard("arm")
    graph = Graph().add("commands", Commands()).add("sensors", Sensors(""), timing=Timing(latency=40_000_000))
    graph.add("guard", node, command="commands.arm", **wires)
    run = Lockstep(graph.check())
    seen: list[Stamped[GuardReport]] = []
    run.observe("guard.report", seen.append)
    with run:
        run.advance(Time(SECOND))
    assert {report.value.state for report in seen if report.stamp > SECOND // 2} == {"following"}


def test_how_long_a_guard_goes_by_a_silent_state_is_bounded_and_said() -> None:
    def graph(age: int) -> Graph:
        graph = Graph().add("commands", Commands()).add("arm", Arm(), command="guard")
        joints = Wire("arm.state", max_age=age)
        return graph.add("guard", ArmGuard(PANDA, low=LOW, high=HIGH), command="commands.arm", joints=joints)

    said = [str(reaction) for reaction in graph(2 * SECOND).check().reactions if reaction.node == "arm"]
    assert said == ["arm holds within 2.02 s of its own last state"]
    graph(5 * SECOND).check()
    with pytest.raises(LaunchError, match=r"'guard' would go by 'arm\.state' for .* after"):
        graph(5 * SECOND + 1).check()
