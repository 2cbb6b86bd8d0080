"""PyBullet simulator without a window; only this module imports pybullet."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from functools import partial
from types import ModuleType
from typing import Any

from embodied.errors import MissingExtra


class NoSimulator(MissingExtra):
    """PyBullet is missing: its wheels, the fork's included, end at Python 3.13."""

    def __init__(self) -> None:
        super().__init__("pybullet", "", "the simulated world")

    def __str__(self) -> str:
        return (
            f"{self.purpose} needs {self.package}, which has wheels for Python 3.11 to 3.13 and this is "
            f"{platform.python_version()}: make the environment with one of these, or build pybullet from source"
        )


@contextmanager
def _silenced() -> Iterator[None]:
    """Silence the error stream: pybullet prints its build time from C when it is imported."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def version() -> str:
    """Return the version of PyBullet, with the name of the distribution where it is the fork for later Pythons.

    Raises:
        NoSimulator: it is not installed.
    """
    pybullet()
    try:
        return importlib.metadata.version("pybullet")
    except importlib.metadata.PackageNotFoundError:
        return f"{importlib.metadata.version('pybullet-arm64')} (pybullet-arm64)"


def pybullet() -> ModuleType:
    """Import pybullet, which prints nothing, and return the module.

    Raises:
        NoSimulator: it is not installed.
    """
    try:
        with nullcontext() if "pybullet" in sys.modules else _silenced():
            import pybullet
    except ImportError:
        raise NoSimulator from None
    module: ModuleType = pybullet
    return module


class Bullet:
    """PyBullet's functions and constants, bound to one simulator.

    Every function of pybullet takes `physicsClientId`; here it is bound once, so that several worlds can live in one
    process.

    Raises:
        NoSimulator: pybullet is not installed.
    """

    def __init__(self) -> None:
        self._module = pybullet()
        self._client = self._module.connect(self._module.DIRECT)

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._module, name)
        if callable(attribute):
            attribute = partial(attribute, physicsClientId=self._client)
        # Stored on the instance, so that the next access bypasses __getattr__.
        setattr(self, name, attribute)
        return attribute

    def close(self) -> None:
        """Disconnect from the simulator, and free its memory."""
        self._module.disconnect(physicsClientId=self._client)
