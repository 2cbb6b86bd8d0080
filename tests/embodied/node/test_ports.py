from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest

from embodied import Node, Stamped, Time
from embodied.messages import Detections, Image, JointCommand, JointState
from embodied.node.node import generator, tunable, tune
from embodied.node.ports import PortError, read_ports
from tests.embodied.nodes import Hold, Meet, Once, Split, joints


def test_a_node_is_a_value_plus_a_function() -> None:
    command = Hold(goal=np.ones(2)).step(joints(0.5))
    assert command.effort is not None
    assert command.effort.tolist() == [20.0, 20.0]


def test_ports_are_read_off_the_signature_in_every_form() -> None:
    class Seen(NamedTuple):
        rgb: Image
        hits: Detections | None

    class All(Node):
        def step(
            self,
            a: JointState,
            b: JointState | None,
            c: list[Detections],
            d: Stamped[Image],
            e: Stamped[Image] | None,
            f: list[Stamped[Image]],
            now: Time,
        ) -> Seen:
            return Seen(d.value, None)

    All.step.__annotations__["return"] = Seen
    ports = read_ports(All)
    assert {name: (str(port), port.required) for name, port in ports.inputs.items()} == {
        "a": ("JointState", True),
        "b": ("JointState | None", False),
        "c": ("list[Detections]", False),
        "d": ("Stamped[Image]", True),
        "e": ("Stamped[Image] | None", False),
        "f": ("list[Stamped[Image]]", False),
    }
    assert ports.now == "now"
    assert {name: str(port) for name, port in ports.outputs.items()} == {"rgb": "Image", "hits": "Detections | None"}


def test_a_single_output_is_named_after_its_type() -> None:
    assert list(read_ports(Hold).outputs) == ["joint_command"]
    assert list(read_ports(Once).outputs) == ["target"]
    assert list(read_ports(Split).outputs) == ["left", "right"]
    assert not read_ports(Meet).outputs


def test_a_signature_that_is_no_port_says_which_part() -> None:
    class Untyped(Node):
        def step(self, joints) -> None: ...  # type: ignore[no-untyped-def]

    class Number(Node):
        def step(self, x: float) -> None: ...

    class NoReturn(Node):
        def step(self, joints: JointState): ...  # type: ignore[no-untyped-def]

    class Star(Node):
        def step(self, *joints: JointState) -> None: ...

    class Gives(Node):
        def step(self) -> int:
            return 0

    class Nothing(Node): ...

    for kind, says in (
        (Untyped, r"Untyped.step\(joints\): has no type"),
        (Number, r"Number.step\(x\): expected a message type .*, got float"),
        (NoReturn, "no return type"),
        (Star, "ordinary named parameter"),
        (Gives, "got int"),
        (Nothing, r"has no step\(\)"),
    ):
        with pytest.raises(PortError, match=says):
            read_ports(kind)


def test_refining_a_port_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        read_ports(Hold).refine("jionts", sizes={"n": 2})
    assert read_ports(Hold).refine("joints", sizes={"n": 2}).inputs["joints"].refined.sizes == {"n": 2}


def test_a_tunable_setting_changes_only_within_its_bounds() -> None:
    node = Hold(goal=np.zeros(2))
    tune(node, "kp", 10)
    assert node.kp == 10.0
    for name, value in (("kp", 201), ("kp", float("nan")), ("kd", 1), ("ki", 1)):
        with pytest.raises(ValueError, match=r"kp|tunable"):
            tune(node, name, value)
    with pytest.raises(ValueError, match=r"default must be in \[0, 1\], got 5"):
        tunable(5.0, low=0, high=1)


def test_random_numbers_depend_on_the_seed_and_the_names_alone() -> None:
    assert generator(1, "a").integers(1 << 60) == generator(1, "a").integers(1 << 60)
    draws = {int(generator(*key).integers(1 << 60)) for key in ((1, "a"), (2, "a"), (1, "b"), (1, "a", "b"))}
    assert len(draws) == 4


def test_a_command_carries_each_mode_on_its_own() -> None:
    @dataclass
    class Jog(Node):
        rate = 10.0

        def step(self) -> JointCommand:
            return JointCommand(velocity=np.ones(2))

    command = Jog().step()
    assert command.position is None
    assert command.gripper is None
