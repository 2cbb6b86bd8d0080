"""Every device folder has the same shape, and its driver and its virtual device do not import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

DRIVERS = Path(__file__).parents[2] / "drivers"
FOLDERS = sorted(folder.parent for folder in DRIVERS.glob("*/driver.py"))
ALWAYS = ("README.md", "bench.yaml", "__init__.py", "codec.py", "driver.py", "virtual/__init__.py")


def imported(file: Path) -> Iterator[str]:
    """The modules that a file imports, lazily and for types alone included."""
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_every_shipped_device_has_a_folder() -> None:
    assert {folder.name for folder in FOLDERS} == {"can_ev", "mavlink", "so101", "uvc", "xarm"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_device_folder_has_the_files_that_every_one_has(folder: Path) -> None:
    assert not [name for name in ALWAYS if not (folder / name).is_file()]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_nothing_beside_the_virtual_device_imports_it(folder: Path) -> None:
    virtual = f"drivers.{folder.name}.virtual"
    assert not [
        f"{file.name} imports {name}"
        for file in sorted(folder.glob("*.py"))
        for name in imported(file)
        if f"{name}.".startswith(f"{virtual}.")
    ]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_virtual_device_does_not_import_the_driver(folder: Path) -> None:
    driver = f"drivers.{folder.name}.driver"
    assert not [
        f"{file.name} imports {name}"
        for file in sorted(folder.glob("virtual/*.py"))
        for name in imported(file)
        if f"{name}.".startswith(f"{driver}.")
    ]
