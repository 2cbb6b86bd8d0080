"""What a result depends on beside the seed: the graph, the code of its classes, and the files it names.

Two scenarios with the same fingerprint run the same. The code is that of the whole rooms, since a node may call on any
file of them, of embodied itself, and of the folders that other classes come from.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from embodied.graph.graph import Graph
from embodied.launch.class_lookup import ROOMS
from embodied.robot import Robot

PACKAGES = (*(room for room in ROOMS if "." not in room), "embodied")
"""The rooms, and the hall with what lies in it."""


def fingerprint(graph: Graph) -> str:
    """SHA-256 over the graph's description, the code behind it, and the files that its settings name.

    Raises:
        OSError: one of these files cannot be read.
    """
    sha = hashlib.sha256(json.dumps(graph.describe(), sort_keys=True, default=str).encode())
    things = [entry.node for _, entry in sorted(graph.entries.items())]
    settled: list[Any] = [*things, graph.world]
    for file in sorted({*_code(settled), *_named(settled)}):
        # Contents without names: the same project in another place is the same.
        sha.update(hashlib.sha256(file.read_bytes()).digest())
    # A robot stands in a description by its name alone.
    for thing in settled:
        sha.update("".join(f"{robot}\n" for robot in _robots(thing)).encode())
    return sha.hexdigest()


def _code(things: list[Any]) -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in () if spec is None else spec.submodule_search_locations or ():
            yield from Path(folder).rglob("*.py")
    for thing in things:
        module = type(thing).__module__
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is not None and module.partition(".")[0] not in PACKAGES:
            yield from Path(file).parent.glob("*.py")


def _named(thing: Any) -> Iterator[Path]:
    """The files that a value names, however deep."""
    if isinstance(thing, Path):
        if thing.is_file():
            yield thing
    elif isinstance(thing, dict | list | tuple):
        for item in thing.values() if isinstance(thing, dict) else thing:
            yield from _named(item)
    elif dataclasses.is_dataclass(thing) and not isinstance(thing, type):
        for field in dataclasses.fields(thing):
            yield from _named(getattr(thing, field.name, None))


def _robots(thing: Any) -> Iterator[str]:
    """The limits and the tool of the robots among a thing's settings, without the place of their files."""
    if not dataclasses.is_dataclass(thing):
        return
    for field in dataclasses.fields(thing):
        value = getattr(thing, field.name, None)
        if isinstance(value, Robot):
            yield repr(dataclasses.replace(value, urdf=Path(value.urdf.name)))
