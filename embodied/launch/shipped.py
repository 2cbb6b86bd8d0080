"""Launch files that ship with embodied, found by their names wherever the command is given.

In a checkout they are the folder `launch/` beside the packages, in a wheel `embodied/launch_files/`: a top-level folder
`launch` in site-packages would mix with the Python package of that name that ROS 2 installs.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from embodied.errors import LaunchError, Problem, nearest
from embodied.launch.project import project_root

_CORE = Path(__file__).parents[1]

SHIPPED = folder if (folder := _CORE / "launch_files").is_dir() else _CORE.parent / "launch"
"""Folder of the launch files and fragments that ship."""


def locate(file: Path) -> Path:
    """Find a launch file by its path, or by its name in `launch/` here or among those that ship.

    `pick_place`, `pick_place.yaml` and `launch/pick_place.yaml` name the same file.

    Raises:
        LaunchError: there is no file of that name.
    """
    names = [file] if file.suffix else [file, file.with_name(f"{file.name}.yaml")]
    places = [*names, *(Path("launch") / name for name in names), *(SHIPPED / _without_folder(name) for name in names)]
    try:
        found = file if file.is_absolute() else next((place for place in places if place.is_file()), None)
        if found is not None or file.exists():
            return found or file
        known = [path.stem for folder in (Path("launch"), SHIPPED) for path in folder.glob("*.yaml")]
    except (OSError, ValueError):
        # A name that no file can have; reading it says so.
        return file
    message = f"cannot read {file}: there is no such file"
    raise LaunchError([Problem("E105", message, help=nearest(file.stem, known), where=str(file))])


def locate_include(name: str, beside: Sequence[Path]) -> Path | None:
    """Find the file that an include names: in the given folders, in `launch/` of this project, among those that ship.

    Args:
        name: path as it is written.
        beside: folder of the file in which it is written, and of the file that includes it.
    """
    try:
        return next((place for folder in _include_folders(beside) if (place := folder / name).is_file()), None)
    except (OSError, ValueError):
        return None


def nearest_include(name: str, beside: Sequence[Path]) -> tuple[str, ...]:
    """Return a help line with the file whose name is nearest to a missing include, in the folders that are searched."""
    try:
        known = {
            str(path.relative_to(folder))
            for folder in _include_folders(beside)
            for path in (SHIPPED.rglob("*.yaml") if folder == SHIPPED else (folder / name).parent.glob("*.yaml"))
            if path.is_relative_to(folder)
        }
    except (OSError, ValueError):
        return ()
    return nearest(name, known)


def _include_folders(beside: Sequence[Path]) -> list[Path]:
    # A shipped file that is run from a project takes the project's robots.
    return [*beside, project_root(Path("launch.yaml")) / "launch", SHIPPED]


def _without_folder(name: Path) -> Path:
    return name.relative_to("launch") if name.is_relative_to("launch") else name
