"""`embodied doctor`: what this machine has, what it lacks, and how to get it."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from pathlib import Path
from types import ModuleType

import typer
from rich.markup import escape

from embodied.cli.common.live_requirements import live
from embodied.cli.common.output import JsonOption, ending, out, print_json
from embodied.errors import EmbodiedError
from embodied.recording.video import encoder

_PACKAGES = {
    "numpy": ("numpy", "everything"),
    "pyzmq": ("zmq", "links to other machines"),
    "msgpack": ("msgpack", "links and digests"),
    "pyyaml": ("yaml", "launch files"),
    "onnxruntime": ("onnxruntime", "ONNX nodes"),
    "opencv-python-headless": ("cv2", "cameras and pictures"),
    "pin": ("pinocchio", "inverse kinematics"),
    "pybullet": ("pybullet", "simulation"),
}


def doctor(*, as_json: JsonOption = False) -> None:
    """Look at this machine: versions, packages, renderer, processors, a writable `runs/`, what live runs need."""
    with ending(as_json):
        checks = [
            _python(),
            *(_package(name) for name in _PACKAGES),
            _providers(),
            _renderer(),
            _videos(),
            _machine(),
            _runs(),
            *(_check(*finding) for finding in live()),
        ]
        if as_json:
            print_json({"ok": all(c["ok"] for c in checks), "checks": checks})
        else:
            for check in checks:
                sign = "[green]ok[/]  " if check["ok"] else "[red]bad[/] "
                out.print(f"{sign}{check['what']:<24} {escape(str(check['found']))}")
                if not check["ok"]:
                    out.print(f"    {check['fix']}", markup=False)
    raise typer.Exit(0 if all(check["ok"] for check in checks) else 3)


def _check(what: str, ok: bool, found: str, fix: str = "") -> dict[str, object]:
    return {"what": what, "ok": ok, "found": found, "fix": fix}


def _python() -> dict[str, object]:
    fix = "pybullet has no wheels beyond Python 3.11; use 3.11 to simulate"
    return _check("python", sys.version_info >= (3, 11), platform.python_version(), fix)


def _package(name: str) -> dict[str, object]:
    module, purpose = _PACKAGES[name]
    try:
        # Its import prints when it was built; that it is there is enough.
        if importlib.util.find_spec(module) is None:
            raise ImportError(f"no module {module}")
        if name != "pybullet":
            importlib.import_module(module)
        return _check(name, True, importlib.metadata.version(name))
    except ImportError as error:
        return _check(name, False, f"missing ({error})", f"pip install {name}   # {purpose}")
    except importlib.metadata.PackageNotFoundError:
        return _check(name, True, "installed under another name")


def _providers() -> dict[str, object]:
    try:
        providers = importlib.import_module("onnxruntime").get_available_providers()
    except ImportError:
        return _check("ONNX providers", False, "none", "pip install onnxruntime")
    return _check("ONNX providers", True, ", ".join(providers))


def _renderer() -> dict[str, object]:
    try:
        room = importlib.import_module("sims.rendering")
        name, version = room.choose()
    except (ImportError, EmbodiedError) as error:
        return _check("renderer", False, "none", str(error))
    others = "; ".join(_other(room, other) for other in room.VERSIONS if other != name)
    return _check("renderer", True, f"{name} {version}; {others}")


def _other(room: ModuleType, name: str) -> str:
    try:
        return f"{name} {room.choose(name)[1]} with --set camera.renderer={name}"
    except EmbodiedError as error:
        return str(error)


def _videos() -> dict[str, object]:
    try:
        return _check("videos", True, f"PyAV {encoder().__version__}")
    except EmbodiedError as error:
        # Filmstrips do instead.
        return _check("videos", True, f"none, filmstrips instead; {error}")


def _machine() -> dict[str, object]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return _check("machine", True, f"{platform.system()} {platform.machine()}, {cores} cores usable")


def _runs() -> dict[str, object]:
    runs = Path("runs")
    if (runs.exists() or runs.is_symlink()) and not runs.is_dir():
        return _check("runs/", False, "runs is not a folder", "remove or rename it")
    folder = runs if runs.is_dir() else Path()
    return _check("runs/", os.access(folder, os.W_OK), str(folder.resolve()), "choose a folder you may write in")
