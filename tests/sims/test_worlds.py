"""Every world that ships keeps the contract of worlds."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from embodied.launch.discovery import find_classes
from embodied.node.settings import required
from embodied.testing import WorldContract
from embodied.world import World
from tests.embodied.robots import robot

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

WORLDS = find_classes("world").classes
SETTINGS: dict[str, Any] = {"robot": partial(robot, "panda")}


def contract(kind: type[Any]) -> type[WorldContract]:
    """The contract of a world class, with a time limit that a test reaches soon."""

    class Shipped(WorldContract):
        def world(self) -> World:
            built: World = kind(time_limit=1.0, **{name: SETTINGS[name]() for name in required(kind)})
            return built

    return Shipped


for world_class in WORLDS.values():
    name = f"Test{world_class.__name__}"
    globals()[name] = type(name, (contract(world_class),), {"__module__": __name__})


def test_all_worlds_are_found() -> None:
    assert sorted(kind.__name__ for kind in WORLDS.values()) == ["Airfield", "Factory", "Road", "Tabletop"]
