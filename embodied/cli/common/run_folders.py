"""Folders below `runs/` in which commands keep their results, and the versions that are recorded there."""

from __future__ import annotations

import errno
import importlib.metadata
import platform
from datetime import datetime
from pathlib import Path

from embodied import __version__
from embodied.live.run_directory import short_name

DIGEST_PACKAGES = ("numpy", "pybullet", "pybullet-arm64", "onnxruntime", "pin")
"""Distributions whose version may change a digest."""

NAME_LONGEST = 60
"""Length to which the name of a launch file is cut in the name of a folder [B]."""

NAMED_ALIKE_MOST = 1000
"""Limit of folders with the same time and name."""


def new_run_folder(name: str) -> Path:
    """Create a folder `runs/<time>-<name>` for the results of a command.

    Raises:
        OSError: it cannot be created.
    """
    if not Path("runs").is_dir():
        try:
            Path("runs").mkdir()
        except FileExistsError:
            raise NotADirectoryError(errno.ENOTDIR, "runs is kept here, and is not a folder", "runs") from None
    stem = f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{short_name(name, NAME_LONGEST)}"
    for number in range(1, NAMED_ALIKE_MOST):
        folder = Path("runs") / (stem if number == 1 else f"{stem}-{number}")
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise OSError(f"too many runs named {stem}")


def run_folder(path: Path) -> Path:
    """Return a folder of results that exists as given or below `runs/`."""
    return Path("runs") / path if not path.exists() and (Path("runs") / path).is_dir() else path


def versions() -> dict[str, str]:
    """Return the versions that a digest depends on, and the kind of machine."""
    found = {"python": platform.python_version(), "machine": f"{platform.system()} {platform.machine()}"}
    found["embodied"] = __version__
    for package in DIGEST_PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
