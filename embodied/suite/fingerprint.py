"""Fingerprint of a scenario: hash over its graph, the code of its classes, and the files it names.

Scenarios with the same fingerprint run the same. The code is that of `embodied`, of the whole packages that ship beside
it, since a node may import any file of them, and of the folders of other classes.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from embodied.graph.graph import Graph
from embodied.launch.project import NODE_PACKAGES
from embodied.node.node import Node
from embodied.robot import Robot

PACKAGES = (*(room for room in NODE_PACKAGES if "." not in room), "embodied")
"""Packages whose whole code is hashed."""


def fingerprint(graph: Graph) -> str:
    """Return the fingerprint of a scenario: SHA-256 over its graph's description, its code, and the files it names.

    Raises:
        OSError: one of these files cannot be read.
    """
    sha = hashlib.sha256(json.dumps(graph.describe(), sort_keys=True, default=str).encode())
    objects: list[Any] = [*(entry.node for _, entry in sorted(graph.entries.items())), graph.world]
    for file in sorted({*_code(objects), *_named_files(objects)}):
        # Contents without names: a project that has been moved is the same.
        with file.open("rb") as content:
            sha.update(hashlib.file_digest(content, "sha256").digest())
    # A graph's description has only the name of a robot.
    for value in objects:
        sha.update("".join(f"{robot}\n" for robot in _robots(value)).encode())
    return sha.hexdigest()


def _code(objects: list[Any]) -> Iterator[Path]:
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in () if spec is None else spec.submodule_search_locations or ():
            yield from _modules(Path(folder), Path(folder).rglob("*.py"))
    for value in objects:
        module = type(value).__module__
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is not None and module.partition(".")[0] not in PACKAGES:
            yield from _modules(Path(file).parent, Path(file).parent.glob("*.py"))


def _modules(folder: Path, files: Iterable[Path]) -> Iterator[Path]:
    """Yield the files of a folder that can be imported, and not what editors leave beside them, as `.#node.py`."""
    for file in files:
        if not any(part.startswith(".") for part in file.relative_to(folder).parts) and file.is_file():
            yield file


def _named_files(value: Any) -> Iterator[Path]:
    """Yield the files that a value names, at any depth."""
    if isinstance(value, Path):
        if value.is_file():
            yield value
    elif isinstance(value, dict | list | tuple):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _named_files(item)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Node):
            yield from (file for file in value.files() if file.is_file())
        for field in dataclasses.fields(value):
            yield from _named_files(getattr(value, field.name, None))


def _robots(configured: Any) -> Iterator[str]:
    """Yield limits and tool of the robots among an object's settings, without the folder of their files."""
    if not dataclasses.is_dataclass(configured):
        return
    for field in dataclasses.fields(configured):
        value = getattr(configured, field.name, None)
        if isinstance(value, Robot):
            yield repr(dataclasses.replace(value, urdf=Path(value.urdf.name)))
