"""Look-up of the classes that a launch file names: `use: "module:Class"`."""

from __future__ import annotations

import re
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from embodied.errors import LaunchError, MissingExtra, Place, Problem, error_text, nearest, raised_at
from embodied.imports.bounded import ImportStuck, import_module
from embodied.imports.search_path import MERGED_PACKAGES, folders, unnamed, unsearched
from embodied.interrupts import foreign
from embodied.launch.discovery import WORLD_MEMBERS, is_kind, modules
from embodied.launch.renamed import current_name
from embodied.untrusted.text import hidden, shown

_USE = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def find_class(use: object, kind: str, place: Place) -> type[Any]:
    """Import the class that a `use` names.

    Args:
        use: the name as written.
        kind: `node` or `world`.
        place: place of the name.

    Raises:
        LaunchError: there is no such class, it is of another kind, or its module cannot be imported.
    """
    if not isinstance(use, str) or not _USE.fullmatch(use):
        raise LaunchError([Problem("E201", f"expected 'module:Class', got {shown(use)}", place, _repair(use))])
    module_name, _, class_name = current_name(use).partition(":")
    module = _import(module_name, place)
    found = getattr(module, class_name, None)
    if found is None:
        known = [name for name, thing in vars(module).items() if is_kind(thing, kind)]
        message = f"'{module_name}' has no class '{class_name}'"
        raise LaunchError([Problem("E202", message, place, nearest(class_name, known))])
    if not is_kind(found, kind):
        needs = "a subclass of embodied.Node" if kind == "node" else "a class with " + ", ".join(WORLD_MEMBERS)
        raise LaunchError([Problem("E203", f"'{use}' is not a {kind}", place, (f"a {kind} is {needs}",))])
    class_: type[Any] = found
    return class_


def _import(name: str, place: Place) -> Any:
    try:
        return import_module(name)
    except ImportStuck as error:
        message = f"'{name}' cannot be imported: {error}"
        problem = Problem("E201", message, place, ("what takes its time belongs into open(), where it is waited for",))
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if name == missing or name.startswith(missing + "."):
            help_ = tuple(unsearched(name)) or _hidden(name) or nearest(name, _known(_state()))
            problem = Problem("E201", f"there is no module '{name}'", place, help_)
        else:
            advice = tuple(unnamed(missing)) or (f"{sys.executable} -m pip install {missing.partition('.')[0]}",)
            help_ = (f"asked for at {raised_at(error)}", *advice)
            problem = Problem("E208", f"'{name}' needs the package '{missing}'", place, help_)
    except MissingExtra as error:
        problem = Problem("E208", str(error), place)
    except foreign() as error:
        message = f"'{name}' cannot be imported: {error_text(error)}"
        problem = Problem("E201", message, place, (f"see {raised_at(error)}",))
    raise LaunchError([problem])


def _state() -> tuple[tuple[str, int], ...]:
    """Return the folders that are searched, each with the time of its last change."""
    return tuple((folder, Path(folder).stat().st_mtime_ns) for name in MERGED_PACKAGES for folder in folders(name))


@lru_cache(maxsize=1)
def _known(_: tuple[tuple[str, int], ...]) -> list[str]:
    # A file may name hundreds of modules that do not exist, and listing all files takes its time.
    return list(modules())


def _hidden(name: str) -> tuple[str, ...]:
    """Advise on a module that does exist, in a folder that another package of the same name hides."""
    relative = Path(*name.split("."))
    package = name.partition(".")[0]
    searched = [Path(folder).parent for folder in folders(package)] if package in MERGED_PACKAGES else sys.path
    for folder in map(Path, searched):
        files = ((folder / relative).with_suffix(".py"), folder / relative / "__init__.py")
        file = next((file for file in files if file.is_file()), None)
        if file is not None:
            return tuple(
                f"{hiding} hides {file}: remove or rename it"
                for parent in _parents(name)
                if (hiding := getattr(sys.modules.get(parent), "__file__", None)) is not None
                and not file.is_relative_to(Path(hiding).parent)
            )[:1]
    return ()


def _parents(name: str) -> list[str]:
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _repair(use: object) -> tuple[str, ...]:
    """Advise on a path, or on a class behind a dot."""
    if not isinstance(use, str):
        return ("a class is named as 'drivers.uvc:Camera'",)
    head, _, tail = use.partition(":")
    if hidden(use):
        return nearest(use, ["".join(sign for sign in use if sign not in hidden(use))])
    if "/" in head or head.endswith(".py"):
        module = head.removesuffix(".py").strip("./").replace("/", ".")
        return (f"name the module, not its file: '{module}:{tail or 'Class'}'",)
    if "." in use and ":" not in use:
        module, _, name = use.rpartition(".")
        return (f"separate the class by a colon: '{module}:{name}'",)
    return ("a class is named as 'drivers.uvc:Camera'",)
