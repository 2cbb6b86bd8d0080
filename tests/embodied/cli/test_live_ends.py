"""The verbs for graphs that run, where a run ends or none is there."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.embodied.cli.live_rig import CODE, ROOT, Ask, ask, runtime, start, until
from tests.embodied.conftest import Command, Done
from tests.processes import Child

__all__ = ["ask", "runtime"]


def test_stop_returns_when_the_run_has_gone_and_its_logs_stay(
    tmp_path: Path, runtime: Path, ask: Ask, embodied: Command
) -> None:
    live = start(tmp_path, "short")
    follow = subprocess.Popen(
        [sys.executable, "-c", CODE, "logs", "-f", "-n", "1", "--run", "short"],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert follow.stdout is not None
    first = follow.stdout.readline()
    assert first.startswith("talk: line ")
    stopped = ask("stop", "short")["runs"]
    assert [how["gone"] for how in stopped.values()] == [True]
    assert not [folder for folder in runtime.iterdir() if folder.name.startswith("short")]
    followed = follow.communicate()[0].splitlines()
    assert followed[-1] == "talk: the last word"
    live.process.communicate()
    assert live.process.returncode == 0
    (kept,) = tmp_path.glob("runs/*/logs")
    done = embodied("logs", "--run", str(kept.parent), "-n", "2")
    assert done.stdout.splitlines() == [followed[-2], followed[-1]] if len(followed) > 1 else [first, followed[-1]]


def test_after_a_launcher_was_killed_nothing_is_listed_and_nothing_is_left(
    tmp_path: Path, runtime: Path, ask: Ask
) -> None:
    live = start(tmp_path, "doomed")
    try:
        (run,) = ask("ps", "--run", "doomed")["runs"]
        numbers = [process["pid"] for process in run["processes"]]
        live.process.kill()
        live.process.communicate()
        assert not [run for run in ask("ps")["runs"] if run["name"].startswith("doomed")]
        until(lambda: not any(Path(f"/proc/{number}").exists() for number in numbers))
        until(lambda: not [f for f in runtime.iterdir() if f.name.startswith("doomed")])
    finally:
        live.end()


def test_where_nothing_runs_an_emergency_stop_says_so_and_exits_with_3(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embodied: Command
) -> None:
    monkeypatch.setenv("EMBODIED_RUNTIME_DIR", str(tmp_path))
    done: Done = embodied("estop")
    looked = f"looked in {tmp_path}, and nowhere else since EMBODIED_RUNTIME_DIR is set"
    assert (done.code, done.stderr) == (3, f"nothing is running\n{looked}\n")
    assert embodied("ps").stdout == f"nothing is running\n{looked}\n"
    assert embodied("stop").code == 2


KEPT = """\
embodied: 1
clock: steady
world: {use: "tests.embodied.suite.waiting:Waiting", with: {fails: [0]}}
nodes: {inside: {use: "tests.embodied.live.test_pace:Inside"}}
"""


def test_a_run_that_is_kept_goes_on_after_its_verdict_which_is_its_exit_code(
    tmp_path: Path, runtime: Path, ask: Ask
) -> None:
    (tmp_path / "kept.yaml").write_text(KEPT, encoding="utf-8")
    words = [sys.executable, "-c", CODE, "run", "kept.yaml", "--keep", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with Child(words, cwd=tmp_path, env=environment, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stderr is not None
        verdict = next(line for line in process.stderr if "FAIL" in line)
        assert "it goes on until Ctrl-C or 'embodied stop kept-" in verdict
        (run,) = ask("ps", "--run", "kept")["runs"]
        assert run["state"] == "running"
        process.send_signal(signal.SIGINT)
        result = json.loads(process.communicate(timeout=20)[0])
    assert process.returncode == 1
    assert result["passed"] is False
    assert result["simulated_s"] > 1.0


def test_a_run_in_virtual_time_has_nothing_to_be_kept_for(embodied: Command) -> None:
    done = embodied("run", str(ROOT / "launch" / "pick_place.yaml"), "--sim", "--keep")
    assert done.code == 2
    assert "--keep is for a run on the steady clock" in done.stderr
    assert "add --live" in done.stderr
