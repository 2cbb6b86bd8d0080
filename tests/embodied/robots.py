"""The robots that ship, as the tests take them."""

from __future__ import annotations

from pathlib import Path

from embodied.launch.document import plain, read
from embodied.robot import Robot
from embodied.settings import Context, make

FOLDER = Path(__file__).parents[2] / "launch" / "robots"


def robot(name: str) -> Robot:
    """A robot from its launch fragment."""
    document = read(FOLDER / f"{name}.yaml", name, [])
    assert document is not None
    values = plain(document)["robots"][name]
    made: Robot = make(Robot, {"name": name, **values}, Context({}, FOLDER))
    return made
