"""Every node class that ships keeps the contract of nodes, with the settings that a shipped launch file gives it."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import SkipTest

import numpy as np
import pytest

from drivers.so101 import SO101
from drivers.xarm.virtual.standalone import StandaloneXArm
from embodied.errors import LaunchError
from embodied.launch import load
from embodied.launch.discovery import find_classes
from embodied.node.node import Node
from embodied.node.ports import Ports
from embodied.testing import NodeContract
from embodied.world import World
from policies.perception.lane import LaneDetector
from policies.tasks.cloned import ClonedPickPlace
from sims.bodies.camera_mounts import FRONT
from sims.rendering.view import FAR, NEAR, ImageFormat
from tests.drivers.xarm.bench import PORT, address
from tests.embodied.robots import robot
from tests.house.sources import ROOT

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

CLASSES = sorted(find_classes("node").classes.values(), key=lambda kind: kind.__name__)
FILES = sorted(
    [*ROOT.glob("embodied/**/launch/*.yaml"), *ROOT.glob("launch/*.yaml"), *ROOT.glob("drivers/*/bench.yaml")]
)


def shipped() -> dict[type, tuple[Any, World | None]]:
    """The first node of each class in the shipped launch files, with the world that it lives in."""
    nodes: dict[type, tuple[Any, World | None]] = {
        SO101: (SO101(robot("so101")), None),
        ClonedPickPlace: (ClonedPickPlace(), None),
        StandaloneXArm: (StandaloneXArm(robot("xarm6"), host=address(), port=PORT), None),
    }
    for file in FILES:
        launch = load(file)
        for profile in (None, *launch.profiles):
            try:
                graph = launch.graph(profile)
            except LaunchError:
                # A profile that is completed by a command, or that needs a driver of one's own.
                continue
            for entry in graph.entries.values():
                nodes.setdefault(type(entry.node), (entry.node, graph.world))
    return nodes


SHIPPED = shipped()

# The lane detector refuses a camera that is mounted elsewhere than the one it was trained with.
INPUTS: dict[type, dict[str, Any]] = {
    LaneDetector: {"info": FRONT.lens(ImageFormat(64, 48, NEAR, FAR), "car").info()},
}


def contract(kind: type) -> type[NodeContract]:
    """The contract of a node class."""

    class Shipped(NodeContract):
        def node(self) -> Node:
            made: Node = dataclasses.replace(SHIPPED[kind][0])
            return made

        def world(self) -> World:
            world: Any = SHIPPED[kind][1]
            if world is None:
                raise SkipTest("it lives in no world here")
            made: World = dataclasses.replace(world)
            return made

        def inputs(self, ports: Ports, count: int, rng: np.random.Generator) -> dict[str, Any]:
            return {**super().inputs(ports, count, rng), **INPUTS.get(kind, {})}

    return Shipped


for each in CLASSES:
    name = f"Test{each.__name__}"
    globals()[name] = type(name, (contract(each),), {"__module__": __name__})


def test_every_class_that_ships_is_covered() -> None:
    assert [kind.__name__ for kind in CLASSES if kind not in SHIPPED] == []
    assert len(CLASSES) > 30
