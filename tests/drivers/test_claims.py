"""One device, one driver. Law: the same address, serial number or body twice in a graph is refused at check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from drivers.can_ev import CanEV
from drivers.can_ev.virtual import VirtualEV
from drivers.mavlink import Mavlink
from drivers.mavlink.virtual import VirtualPX4
from drivers.so101 import SO101
from drivers.so101.virtual import VirtualSO101
from drivers.uvc import Camera
from drivers.xarm import XArm
from drivers.xarm.virtual import VirtualXArm
from embodied.errors import LaunchError
from embodied.graph.graph import Graph
from embodied.messages import JointCommand, JointState
from embodied.node.node import Driver, Node
from sims.arm import SimArm
from sims.car import SimCar
from sims.drone import SimDrone
from tests.embodied.robots import robot

ARM, SERVOS = robot("xarm6"), robot("so101")


@dataclass
class Turntable(Driver):
    """Driver of somebody's own device, which says nothing of claims."""

    port: str = ""
    serial: str = ""

    rate = 10.0

    def step(self, command: JointCommand | None) -> JointState | None: ...


def claims(first: Node, second: Node) -> list[str]:
    """The refusals of one device for two nodes."""
    graph = Graph()
    graph.add("left", first)
    graph.add("right", second)
    try:
        graph.check()
    except LaunchError as error:
        return [problem.message for problem in error.problems if problem.code == "E603"]
    return []


TWICE = [
    (XArm(ARM, "192.168.1.185"), XArm(ARM, "192.168.1.185"), "the xArm at 192.168.1.185:502"),
    (XArm(ARM, "localhost", 15502), XArm(ARM, "127.0.0.1", 15502), "the xArm at 127.0.0.1:15502"),
    (XArm(ARM, "10.0.0.1", serial="XF6"), XArm(ARM, "10.0.0.2", serial="XF6"), "the device with the serial number XF6"),
    (SO101(SERVOS, "/dev/ttyACM0"), SO101(SERVOS, "/dev/ttyACM0"), "the port /dev/ttyACM0"),
    (SO101(SERVOS, "/dev/ttyACM0"), CanEV("/dev/ttyACM0", "slcan"), "the port /dev/ttyACM0"),
    (CanEV("can0"), CanEV("can0"), "the port can0"),
    (Mavlink("udpin:0.0.0.0:14540"), Mavlink("udpin:0.0.0.0:14540", system=2), "the address udpin:0.0.0.0:14540"),
    (Mavlink("serial:/dev/ttyACM0:57600"), SO101(SERVOS, "/dev/ttyACM0"), "the port /dev/ttyACM0"),
    (Mavlink("udpout:10.0.0.1:14540"), Mavlink("udpout:10.0.0.1:14540"), "the vehicle 1 at udpout:10.0.0.1:14540"),
    (Camera(0), Camera("/dev/video0"), "the camera /dev/video0"),
    (Turntable("/dev/ttyUSB0"), Turntable("/dev/ttyUSB0"), "the port /dev/ttyUSB0"),
    (Turntable(serial="7"), Turntable(serial="7"), "the device with the serial number 7"),
    (VirtualXArm(ARM, "127.0.0.2"), VirtualXArm(ARM, "127.0.0.3"), "the arm 'arm' of the world"),
    (SimArm(ARM), VirtualXArm(ARM, "127.0.0.2"), "the arm 'arm' of the world"),
    (VirtualSO101(SERVOS), SimArm(SERVOS), "the arm 'arm' of the world"),
    (SimDrone(), VirtualPX4(), "the multirotor 'drone' of the world"),
    (SimCar(), VirtualEV(), "the vehicle 'car' of the world"),
]


@pytest.mark.parametrize(("first", "second", "what"), TWICE, ids=lambda each: each if isinstance(each, str) else "")
def test_what_two_nodes_need_and_one_can_have_is_refused(first: Node, second: Node, what: str) -> None:
    assert claims(first, second) == [f"'left' and 'right' both need {what}, which one node alone can have"]


APART = [
    (XArm(ARM, "192.168.1.185"), XArm(ARM, "192.168.1.186")),
    (XArm(ARM, "10.0.0.1", serial="XF6"), XArm(ARM, "10.0.0.2", serial="XF7")),
    (SO101(SERVOS, "/dev/ttyACM0"), SO101(SERVOS, "/dev/ttyACM1")),
    (CanEV("can0"), CanEV("can1")),
    (Camera(0), Camera(1)),
    (Mavlink("udpout:10.0.0.1:14540"), Mavlink("udpout:10.0.0.1:14540", system=2)),
    (Camera("http://127.0.0.1:8080/stream"), Camera("http://127.0.0.1:8080/stream")),
    (XArm(ARM, "127.0.0.1", 15502), VirtualXArm(ARM, "127.0.0.1", 15502)),
    (SimArm(ARM), SimDrone()),
]


@pytest.mark.parametrize(("first", "second"), APART)
def test_two_nodes_with_a_device_each_are_not_refused(first: Node, second: Node) -> None:
    assert claims(first, second) == []


def test_two_links_to_one_port_are_one_port(tmp_path: Path) -> None:
    for name in ("left", "right"):
        (tmp_path / name).symlink_to("/dev/null")
    assert claims(SO101(SERVOS, str(tmp_path / "left")), SO101(SERVOS, str(tmp_path / "right"))) == [
        "'left' and 'right' both need the port /dev/null, which one node alone can have"
    ]
