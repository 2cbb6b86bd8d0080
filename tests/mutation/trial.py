"""Trials of mutants, each in its own process, in which the module is replaced before it is imported."""

from __future__ import annotations

import ast
import importlib.abc
import importlib.machinery
import importlib.util
import os
import resource
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

JOBS = 2
"""Processes at a time."""

CPU_TIMEOUT = 60
"""Processor time after which a mutant counts as hanging [s]; wall time depends on the load of the machine."""


class _Loader(importlib.abc.Loader):
    def __init__(self, tree: ast.Module, file: Path) -> None:
        self._code: Any = compile(tree, str(file), "exec")

    def exec_module(self, module: ModuleType) -> None:
        exec(self._code, module.__dict__)


class _Finder(importlib.abc.MetaPathFinder):
    """Meta path finder that finds the mutant in place of the module."""

    def __init__(self, name: str, tree: ast.Module, file: Path) -> None:
        self._name = name
        self._loader = _Loader(tree, file)

    def find_spec(self, name: str, path: object, target: object = None) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self._loader) if name == self._name else None


def survivors(name: str, file: Path, trees: Sequence[ast.Module], tests: Sequence[str]) -> Iterator[int]:
    """Find the mutants with which the tests pass.

    Args:
        name: name of the module, which must not have been imported in this process.
        file: source file of the module.
        trees: syntax trees of the mutants.
        tests: test files, the likeliest to fail first.

    Yields:
        the numbers of the surviving mutants, in order, each as soon as it is known.
    """
    running: deque[tuple[int, int]] = deque()
    waiting = deque(enumerate(trees))
    while waiting or running:
        if waiting and len(running) < JOBS:
            number, tree = waiting.popleft()
            child = os.fork()
            if child == 0:
                _try(name, tree, file, tests)
            running.append((number, child))
            continue
        number, child = running.popleft()
        if os.waitpid(child, 0)[1] == 0:
            yield number


def _try(name: str, tree: ast.Module, file: Path, tests: Sequence[str]) -> None:
    code = 1
    try:
        resource.setrlimit(resource.RLIMIT_CPU, (CPU_TIMEOUT, CPU_TIMEOUT))
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
        sys.meta_path.insert(0, _Finder(name, tree, file))
        import pytest
        from hypothesis import Phase, settings

        # The same examples for each mutant, and no time spent on shrinking counterexamples.
        phases = (Phase.explicit, Phase.generate)
        settings.register_profile("trial", derandomize=True, database=None, max_examples=40, phases=phases)
        settings.load_profile("trial")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        code = int(
            pytest.main(["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "pytest_timeout", *tests])
        )
    finally:
        # Leave without flushing or closing what is the parent's.
        os._exit(code)
