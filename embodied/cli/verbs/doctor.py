"""`embodied doctor`: check this machine, its packages and what live runs need, with a fix for each failure."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import typer
from rich.markup import escape

from embodied.cli.common.live_requirements import check_live_requirements
from embodied.cli.common.options import JsonOption
from embodied.cli.common.output import exit_on_error, out, print_json
from embodied.diagnosis import Finding, find_distribution
from embodied.errors import FOREIGN, EmbodiedError, error_text
from embodied.launch.project import NODE_PACKAGES, enter_current_folder
from embodied.recording.video import encoder
from embodied.runtime.failures import location

PYTHON_LEAST = (3, 11)
"""Oldest Python that embodied runs on."""


def doctor(*, as_json: JsonOption = False) -> None:
    """Check this machine: versions, packages, renderer, processors, a writable `runs/`, and what live runs need."""
    with exit_on_error(as_json):
        findings = [
            Finding("python", sys.version_info >= PYTHON_LEAST, platform.python_version(), "install 3.11 or later"),
            find_distribution("numpy", "numpy", "everything"),
            find_distribution("pyzmq", "zmq", "links to other machines"),
            find_distribution("msgpack", "msgpack", "links and digests"),
            find_distribution("pyyaml", "yaml", "launch files"),
            find_distribution("opencv-python-headless", "cv2", "cameras and pictures"),
            *_package_findings(),
            _videos(),
            _machine(),
            _runs(),
            *check_live_requirements(),
        ]
        ok = all(finding.ok for finding in findings)
        if as_json:
            print_json({"ok": ok, "checks": [finding._asdict() for finding in findings]})
        else:
            for finding in findings:
                sign = "[green]ok[/]  " if finding.ok else "[red]bad[/] "
                out.print(f"{sign}{finding.what:<24} {escape(finding.found)}")
                if not finding.ok:
                    out.print(f"    {finding.fix}", markup=False)
    raise typer.Exit(0 if ok else 3)


def _package_findings() -> Iterator[Finding]:
    """Ask each package, of this project and installed, for its findings: `diagnose()` in its module `diagnose`."""
    enter_current_folder()
    for package in NODE_PACKAGES:
        spec = importlib.util.find_spec(package)
        folders = () if spec is None else spec.submodule_search_locations or ()
        for folder in dict.fromkeys(Path(folder).resolve() for folder in folders):
            file = folder / "diagnose.py"
            if file.is_file():
                yield from _findings_of(f"{package}.diagnose", file)


def _findings_of(name: str, file: Path) -> list[Finding]:
    # Loaded by path: a project's packages share their names with those that are installed, and hide their modules.
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        return []
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
        return [Finding(*finding) for finding in module.diagnose()]
    except FOREIGN as error:
        return [Finding(name, False, error_text(error), f"see {location(error)}")]


def _videos() -> Finding:
    try:
        return Finding("videos", True, f"PyAV {encoder().__version__}")
    except EmbodiedError as error:
        # Filmstrips take their place.
        return Finding("videos", True, f"none, filmstrips instead; {error}")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("machine", True, f"{platform.system()} {platform.machine()}, {cores} cores usable")


def _runs() -> Finding:
    runs = Path("runs")
    if (runs.exists() or runs.is_symlink()) and not runs.is_dir():
        return Finding("runs/", False, "runs is not a folder", "remove or rename it")
    folder = runs if runs.is_dir() else Path()
    return Finding("runs/", os.access(folder, os.W_OK), str(folder.resolve()), "choose a folder you may write in")
