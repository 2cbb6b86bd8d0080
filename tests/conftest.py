"""Settings of every test: a busy machine fails no property, and no test meets runs, or a process, of another."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator

import pytest
from hypothesis import settings

from embodied.import_path import current, restore
from tests.embodied.conftest import embodied

__all__ = ["embodied"]

settings.register_profile("embodied", deadline=None)
settings.load_profile("embodied")


@pytest.fixture(autouse=True)
def _projects_are_left_again() -> Iterator[None]:
    """The projects of launch files that a test loaded are searched no longer."""
    before = current()
    yield
    if current() != before:
        restore(before)


@pytest.fixture(autouse=True)
def _sockets_wait_as_python_has_them() -> Iterator[None]:
    """A library that sets the timeout of every socket to come ends servers of later tests at random."""
    yield
    timeout = socket.getdefaulttimeout()
    socket.setdefaulttimeout(None)
    assert timeout is None


@pytest.fixture(autouse=True, scope="session")
def _runs_apart() -> Iterator[None]:
    """Keep the runs of each worker apart: an emergency stop reaches every run of its user otherwise."""
    # The path of a Unix socket has at most 107 characters, and pytest's folders are longer.
    path = tempfile.mkdtemp(prefix="e", dir="/tmp")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMBODIED_RUNTIME_DIR", path)
        yield
    shutil.rmtree(path)
