"""Machines that allow each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from embodied.links.keys import Keys
from tests.embodied.links.machines import Cell, believe, machine


@pytest.fixture
def cell() -> Iterator[Cell]:
    made = Cell()
    yield made
    for end in made.ends:
        end.close()


@pytest.fixture
def arm(tmp_path: Path) -> Keys:
    return machine(tmp_path, "arm")


@pytest.fixture
def base(tmp_path: Path, arm: Keys) -> Keys:
    keys = machine(tmp_path, "base")
    believe(arm, keys)
    return keys


@pytest.fixture
def desk(tmp_path: Path, arm: Keys) -> Keys:
    """A third machine, which the arm alone knows."""
    keys = machine(tmp_path, "desk")
    believe(arm, keys)
    return keys
