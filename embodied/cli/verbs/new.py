"""`embodied new`: create a small project whose tests pass as it stands."""

from __future__ import annotations

import importlib.util
import re
import shlex
from pathlib import Path
from typing import Annotated

import typer

from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json, usage
from embodied.launch.project import NODE_PACKAGES

TEMPLATE = Path(__file__).parent.parent / "scaffold"
"""Folder with the files of a new project; `__NAME__` stands for its name, in files and in their names."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_TAKEN = ("embodied", "launch", "tests", *NODE_PACKAGES)


def new(
    path: Annotated[Path, typer.Argument(help="the folder to create; its last part is the project's name")],
    *,
    as_json: JsonOption = False,
) -> None:
    """Create a project: a node, its test, a launch file, a scenario, and a CI workflow."""
    with exit_on_error(as_json):
        name = _name(path)
        files = [file for file in sorted(TEMPLATE.rglob("*")) if file.is_file() and "__pycache__" not in file.parts]
        try:
            if path.is_dir() and any(path.iterdir()):
                raise usage(f"{path} exists and is not empty", "choose another name, or empty it")
            written = [_write(file, path, name) for file in files]
        except OSError as error:
            reason = f"cannot create {path}: {error.strerror or error}"
            raise usage(reason, "choose a folder that you may write in: embodied new /path/to/mycell") from None
        if as_json:
            print_json({"project": str(path), "name": name, "files": written})
            return
        out.print(f"[bold]{name}[/]: {len(written)} files")
        for file in written:
            out.print(f"  {path / file}", markup=False)
        pytest = "" if importlib.util.find_spec("pytest") else "pip install pytest && "
    out.print(f"next: {pytest}cd {shlex.quote(str(path))} && make test", markup=False)


def _name(path: Path) -> str:
    name = path.resolve().name
    if _NAME.fullmatch(name) and name not in _TAKEN:
        return name
    repaired = re.sub(r"[^a-z0-9_]+", "_", name.lower()).strip("_0123456789")[:40] or "mycell"
    repaired = f"my_{repaired}" if repaired in _TAKEN else repaired
    allowed = f"a name has up to 40 of a-z, 0-9 and _, begins with a letter, and is not one of {', '.join(_TAKEN)}"
    raise usage(f"'{name}' is not a name for a project", allowed, f"write: embodied new {path.parent / repaired}")


def _write(file: Path, project: Path, name: str) -> str:
    """Write one file of the template, and return its path in the project."""
    relative = str(file.relative_to(TEMPLATE)).replace("__NAME__", name)
    target = project / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(file.read_text("utf-8").replace("__NAME__", name), encoding="utf-8")
    return relative
