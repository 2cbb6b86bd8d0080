"""The contracts of worlds and nodes fail where a rule is broken, each in the test that states the rule."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast
from unittest import SkipTest

import numpy as np
import pytest

from embodied import Node, Ports
from embodied.bodies import CameraBody
from embodied.clock import SECOND, Time
from embodied.messages import CameraInfo, JointState, Pose, Target
from embodied.node.node import generator
from embodied.testing import NodeContract, WorldContract
from embodied.world import Rendering, Verdict, World


def outcomes(contract: Any) -> dict[str, bool]:
    """Whether each rule of a contract holds, by test; skipped tests are left out."""
    found: dict[str, bool] = {}
    for name in [name for name in dir(contract) if name.startswith("test_")]:
        try:
            getattr(contract, name)()
            found[name] = True
        except SkipTest:
            continue
        except Exception:
            found[name] = False
    return found


def broken(contract: Any) -> set[str]:
    return {name for name, holds in outcomes(contract).items() if not holds}


class Eye:
    """A camera that may touch its world."""

    def __init__(self, world: Walk, size: tuple[int, int]) -> None:
        self.world, self.size = world, size

    def vary(self, rng: np.random.Generator) -> None:
        return

    def info(self) -> CameraInfo:
        width, height = self.size
        upright = np.array([0.0, 0.0, 0.0, 1.0])
        return CameraInfo(
            width=width, height=height, matrix=np.eye(3), position=np.zeros(3), orientation=upright, frame="base"
        )

    def render(self, *, rgb: bool = True, depth: bool = False, segmentation: bool = False) -> Rendering:
        if self.world.flaw == "a rendering draws random numbers":
            self.world.rng.normal()
        grey = int(self.world.seed) % 200
        return Rendering(np.full((*self.size[::-1], 3), grey, np.uint8), None, None)


TICKS = itertools.count()


@dataclass
class Walk:
    """A random walk, with one rule broken."""

    flaw: str = ""
    time_limit: float = 0.6
    rate: float = 100.0
    rng: np.random.Generator = field(init=False, repr=False)
    seed: int = field(default=0, init=False)

    views = ("front",)

    def reset(self, seed: int) -> None:
        if self.flaw == "a reset keeps what was" and hasattr(self, "at"):
            self.steps = 0
            return
        known = {"a seed decides nothing": 1, "the process decides": next(TICKS)}
        self.seed = seed
        self.rng = generator(known.get(self.flaw, seed), "walk")
        self.steps, self.at = 0, np.zeros(2)

    def advance(self, to: Time) -> None:
        due = to * int(self.rate) // SECOND
        if self.flaw == "a call is a step" and to:
            due = self.steps + 1
        while self.steps < due:
            self.at = self.at + self.rng.normal(size=2)
            self.steps += 1

    def camera(self, name: str, *, width: int = 320, height: int = 240) -> CameraBody:
        return Eye(self, (width, height))

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {"at": self.at}

    def verdict(self) -> Verdict | None:
        if self.steps < 50:
            return None
        number = self.steps if self.flaw == "a verdict changes" else 50
        return Verdict(True, f"after {number} steps")

    def close(self) -> None:
        if self.flaw == "it closes once" and not hasattr(self, "at"):
            raise RuntimeError("there is nothing to close")
        vars(self).pop("at", None)


def walking(flaw: str) -> WorldContract:
    class Contract(WorldContract):
        def world(self) -> World:
            return Walk(flaw)

    return Contract()


def test_a_world_that_keeps_every_rule_passes_the_whole_contract() -> None:
    found = outcomes(walking(""))
    assert len(found) == 8
    assert all(found.values())


@pytest.mark.parametrize(
    ("flaw", "rule"),
    [
        ("a seed decides nothing", "test_two_seeds_give_two_runs"),
        ("the process decides", "test_the_same_seed_gives_the_same_run_in_two_worlds_and_after_a_reset"),
        ("a reset keeps what was", "test_the_same_seed_gives_the_same_run_in_two_worlds_and_after_a_reset"),
        ("a rendering draws random numbers", "test_rendering_changes_nothing"),
        ("a call is a step", "test_physics_advances_in_whole_steps"),
        ("a verdict changes", "test_a_verdict_stays_as_it_was_given"),
        ("it closes once", "test_it_closes_and_resets_at_any_time"),
    ],
)
def test_a_world_that_breaks_a_rule_fails_the_test_of_it(flaw: str, rule: str) -> None:
    assert rule in broken(walking(flaw))


@dataclass
class Shift(Node):
    """Moves joints by a setting; `flaw` breaks one rule."""

    by: float = 0.5
    flaw: str = ""

    def ports(self) -> Ports:
        return super().ports().refine("joints", sizes={"n": 2}).refine("pose", frame="base")

    def step(self, joints: JointState) -> Pose | None:
        moved = joints.position + self.by
        if self.flaw == "an input is changed":
            joints.position[0] = 0.0
        if self.flaw == "the process decides":
            moved[0] += next(TICKS)
        frame = "world" if self.flaw == "another frame" else "base"
        return Pose(position=np.append(moved, 0.0), orientation=np.array([0.0, 0.0, 0.0, 1.0]), frame=frame)


@dataclass
class Opaque(Node):
    """A setting that no launch file can write."""

    label: Callable[[], str] = lambda: "red"
    rate = 10.0

    def step(self) -> Target:
        return Target(label=self.label())


@dataclass
class Silent(Node):
    """It promises an output in every step, and gives none."""

    rate = 10.0

    def step(self) -> Target:
        return cast(Target, None)


def checked(node: Callable[[], Node]) -> NodeContract:
    class Contract(NodeContract):
        def node(self) -> Node:
            return node()

    return Contract()


def test_a_node_that_keeps_every_rule_passes_the_whole_contract() -> None:
    found = outcomes(checked(Shift))
    assert len(found) == 5
    assert all(found.values())


BROKEN: list[tuple[Callable[[], Node], str]] = [
    (lambda: Shift(flaw="an input is changed"), "test_a_step_changes_none_of_its_inputs"),
    (lambda: Shift(flaw="the process decides"), "test_the_same_inputs_give_the_same_outputs"),
    (lambda: Shift(by=float(next(TICKS))), "test_the_same_inputs_give_the_same_outputs"),
    (lambda: Shift(flaw="another frame"), "test_its_outputs_hold_what_its_ports_declare"),
    (Silent, "test_its_outputs_hold_what_its_ports_declare"),
    (Opaque, "test_its_settings_survive_as_plain_data"),
]


@pytest.mark.parametrize(("node", "rule"), BROKEN)
def test_a_node_that_breaks_a_rule_fails_the_test_of_it(node: Callable[[], Node], rule: str) -> None:
    assert broken(checked(node)) == {rule}
