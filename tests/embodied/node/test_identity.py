from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from embodied.errors import WrongDevice
from embodied.graph.graph import Graph
from embodied.node.identity import Identity, JointRange, differences
from embodied.robot import Robot
from embodied.runtime.lockstep import Lockstep
from tests.embodied.nodes import Motor, PassGuard, Ramp
from tests.embodied.robots import robot

PANDA = robot("panda")


def panda(**changes: JointRange) -> Identity:
    joints = {n: JointRange(lower=j.lower, upper=j.upper, velocity=j.velocity) for n, j in PANDA.joints.items()}
    return Identity(model="Panda", serial="1", joints=joints | changes)


@dataclass
class Real(Motor):
    """A motor that says a serial number, and counts how often it was armed."""

    robot: Robot | None = None
    serial: str = ""
    armed: int = 0

    def identify(self) -> Identity:
        return panda()

    def arm(self) -> None:
        self.armed += 1


def test_a_device_that_is_what_the_launch_file_wants_is_armed_once() -> None:
    motor = Real(robot=PANDA, serial="1")
    graph = Graph().add("m", motor, command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m")
    with Lockstep(graph.check()):
        assert motor.armed == 1


def test_the_wrong_device_is_closed_again_without_being_armed_and_the_error_says_what_differs() -> None:
    motor = Real(robot=PANDA, serial="2")
    graph = Graph().add("m", motor, command="g").add("g", PassGuard(), command="r").add("r", Ramp(), joints="m")
    with pytest.raises(WrongDevice, match=r"'m' met Panda, serial 1.*\n.*serial number is 1.*wants 2"):
        Lockstep(graph.check()).open()
    assert motor.armed == 0


def test_joints_in_another_order_or_unit_or_with_narrower_limits_differ() -> None:
    motor = Real(robot=PANDA)
    first, second, *rest = panda().joints
    own = panda().joints
    assert not list(differences(panda(), motor))
    assert not list(differences(panda(**{first: JointRange(lower=-9.0, upper=9.0, velocity=99.0)}), motor))
    swapped = replace(panda(), joints={name: own[name] for name in (second, first, *rest)})
    assert "its joints are" in "".join(differences(swapped, motor))
    assert "in deg" in "".join(differences(replace(panda(), unit="deg"), motor))
    narrow = panda(**{first: JointRange(lower=-1.0, upper=9.0, velocity=0.5)})
    told = list(differences(narrow, motor))
    assert len(told) == 2
    assert f"{first} goes from -1 to 9 rad" in told[0]
    assert f"{first} reaches 0.5 rad/s at most" in told[1]


@dataclass
class Eye(Motor):
    """What looks, and wants images of a size."""

    width: int = 0
    height: int = 480


def test_images_of_another_size_differ_and_it_is_said_what_the_camera_can_give() -> None:
    camera = Identity(model="C920", size=(640, 480), sizes=((320, 240), (1280, 720)))
    assert not list(differences(camera, Eye()))
    assert not list(differences(camera, Eye(width=640)))
    assert not list(differences(Identity(model="arm"), Eye(width=320)))
    (told,) = differences(camera, Eye(width=320, height=240))
    assert told == "its images are 640×480, and the launch file wants 320×240; it supports 320×240, 1280×720"


def test_a_device_that_says_that_it_cannot_be_used_is_not() -> None:
    told = list(differences(replace(panda(), unfit=("its second motor turns without end",)), Real(robot=PANDA)))
    assert told == ["its second motor turns without end"]


def test_the_texts_of_a_device_are_one_line_that_can_be_shown() -> None:
    identity = Identity(model="a\x1b[2Jb\n c", serial=" 7\u202e ", firmware="x" * 10_000)
    assert (identity.model, identity.serial) == (r"a\x1b[2Jb c", r"7\u202e")
    assert len(identity.firmware) <= 200
    assert str(identity).isprintable()
