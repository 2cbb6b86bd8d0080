"""A run is found and stopped whatever the environment of the command: directory, variables, name of the user, PID 1."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from embodied.live.run_places import ONLY
from tests.embodied.cli.live_rig import CODE, ROOT, SMALL, spawn, started, until
from tests.embodied.conftest import Command, Done


def allowed(before: Sequence[str]) -> bool:
    """Return whether this machine lets this user make a namespace."""
    return shutil.which(before[0]) is not None and not subprocess.run([*before, "true"], capture_output=True).returncode


def command(*words: str, environment: Mapping[str, str], before: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own, as a user or in a container that others are not."""
    environment = {**environment, "PYTHONPATH": str(ROOT)}
    line = [*before, sys.executable, "-c", CODE, *words]
    done = subprocess.run(line, env=environment, text=True, timeout=30, capture_output=True)
    assert "Traceback" not in f"{done.stdout}{done.stderr}"
    return done


def outside(**more: str) -> dict[str, str]:
    """The environment without what says where runs are."""
    return {name: value for name, value in os.environ.items() if name not in (ONLY, "XDG_RUNTIME_DIR")} | more


Shell = Callable[..., Done]


@pytest.fixture
def shell(embodied: Command) -> Shell:
    """Runs a command in the environment without what says where runs are, but with these variables."""

    def run(*words: str, **more: str) -> Done:
        with pytest.MonkeyPatch.context() as patch:
            for name in (ONLY, "XDG_RUNTIME_DIR"):
                patch.delenv(name, raising=False)
            for name, value in more.items():
                patch.setenv(name, value)
            return embodied(*words)

    return run


@pytest.fixture
def place() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="x", dir="/tmp"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def test_a_run_is_found_and_stopped_from_a_shell_with_another_environment_and_when_its_directory_has_gone(
    tmp_path: Path, place: Path, shell: Shell
) -> None:
    name, runtime = place.name, {"XDG_RUNTIME_DIR": str(place)}
    live = started(spawn(tmp_path, name, SMALL, outside(**runtime)))
    try:
        for about in ({}, {"XDG_RUNTIME_DIR": "/nowhere"}, {"TMPDIR": str(tmp_path)}):
            listed = shell("ps", "--run", name, "--json", **about)
            assert json.loads(listed.stdout)["runs"][0]["state"] == "running"
        assert shell("estop", "--run", name).stdout.startswith("stopped  guard of")
        assert shell("estop", "--reset", "--run", name).code == 0
        shutil.rmtree(place)
        stopped = shell("estop", "--run", name, **runtime)
        assert (stopped.code, stopped.stdout[:8]) == (0, "stopped ")
        # It makes its directory again.
        until(lambda: shell("ps", "--run", name, **runtime).code == 0)
        assert shell("estop", "--reset", "--run", name).code == 0
        assert shell("stop", name).code == 0
        live.process.wait(10)
    finally:
        live.end()


def test_a_run_without_a_runtime_folder_is_found_from_a_shell_that_has_one(
    tmp_path: Path, place: Path, shell: Shell
) -> None:
    name = place.name
    live = started(spawn(tmp_path, name, SMALL, outside()))
    try:
        stopped = shell("estop", "--run", name, XDG_RUNTIME_DIR=str(place))
        assert (stopped.code, stopped.stdout[:8]) == (0, "stopped ")
    finally:
        live.end()


NAMELESS = ["unshare", "--user", "--map-user=54321"]
"""Words before a command that run it as a user id without a name, as in a container."""


@pytest.mark.skipif(not allowed(NAMELESS), reason="user namespaces are not allowed here")
def test_a_user_without_a_name_stops_and_releases_its_run(tmp_path: Path, place: Path) -> None:
    names = ("USER", "LOGNAME", "LNAME", "USERNAME", "HOME")
    environment = {name: value for name, value in outside().items() if name not in names} | {ONLY: str(place)}
    live = started(spawn(tmp_path, "cell", SMALL, environment, before=NAMELESS))
    try:
        stopped = command("estop", environment=environment, before=NAMELESS)
        assert stopped.returncode == 0, stopped.stderr
        assert stopped.stdout.endswith(": stopped: embodied estop by uid 54321\n")
        assert command("estop", "--reset", environment=environment, before=NAMELESS).returncode == 0
    finally:
        live.end()


CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
"""Words before a command that run it as the first process of a container."""


@pytest.mark.skipif(not allowed(CONTAINER), reason="process namespaces are not allowed here")
def test_the_first_process_of_a_container_ends_at_once_on_sigterm(tmp_path: Path) -> None:
    file = tmp_path / "first.yaml"
    file.write_text(SMALL + "clock: lockstep\n", encoding="utf-8")
    words = [*CONTAINER, sys.executable, "-c", CODE, "run", file.name, "--for", "10min"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    assert "simulated" in process.stderr.readline()
    (first,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    os.kill(int(first), signal.SIGTERM)
    assert process.wait(5) == 128 + signal.SIGTERM
    process.stderr.close()
