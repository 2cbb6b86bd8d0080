"""Names of classes that have moved: old launch files keep working, and `check` says the new name.

A package says so in a file `renamed.yaml` in its folder, `old: new` line by line; each is a module, or `module:Class`:

    policies.pick_place: policies.tasks.pick_place
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from embodied.errors import LaunchError, Problem
from embodied.imports.search_path import add_name
from embodied.interrupts import foreign
from embodied.launch.yaml_document import read

FILE = "renamed.yaml"
"""File in a package's folder that lists what has moved."""


def current_name(use: str) -> str:
    """Return the present name of a class: another than is written if its module is gone and its package says where to.

    Raises:
        LaunchError: a package's list of moved classes cannot be read.
    """
    module, _, class_name = use.partition(":")
    add_name(module.partition(".")[0])
    if _exists(module):
        return use
    for file in _lists(module):
        about = file.stat()
        renamed = _read(file, (about.st_mtime_ns, about.st_size))
        new = renamed.get(use, renamed.get(module, ""))
        if new:
            return new if ":" in new else f"{new}:{class_name}"
    return use


def _exists(module: str) -> bool:
    try:
        return module in sys.modules or importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False
    except foreign():
        # A package above it is broken; importing the module reports that.
        return True


def _lists(module: str) -> Iterator[Path]:
    """Yield the lists of the packages around a module, from the innermost."""
    while "." in module:
        module = module.rpartition(".")[0]
        spec = importlib.util.find_spec(module) if _exists(module) else None
        folders = [] if spec is None else spec.submodule_search_locations or []
        yield from (file for folder in folders if (file := Path(folder) / FILE).is_file())


@lru_cache(maxsize=16)
def _read(file: Path, _: tuple[int, int]) -> dict[str, str]:
    # A file may name hundreds of modules that do not exist; a list is read again once it has changed.
    document = read(file, str(file))
    if not isinstance(document.value, dict):
        message = f"a list of moved classes is a mapping of old names to new ones; got {document.kind}"
        raise LaunchError([Problem("E104", message, document.place)])
    for entry in document.value.values():
        if not isinstance(entry.value, str):
            raise LaunchError([Problem("E104", f"expected the new name, got {entry.kind}", entry.place)])
    return {old: entry.value for old, entry in document.value.items()}
