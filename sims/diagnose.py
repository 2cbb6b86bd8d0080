"""Diagnosis of the simulator and the renderers on this machine, for `embodied doctor`."""

from __future__ import annotations

from embodied.errors import EmbodiedError
from sims import bullet
from sims.rendering import VERSIONS, choose

Finding = tuple[str, bool, str, str]
"""What was looked at, whether it is in order, what was found, and how to repair it."""


def diagnose() -> list[Finding]:
    """Look for PyBullet and for renderers that work here, without opening a world."""
    return [_simulator(), _renderer()]


def _simulator() -> Finding:
    try:
        return "pybullet", True, bullet.version(), ""
    except EmbodiedError as error:
        return "pybullet", False, "missing", str(error)


def _renderer() -> Finding:
    try:
        chosen, version = choose()
    except EmbodiedError as error:
        return "renderer", False, "none", str(error)
    others = "; ".join(_other(name) for name in VERSIONS if name != chosen)
    return "renderer", True, f"{chosen} {version}; {others}", ""


def _other(name: str) -> str:
    try:
        return f"{name} {choose(name)[1]} with --set camera.renderer={name}"
    except EmbodiedError as error:
        return str(error)
