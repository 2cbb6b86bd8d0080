"""The robots that ship, as the tests take them."""

from __future__ import annotations

from pathlib import Path

from embodied.launch.yaml_document import plain, read
from embodied.node.settings import Context, make
from embodied.robot import Robot

FOLDER = Path(__file__).parents[2] / "launch" / "robots"


def robot(name: str) -> Robot:
    """A robot from its launch fragment."""
    values = plain(read(FOLDER / f"{name}.yaml", name))["robots"][name]
    made: Robot = make(Robot, {"name": name, **values}, Context({}, FOLDER))
    return made
