"""One PyBullet simulator, headless; the only door to pybullet."""

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
    """No PyBullet on this Python: its wheels, the fork's included, end at 3.13."""

    def __init__(self) -> None:
        super().__init__("pybullet", "", "the simulated world")

    def __str__(self) -> str:
        return (
            f"{self.purpose} needs {self.package}, which has wheels for Python 3.11 to 3.13 and this is "
            f"{platform.python_version()}: make the environment with one of these, or build pybullet from source"
        )


@contextmanager
def _hushed() -> Iterator[None]:
    """Nothing reaches the error stream: pybullet prints when it was built as it is imported, from C."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


def version() -> str:
    """Version of PyBullet, with the name of the distribution where it is the fork for later Pythons.

    Raises:
        NoSimulator: it is not installed.
    """
    pybullet()
    try:
        return importlib.metadata.version("pybullet")
    except importlib.metadata.PackageNotFoundError:
        return f"{importlib.metadata.version('pybullet-arm64')} (pybullet-arm64)"


def pybullet() -> ModuleType:
    """The module.

    Raises:
        NoSimulator: it is not installed.
    """
    try:
        with nullcontext() if "pybullet" in sys.modules else _hushed():
            import pybullet
    except ImportError:
        raise NoSimulator from None
    module: ModuleType = pybullet
    return module


class Bullet:
    """The functions and constants of pybullet, bound to a simulator of its own.

    Every function takes `physicsClientId`; here it is given once, so that several worlds can live in one process.

    Raises:
        NoSimulator: pybullet is not installed.
    """

    def __init__(self) -> None:
        self._module = pybullet()
        self._client = self._module.connect(self._module.DIRECT)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        if callable(found):
            found = partial(found, physicsClientId=self._client)
        # Kept, so that the next call finds it without coming here.
        setattr(self, name, found)
        return found

    def close(self) -> None:
        """End the simulator."""
        self._module.disconnect(physicsClientId=self._client)
