"""Findings about this machine, which each package reports to `embodied doctor` from its module `diagnose`."""

from __future__ import annotations

import importlib
import importlib.metadata
from typing import NamedTuple


class Finding(NamedTuple):
    """Finding for `embodied doctor`: outcome of one check of this machine.

    Attributes:
        what: subject of the check.
        ok: whether it passed.
        found: version, value or error.
        fix: advice in case it failed.
    """

    what: str
    ok: bool
    found: str
    fix: str = ""


def find_distribution(distribution: str, module: str, purpose: str) -> Finding:
    """Import a module for `embodied doctor`, and report the version of its distribution.

    Args:
        distribution: name for pip.
        module: module that it brings.
        purpose: use of it, for the advice.
    """
    try:
        importlib.import_module(module)
        return Finding(distribution, True, importlib.metadata.version(distribution))
    except ImportError as error:
        return Finding(distribution, False, f"missing ({error})", f"pip install {distribution}   # {purpose}")
    except importlib.metadata.PackageNotFoundError:
        return Finding(distribution, True, "installed under another name")
