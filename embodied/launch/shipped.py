"""Launch files that ship with embodied, found by their names wherever the command is given.

In a checkout they are the folder `launch/` beside the packages, in a wheel `embodied/launch_files/`: a top-level folder
`launch` in site-packages would mix with the Python package of that name that ROS 2 installs.
"""

from __future__ import annotations

from pathlib import Path

from embodied.errors import LaunchError, Problem, nearest

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


def locate_include(name: str, beside: Path) -> Path | None:
    """Find the file that an include names: in the folder of the file that includes it, else among those that ship."""
    try:
        return next((place for folder in (beside, SHIPPED) if (place := folder / name).is_file()), None)
    except (OSError, ValueError):
        return None


def nearest_include(name: str, beside: Path) -> tuple[str, ...]:
    """Return a help line with the shipped or local file whose name is nearest to a missing include."""
    try:
        known = {str(path.relative_to(beside)) for path in (beside / name).parent.glob("*.yaml")}
        known |= {str(path.relative_to(SHIPPED)) for path in SHIPPED.rglob("*.yaml")}
    except (OSError, ValueError):
        return ()
    return nearest(name, known)


def _without_folder(name: Path) -> Path:
    return name.relative_to("launch") if name.is_relative_to("launch") else name
