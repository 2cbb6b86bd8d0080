"""Findings about simulation for `embodied doctor`: the physics engine, and the renderers of camera images."""

from __future__ import annotations

from embodied.diagnosis import Finding
from embodied.errors import EmbodiedError
from sims import bullet, rendering


def diagnose() -> list[Finding]:
    """Report the version of PyBullet, without which there is no world, and the renderers that work here."""
    return [_simulator(), _renderers()]


def _simulator() -> Finding:
    try:
        return Finding("pybullet", True, bullet.version())
    except EmbodiedError as error:
        return Finding("pybullet", False, "missing; everything but simulated worlds works", str(error))


def _renderers() -> Finding:
    try:
        name, version = rendering.choose()
    except EmbodiedError as error:
        return Finding("renderer", False, "none", str(error))
    others = "; ".join(_other(other) for other in rendering.VERSIONS if other != name)
    return Finding("renderer", True, f"{name} {version}; {others}")


def _other(name: str) -> str:
    try:
        return f"{name} {rendering.choose(name)[1]} with --set camera.renderer={name}"
    except EmbodiedError as error:
        return str(error)
