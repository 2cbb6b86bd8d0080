"""What is in the rooms: node and world classes, and robots, here and installed."""

from __future__ import annotations

import importlib
import importlib.util
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import FOREIGN, Problem, told
from embodied.launch.class_lookup import is_kind, modules
from embodied.launch.yaml_document import entries, read


@dataclass(slots=True)
class Found:
    """Classes of one kind.

    Attributes:
        classes: by how they are named where they are written, `module:Class`.
        aliases: by each of these names, shorter ones of packages that hand the class on.
        broken: by module, why it could not be imported.
    """

    classes: dict[str, type[Any]] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


_SIGNS = {"node": "def step(", "world": "def truth("}
"""What the source of a module says that has such a class, which inherits from another: others may be scripts, which
should not be started."""

_HEIR = re.compile(r"^class \w+\(", re.MULTILINE)


def find(kind: str) -> Found:
    """The classes of the rooms.

    Args:
        kind: `node` or `world`.
    """
    found = Found()
    packages: dict[str, Any] = {}
    for name in modules():
        spec = importlib.util.find_spec(name)
        source = _source(name)
        package = spec is not None and spec.submodule_search_locations is not None
        if not (_SIGNS[kind] in source and _HEIR.search(source)) and not (package and source):
            continue
        try:
            module = importlib.import_module(name)
        except FOREIGN as error:
            found.broken[name] = told(error)
            continue
        if package:
            packages[name] = module
        for thing in vars(module).values():
            if is_kind(thing, kind) and thing.__module__ == name:
                found.classes[f"{name}:{thing.__name__}"] = thing
    for use, thing in found.classes.items():
        home = use.partition(":")[0]
        found.aliases[use] = [
            f"{name}:{thing.__name__}"
            for name, package in packages.items()
            if home.startswith(name + ".") and vars(package).get(thing.__name__) is thing
        ]
    return found


def named() -> list[str]:
    """Names of the node classes of the rooms, as their sources say, without importing them: `module:Class`."""
    found = []
    for name in modules():
        source = _source(name)
        if _SIGNS["node"] in source:
            for part in _CLASS.split(source)[1:]:
                kind, _, body = part.partition("(")
                found += [f"{name}:{kind}"] if _SIGNS["node"] in body else []
    return found


_CLASS = re.compile(r"^class (?=[A-Za-z])", re.MULTILINE)


def _source(module: str) -> str:
    spec = importlib.util.find_spec(module)
    return "" if spec is None or spec.origin is None else Path(spec.origin).read_text("utf-8", errors="replace")


def robots(folders: list[Path]) -> list[str]:
    """Names of the robots that the launch files in some folders describe."""
    found: set[str] = set()
    for file in (file for folder in folders for file in sorted(folder.glob("**/*.yaml"))):
        problems: list[Problem] = []
        document = read(file, str(file), problems)
        if document is not None and isinstance(document.value, dict):
            section = entries(document, "robots")
            found |= set(section) if isinstance(section, dict) else set()
    return sorted(found)
