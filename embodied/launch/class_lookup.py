"""`use: "module:Class"`: from a name in a launch file to a class."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import re
import sys
from pathlib import Path
from typing import Any

from embodied.errors import FOREIGN, MissingExtra, Place, Problem, nearest, raised_at, told
from embodied.node.node import Node

_USE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")

ROOMS = ("sims", "drivers", "policies", "embodied.guards")
"""Where classes for launch files live."""

_WORLD = ("reset", "advance", "about", "truth", "verdict", "close")


def project_root(file: Path) -> Path:
    """The folder whose rooms a launch file may name: the nearest above it with a pyproject.toml, or above `launch/`."""
    folder = file.resolve().parent
    for candidate in (folder, *folder.parents):
        if (candidate / "pyproject.toml").is_file():
            return candidate
    return folder.parent if folder.name == "launch" else folder


def enter(root: Path) -> None:
    """Make the rooms of a project importable, beside those that are installed."""
    root = root.absolute()
    if str(root) not in sys.path:
        sys.path.insert(0, str(root))
        importlib.invalidate_caches()


def find_class(use: object, kind: str, place: Place, problems: list[Problem]) -> type[Any] | None:
    """The class that a `use` names.

    Args:
        use: as written.
        kind: `node` or `world`.
        place: where.
        problems: what is wrong is added here.

    Returns:
        the class; None if there is none, or it is of another kind.
    """
    if not isinstance(use, str) or not _USE.fullmatch(use):
        problems.append(Problem("E201", f"expected 'module:Class', got {use!r}", place, help=_repair(use)))
        return None
    module_name, _, class_name = use.partition(":")
    module = _import(module_name, place, problems)
    if module is None:
        return None
    found = getattr(module, class_name, None)
    if found is None:
        known = [name for name in vars(module) if is_kind(vars(module)[name], kind)]
        message = f"'{module_name}' has no class '{class_name}'"
        problems.append(Problem("E202", message, place, help=nearest(class_name, known)))
        return None
    if not is_kind(found, kind):
        message = f"'{use}' is not a {kind}"
        needs = "a subclass of embodied.Node" if kind == "node" else "a class with " + ", ".join(_WORLD)
        problems.append(Problem("E203", message, place, help=(f"a {kind} is {needs}",)))
        return None
    return found  # type: ignore[no-any-return]


def is_kind(thing: object, kind: str) -> bool:
    """Whether something is a class of nodes, or of worlds."""
    if not isinstance(thing, type):
        return False
    if kind == "node":
        return issubclass(thing, Node) and hasattr(thing, "step")
    return all(hasattr(thing, name) for name in _WORLD)


def _import(name: str, place: Place, problems: list[Problem]) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            help_ = _hiding(name) or nearest(name, modules())
            problems.append(Problem("E201", f"there is no module '{name}'", place, help=help_))
        else:
            help_ = (f"asked for at {raised_at(error)}", f"{sys.executable} -m pip install {missing.partition('.')[0]}")
            problems.append(Problem("E208", f"'{name}' needs the package '{missing}'", place, help=help_))
    except MissingExtra as error:
        problems.append(Problem("E208", str(error), place))
    except FOREIGN as error:
        message = f"'{name}' cannot be imported: {told(error)}"
        problems.append(Problem("E201", message, place, help=(f"see {raised_at(error)}",)))
    return None


def _hiding(name: str) -> tuple[str, ...]:
    """A room with an __init__.py is a package of its own, and hides the rooms of the same name elsewhere."""
    room = sys.modules.get(name.partition(".")[0])
    file = getattr(room, "__file__", None)
    if room is None or file is None or room.__name__ not in ROOMS:
        return ()
    return (f"{file} hides the other folders named '{room.__name__}': remove it",)


def modules() -> list[str]:
    """Names of the modules in the rooms."""
    found = []
    for room in ROOMS:
        try:
            spec = importlib.util.find_spec(room)
        except ModuleNotFoundError:
            continue
        if spec is None or spec.submodule_search_locations is None:
            continue
        found.append(room)
        folders = list(spec.submodule_search_locations)
        found += [info.name for info in pkgutil.walk_packages(folders, f"{room}.", onerror=lambda _: None)]
    return sorted(found)


def _repair(use: object) -> tuple[str, ...]:
    """What a path, or a class behind a dot, should have been."""
    if not isinstance(use, str):
        return ("a class is named as 'drivers.uvc:Camera'",)
    head, _, tail = use.partition(":")
    if "/" in head or head.endswith(".py"):
        module = head.removesuffix(".py").strip("./").replace("/", ".")
        return (f"name the module, not its file: '{module}:{tail or 'Class'}'",)
    if "." in use and ":" not in use:
        module, _, name = use.rpartition(".")
        return (f"separate the class by a colon: '{module}:{name}'",)
    return ("a class is named as 'drivers.uvc:Camera'",)
