"""Directories of runs are judged by the lock of their launcher, and nothing is removed that a run did not put there."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from embodied.errors import LinkFailed
from embodied.graph.graph import Graph
from embodied.live.run_directory import RunDirectory, running
from embodied.live.run_places import ONLY, closed_to_others, home, looked_at, places
from tests.embodied.live.nodes import Counter
from tests.embodied.live.running import Running


@pytest.fixture
def only(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = Path(os.environ[ONLY]) / "d"
    path.mkdir(mode=0o700, exist_ok=True)
    monkeypatch.setenv(ONLY, str(path))
    return path


def left_behind(path: Path) -> None:
    """Make a directory as a launcher leaves it that was killed together with its reaper."""
    path.mkdir(mode=0o700)
    for name in ("graph.json", "control", "guard.0"):
        (path / name).touch()


def test_a_directory_that_a_killed_launcher_of_the_same_number_left_is_taken_over(only: Path) -> None:
    # In a container the first process has number 1 after each start.
    for count in range(1, 20):
        left_behind(only / (f"cell-{os.getpid()}" if count == 1 else f"cell-{os.getpid()}-{count}"))
    directory = RunDirectory.create("cell")
    assert directory.path == only / f"cell-{os.getpid()}"
    assert list(directory.path.iterdir()) == []
    second = RunDirectory.create("cell")
    assert second.path != directory.path
    second.remove()
    directory.remove()
    assert [*running()] == []
    assert [*only.iterdir()] == []


def test_what_no_run_has_put_into_a_directory_keeps_it(only: Path) -> None:
    left_behind(only / "mine-1")
    (only / "mine-1" / "notes.txt").touch()
    (only / "empty-1").mkdir()
    assert [*running()] == []
    assert sorted(path.name for path in only.iterdir()) == ["empty-1", "mine-1"]
    assert len([*(only / "mine-1").iterdir()]) == 4


@pytest.mark.parametrize("text", ["", "[]", "{", "[" * 100_000, "7"])
def test_a_description_that_cannot_be_read_is_empty(text: str, only: Path) -> None:
    directory = RunDirectory.create("cell")
    (directory.path / "graph.json").write_text(text, encoding="utf-8")
    assert [found.read() for found in running()] == [{}]
    directory.remove()


def test_a_place_that_others_may_enter_is_passed_over(only: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ONLY)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(only))
    open_ = only / "embodied"
    open_.mkdir()
    open_.chmod(0o755)
    assert home() != open_
    assert closed_to_others(home())
    assert open_ not in places()
    assert str(open_) in looked_at()
    assert "/proc/net/unix" in looked_at()


def test_a_place_that_is_missing_too_long_or_no_folder_is_passed_over(
    only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(ONLY)
    file = only / "file"
    file.touch()
    for bad in (only / "missing", only / ("x" * 90), file):
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(bad))
        assert closed_to_others(home())
        directory = RunDirectory.create("cell")
        assert directory.path.parent == home()
        directory.remove()


def test_the_only_place_is_named_with_the_remedy_where_it_cannot_be_used(
    only: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(ONLY, str(only / "none" / "such"))
    with pytest.raises(LinkFailed, match=r"none/such cannot be made .*: set EMBODIED_RUNTIME_DIR to a folder of yours"):
        RunDirectory.create("cell")
    assert places() == []


def test_a_run_outlives_the_thread_that_started_it() -> None:
    found = Running(Graph(clock="steady").add("counter", Counter()))
    thread = threading.Thread(target=found.run.open)
    thread.start()
    thread.join()
    try:
        seen = found.look("counter.count")
        assert found.until(lambda: len(seen.seen) > 50, 10)
        assert not found.run.events
    finally:
        found.run.close()
