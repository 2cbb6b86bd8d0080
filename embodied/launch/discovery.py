"""Discovery of node and world classes in the packages for launch files, and of robots in launch files.

Packages are searched by their files, so that a module which fails to import is found and reported like any other.
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, error_text, raised_at
from embodied.imports.bounded import import_module
from embodied.interrupts import foreign
from embodied.launch.project import NODE_PACKAGES
from embodied.launch.yaml_document import entries, read
from embodied.node.node import Node


@dataclass(slots=True)
class FoundClasses:
    """Discovered classes of nodes or of worlds, and the modules that could not be searched for them.

    Attributes:
        classes: by their names in the module that defines them, `module:Class`.
        aliases: by each of these names, shorter ones of packages that export the class.
        broken: by module, why and where its import failed.
    """

    classes: dict[str, type[Any]] = field(default_factory=dict)
    aliases: dict[str, list[str]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)


_METHODS = {"node": "def step(", "world": "def truth("}
"""Text that the source of a module with a class of this kind contains; other modules may be scripts, and importing
those would start them."""

_DERIVED = re.compile(r"^class \w+\(", re.MULTILINE)

_CLASS = re.compile(r"^class (?=[A-Za-z])", re.MULTILINE)

WORLD_MEMBERS = ("reset", "advance", "about", "truth", "verdict", "close")
"""Members that a class of worlds has."""


def is_kind(thing: object, kind: str) -> bool:
    """Return whether a discovered object is a class of nodes, or of worlds.

    Args:
        thing: any object.
        kind: `node` or `world`.
    """
    if not isinstance(thing, type):
        return False
    if kind == "node":
        return issubclass(thing, Node) and hasattr(thing, "step")
    return all(hasattr(thing, name) for name in WORLD_MEMBERS)


def modules() -> dict[str, Path]:
    """List the modules of the packages for launch files by name, each with its file or folder; nothing is imported."""
    found: dict[str, Path] = {}
    for package in NODE_PACKAGES:
        for folder in _folders(package):
            init = folder / "__init__.py"
            found.setdefault(package, init if init.is_file() else folder)
            for name, file in _walk(folder, package):
                # The folder that is searched first wins, as in an import.
                found.setdefault(name, file)
    return dict(sorted(found.items()))


def find_classes(kind: str) -> FoundClasses:
    """Import the modules that have classes of one kind, and list these.

    Args:
        kind: `node` or `world`.
    """
    found = FoundClasses()
    packages: dict[str, Any] = {}
    for name, file in modules().items():
        source = _source(file)
        package = file.name == "__init__.py"
        if not (_METHODS[kind] in source and _DERIVED.search(source)) and not (package and source):
            continue
        try:
            module = import_module(name)
        except foreign() as error:
            where = raised_at(error)
            found.broken[name] = error_text(error) + (f", at {where}" if where else "")
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


def class_names() -> list[str]:
    """List the node classes by their sources alone, without importing them: `module:Class`."""
    names = []
    for name, file in modules().items():
        source = _source(file)
        if _METHODS["node"] in source:
            for part in _CLASS.split(source)[1:]:
                class_name, _, body = part.partition("(")
                names += [f"{name}:{class_name}"] if _METHODS["node"] in body else []
    return names


def robot_names(folders: list[Path]) -> list[str]:
    """List the robots that the launch files in some folders describe; files that cannot be read have none."""
    names: set[str] = set()
    for file in (file for folder in folders for file in sorted(folder.glob("**/*.yaml"))):
        try:
            document = read(file, str(file))
        except LaunchError:
            continue
        section = entries(document, "robots") if isinstance(document.value, dict) else {}
        names |= set(section) if isinstance(section, dict) else set()
    return sorted(names)


def _folders(package: str) -> list[Path]:
    try:
        spec = importlib.util.find_spec(package)
    except ModuleNotFoundError:
        return []
    return [] if spec is None else [Path(folder) for folder in spec.submodule_search_locations or ()]


def _walk(folder: Path, package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        name = f"{package}.{path.stem}"
        if not path.stem.isidentifier():
            continue
        if path.suffix == ".py" and path.stem != "__init__":
            yield name, path
        elif (path / "__init__.py").is_file():
            yield name, path / "__init__.py"
            yield from _walk(path, name)


def _source(file: Path) -> str:
    return file.read_text("utf-8", errors="replace") if file.is_file() else ""
