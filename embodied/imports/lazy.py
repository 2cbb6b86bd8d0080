"""Lazy exports: a package offers names of its modules, and each module is imported when a name of it is first used.

Pytest loads our plugin at every start, in whatever project: numpy waits until something needs it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any


def lazy_names(package: str, modules: Mapping[str, str]) -> Callable[[str], Any]:
    """Make the `__getattr__` (PEP 562) of a package.

    Args:
        package: the package's `__name__`.
        modules: for each exported name, the module that defines it.
    """

    def getattr_lazily(name: str) -> Any:
        if name not in modules:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        value = getattr(importlib.import_module(modules[name]), name)
        setattr(sys.modules[package], name, value)
        return value

    return getattr_lazily
