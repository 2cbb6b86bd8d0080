"""Project of a launch file: the folder whose packages it may name, merged with those that are installed."""

from __future__ import annotations

import os
from pathlib import Path

from embodied.errors import LaunchError, Problem
from embodied.imports.search_path import MERGED_PACKAGES, Project, add_project, risks

NODE_PACKAGES = (*MERGED_PACKAGES, "embodied.guards")
"""Packages with classes for launch files; a project may have folders of all but the last."""


def project_root(file: Path) -> Path:
    """Return the project of a file: the nearest folder above it with a pyproject.toml, else the one above `launch/`."""
    folder = file.resolve().parent
    for candidate in (folder, *folder.parents):
        if (candidate / "pyproject.toml").is_file():
            return candidate
    return folder.parent if folder.name == "launch" else folder


def enter(root: Path, owner: int | None = None) -> None:
    """Make the packages of a launch file's project importable, before those that are installed.

    Args:
        root: the project.
        owner: number of the user who owns the launch file; None is the user who runs this.

    Raises:
        LaunchError: a file of the project hides a package from the project's own tests.
    """
    root = root.absolute()
    project = Project(str(root), True, os.geteuid() if owner is None else owner)
    names = [name for name in _NAMES if not any(risks(project, name))]
    problems = [problem for name in names for problem in _hiding(root, name)]
    if problems:
        raise LaunchError(problems)
    add_project(project)


def enter_current_folder() -> None:
    """Make the packages of the current folder's project importable, behind those that are installed."""
    add_project(Project(str(project_root(Path("launch.yaml"))), False))


_CORE = Path(__file__).resolve().parents[1]

_NAMES = (*MERGED_PACKAGES, "embodied", "launch")
"""Packages that no file of a project may hide; `launch` is ROS 2's."""


def _hiding(root: Path, name: str) -> list[Problem]:
    """List the files of a project that Python would import in place of a package."""
    module, package = root / f"{name}.py", root / name / "__init__.py"
    advice = {
        "embodied": f"rename it, or use the environment of that embodied: this one is {_CORE}",
        "launch": "remove it: launch files are data, and ROS 2 has a Python package of that name",
    }
    merged = f"remove it: without it, this folder and the installed '{name}' are merged"
    help_ = {module: "rename it", package: advice.get(name, merged)}
    return [
        Problem("E210", f"{_shown(file)} hides the package '{name}'", help=(help_[file],), where=_shown(file))
        for file in (module, package)
        if file.is_file() and file.resolve() != _CORE / "__init__.py"
    ]


def _shown(file: Path) -> str:
    """Return a path as people write it: relative to the current folder where it is below it."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
