"""Settings of every test: a busy machine fails no property, and no test meets runs, or a process, of another."""

from __future__ import annotations

import os
import shutil
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from embodied.imports.search_path import current, restore
from tests.embodied.conftest import embodied

__all__ = ["embodied"]

settings.register_profile("embodied", deadline=None)
settings.load_profile("embodied")

THREADS_END = 10.0
"""Time within which threads that are ending do so; those of the xArm's SDK sleep before they look [s]."""


@pytest.fixture(autouse=True)
def _projects_are_left_again() -> Iterator[None]:
    """The projects of launch files that a test loaded are searched no longer."""
    before = current()
    yield
    if current() != before:
        restore(before)


@pytest.fixture(autouse=True)
def _libraries_leave_the_process_as_it_is() -> Iterator[None]:
    """A library that changes the timeout of sockets to come, or the scheduling, makes later tests fail at random."""
    yield
    timeout, policy = socket.getdefaulttimeout(), os.sched_getscheduler(0)
    socket.setdefaulttimeout(None)
    os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    assert timeout is None
    assert policy == os.SCHED_OTHER


@pytest.fixture(autouse=True, scope="module")
def _no_thread_outlives_its_module() -> Iterator[None]:
    """Whatever a thread that was left behind prints would be taken for the output of later tests."""
    before = {*threading.enumerate()}
    yield
    for thread in {*threading.enumerate()} - before:
        thread.join(THREADS_END)
    assert not {*threading.enumerate()} - before


@pytest.fixture
def own_modules(tmp_path: Path) -> Iterator[None]:
    """Modules that are imported from the folder of the test are forgotten, and those that it removed are there again.

    A copy in place of `sys.modules` would not do: the interpreter goes on with the original.
    """
    before = {**sys.modules}
    yield
    # All places before any is forgotten: that of a package without a file is computed from its parent.
    places = {
        name: [getattr(m, "__file__", None) or "", *getattr(m, "__path__", ())] for name, m in {**sys.modules}.items()
    }
    for name in places.keys() - before.keys():
        if any(place.startswith(str(tmp_path)) for place in places[name]):
            parent, _, child = name.rpartition(".")
            vars(sys.modules.get(parent, sys.modules.pop(name))).pop(child, None)
    sys.modules.update(before)


@pytest.fixture(autouse=True, scope="session")
def _runs_apart() -> Iterator[None]:
    """Keep the runs of each worker apart: an emergency stop reaches every run of its user otherwise."""
    # The path of a Unix socket has at most 107 characters, and pytest's folders are longer.
    path = tempfile.mkdtemp(prefix="e", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBODIED_RUNTIME_DIR", path)
        yield
    shutil.rmtree(path)
