"""`embodied test` as CI uses it: real processes, real kills, files that are read again."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.embodied.cli.test_cli import PICK, ROOT, simulated
from tests.embodied.conftest import Command
from tests.embodied.suite.waiting import launch_file
from tests.processes import Child


def summary(folder: Path) -> dict[str, Any]:
    (file,) = folder.glob("runs/*/summary.json")
    made: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return made


@simulated
def test_a_seed_has_the_same_digest_in_a_suite_whatever_its_process_ran_before_as_in_a_run_of_its_own(
    tmp_path: Path, embodied: Command
) -> None:
    about = (str(PICK), "--profile", "truth", "--set", "world.time_limit=1", "--json")
    suite = json.loads(embodied("test", *about, "--seeds", "5:7", "--video", "none").stdout)
    (scenario,) = suite["scenarios"]
    for entry in scenario["seeds"]:
        assert json.loads(embodied("run", *about, "--seed", str(entry["seed"])).stdout)["digest"] == entry["digest"]


def test_repeats_and_any_number_of_jobs_give_the_same_digests(embodied: Command, cell: Callable[..., Path]) -> None:
    words = ("test", str(cell()), "--seeds", "5:7", "--json")
    first, second = (
        json.loads(embodied(*words, *more).stdout) for more in (("--jobs", "1", "--repeat", "2"), ("--jobs", "2"))
    )
    assert first["digest"] == second["digest"]
    (mine,), (theirs,) = first["scenarios"], second["scenarios"]
    assert [seed["digest"] for seed in mine["seeds"]] == [seed["digest"] for seed in theirs["seeds"]]
    assert (first["passed"], first["total"], first["rate"]) == (2, 2, 1.0)
    assert first["wilson_95"][0] < 1.0


@simulated
def test_a_failing_seed_fails_the_test_and_leaves_a_video_a_filmstrip_and_a_command(
    tmp_path: Path, embodied: Command
) -> None:
    words = ("test", str(PICK), "--profile", "truth", "--seeds", "1", "--set", "world.time_limit=1")
    done = embodied(*words)
    assert done.code == 1
    (scenario,) = summary(tmp_path)["scenarios"]
    (seed,) = scenario["seeds"]
    assert seed["status"] == "failed"
    (folder,) = tmp_path.glob("runs/*")
    assert (folder / seed["filmstrip"]).read_bytes()[:4] == b"\x89PNG"
    assert (folder / seed["video"]).read_bytes()[4:8] == b"ftyp"
    assert "data:video/mp4;base64," in (folder / "report.html").read_text(encoding="utf-8")
    again = f"embodied run {PICK} --profile truth --set world.time_limit=1 --seed 1"
    assert again in done.stdout
    repeated = embodied(*again.split()[1:], "--json")
    assert repeated.code == 1
    assert json.loads(repeated.stdout)["digest"] == seed["digest"]


@pytest.fixture
def cell(tmp_path: Path) -> Callable[..., Path]:
    """A scenario with a profile, as the command line takes it."""

    def make(name: str = "cell", **settings: Any) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        file = launch_file(folder, **settings)
        text = file.read_text(encoding="utf-8").replace("embodied: 1", "embodied: 1\nprofiles: {sim: {}}")
        named = folder / f"{name}.yaml"
        named.write_text(text, encoding="utf-8")
        return named

    return make


def test_scenarios_are_counted_apart_and_together(tmp_path: Path, embodied: Command, cell: Callable[..., Path]) -> None:
    files = [str(cell("one")), str(cell("two", fails=[1]))]
    done = embodied("test", *files, "--seeds", "0:3", "--jobs", "2")
    assert done.code == 1
    made = summary(tmp_path)
    assert [(s["name"], s["passed"], s["total"]) for s in made["scenarios"]] == [("one", 3, 3), ("two", 2, 3)]
    assert (made["passed"], made["total"], made["complete"]) == (5, 6, True)
    (report,) = tmp_path.glob("runs/*/junit.xml")
    assert [suite.get("failures") for suite in ET.parse(report).getroot()] == ["0", "1"]


def test_a_suite_says_which_faults_struck(tmp_path: Path, embodied: Command, cell: Callable[..., Path]) -> None:
    file = cell(fails=[1])
    late = "faults:\n  - {kill: clock, at: 30s}"
    file.write_text(file.read_text(encoding="utf-8").replace("faults:", late), encoding="utf-8")
    done = embodied("test", str(file), "--seeds", "0:3", "--jobs", "2")
    assert "fault kill clock: struck in 0 of 3 seeds" in done.stdout
    assert "fault silence clock: struck in 3 of 3 seeds" in done.stdout
    (scenario,) = summary(tmp_path)["scenarios"]
    (fault,) = [f["fault"] for f in scenario["seeds"][1]["faults"] if f["kind"] == "silence"]
    assert f"    fault: {fault}\n" in done.stdout
    (report,) = tmp_path.glob("runs/*/junit.xml")
    assert f"fault: {fault}" in report.read_text(encoding="utf-8")


def test_another_world_of_the_file_is_chosen_by_its_name(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = str(cell())
    done = embodied("test", file, "--seeds", "0:6", "--world", "harder")
    assert done.code == 1
    (scenario,) = summary(tmp_path)["scenarios"]
    assert (scenario["name"], scenario["world"], scenario["passed"]) == ("cell-harder", "harder", 2)
    assert f"embodied run {file} --profile sim --world harder --seed 0" in done.stdout
    wrong = embodied("test", file, "--world", "hard")
    assert wrong.code == 2
    assert "did you mean 'harder'?" in wrong.stderr


def test_a_baseline_fails_what_got_worse_and_names_the_seeds(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = cell()
    assert embodied("test", str(file), "--seeds", "0:4").code == 0
    (old,) = tmp_path.glob("runs/*/summary.json")
    words = ("test", str(file), "--seeds", "0:4", "--baseline", str(old), "--json")
    same = json.loads(embodied(*words).stdout)
    assert same["baseline"]["cell"]["same_digests"]
    file.write_text(file.read_text(encoding="utf-8").replace("with: {}", "with: {fails: [0, 2]}"))
    worse = embodied(*words, "--allow-new-failures", "1")
    assert worse.code == 1
    found = json.loads(worse.stdout)["baseline"]["cell"]
    assert (found["newly_failing"], found["regressed"]) == ([0, 2], True)
    assert embodied(*words, "--allow-new-failures", "2").code == 0
    assert embodied(*words, "--allow-new-failures", "2", "--at-least", "1").code == 1
    lonely = embodied("test", str(file), "--allow-new-failures", "1")
    assert (lonely.code, "add --baseline FILE" in lonely.stderr) == (2, True)


def test_another_renderer_than_the_baselines_is_refused(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = str(cell())
    assert embodied("test", file, "--seeds", "0").code == 0
    (old,) = tmp_path.glob("runs/*/summary.json")
    words = ("test", file, "--seeds", "0", "--baseline", str(old), "--set", "world.pencil=2")
    done = embodied(*words)
    assert done.code == 2
    assert "was drawn with renderer pencil 1, and this suite with renderer pencil 2" in done.stderr


def test_github_is_told_on_standard_output_and_in_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = str(cell(fails=[1]))
    page = tmp_path / "page.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    done = embodied("test", file, "--seeds", "0:3", "--format", "github")
    assert done.code == 1
    assert done.stdout.count("::error file=") == 1
    assert "2 of 3" in page.read_text(encoding="utf-8")


def started(folder: Path, *words: str) -> Child:
    # Whoever runs the tests in the background of a shell has them ignore Ctrl-C, and hands that on.
    code = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    return Child(
        [sys.executable, "-c", f"{code}; from embodied.cli.main import main; main()", *words],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_until(true: Callable[[], object]) -> bool:
    deadline = time.monotonic() + 60
    while not (found := true()) and time.monotonic() < deadline:
        select.select([], [], [], 0.02)
    return bool(found)


def lines(folder: Path) -> int:
    return sum(file.read_text(encoding="utf-8").count("\n") for file in folder.glob("runs/*/results.jsonl"))


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_whatever_ends_a_suite_no_finished_seed_is_lost_and_the_rest_goes_on(
    tmp_path: Path, cell: Callable[..., Path], embodied: Command, how: signal.Signals
) -> None:
    file = str(cell(never=[3], marks=str(tmp_path)))
    with started(tmp_path, "test", file, "--seeds", "0:5", "--jobs", "2") as process:
        assert wait_until(lambda: lines(tmp_path) == 4)
        # Ctrl-C reaches the whole group, a kill only the runner.
        os.killpg(process.pid, how) if how is signal.SIGINT else os.kill(process.pid, how)
        assert process.stderr is not None
        said = process.stderr.read()
        code = process.wait(timeout=30)
    assert "Traceback" not in said
    assert code == (-how if how is signal.SIGKILL else 130)
    assert wait_until(lambda: not running(process.pid)), "workers are left behind"
    assert lines(tmp_path) == 4
    (folder,) = tmp_path.glob("runs/*")
    if how is signal.SIGKILL:
        # It may strike while a line is written.
        with (folder / "results.jsonl").open("a", encoding="utf-8") as results:
            results.write('{"scenario": "cell", "seed": 3, "sta')
    else:
        assert f"go on with: embodied test --resume {folder.relative_to(tmp_path)}" in said
        assert not summary(tmp_path)["complete"]
    (tmp_path / "opened").touch()
    done = embodied("test", "--resume", str(folder.relative_to(tmp_path)))
    assert done.code == 0, done.stderr
    made = summary(tmp_path)
    assert (made["passed"], made["total"], made["complete"], made["resumed"]) == (5, 5, True, 4)
    assert [seed["seed"] for seed in made["scenarios"][0]["seeds"]] == [*range(5)]


def test_what_broke_down_is_run_again_when_a_suite_goes_on(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = str(cell(kills=[1], marks=str(tmp_path)))
    done = embodied("test", file, "--seeds", "0:3")
    assert done.code == 3
    assert "seed 1 infrastructure: its process was killed by SIGKILL" in done.stdout
    (folder,) = tmp_path.glob("runs/*")
    again = embodied("test", "--resume", folder.name)
    assert again.code == 0, again.stderr
    assert summary(tmp_path)["resumed"] == 2


def test_a_suite_whose_file_has_changed_does_not_go_on(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    file = cell()
    assert embodied("test", str(file), "--seeds", "0:2").code == 0
    (folder,) = tmp_path.glob("runs/*")
    file.write_text(file.read_text(encoding="utf-8").replace("with: {}", "with: {fails: [1]}"))
    done = embodied("test", "--resume", str(folder))
    assert done.code == 2
    assert "changed since the suite began" in done.stderr


def test_a_suite_whose_code_has_changed_does_not_go_on(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "policies").mkdir()
    code = tmp_path / "policies" / "counting_for_a_suite.py"
    node = "from dataclasses import dataclass\nfrom embodied import Node\nfrom embodied.messages import Target\n"
    node += "@dataclass\nclass Counting(Node):\n    rate = 10.0\n    def step(self) -> Target:\n"
    code.write_text(node + "        return Target(label='one')\n", encoding="utf-8")
    file = tmp_path / "cell.yaml"
    nodes = 'nodes: {one: {use: "policies.counting_for_a_suite:Counting"}}\n'
    file.write_text(f"embodied: 1\nprofiles: {{sim: {{}}}}\nclock: lockstep\n{nodes}", encoding="utf-8")
    assert embodied("test", "cell.yaml", "--for", "1s", "--seeds", "0:2", "--at-least", "0").code == 0
    (folder,) = tmp_path.glob("runs/*")
    assert embodied("test", "--resume", str(folder), "--at-least", "0").code == 0
    code.write_text(node + "        return Target(label='two')\n", encoding="utf-8")
    done = embodied("test", "--resume", str(folder), "--at-least", "0")
    assert done.code == 2
    assert "its code or a file it names changed since the suite began" in done.stderr


def test_a_seed_that_never_ends_is_ended_and_costs_no_other(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path]
) -> None:
    done = embodied("test", str(cell(never=[0])), "--seeds", "0:3", "--timeout", "500ms")
    assert done.code == 3
    assert "seed 0 infrastructure: not over within 0.5 s of wall time" in done.stdout
    assert summary(tmp_path)["passed"] == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--seeds", "9:3"), "reversed"),
        (("--seeds", "3:3"), "empty"),
        (("--seeds", "a:b"), "cannot read the seeds"),
        (("--timeout", "5"), "--timeout: expected a duration"),
        (("--video", "some"), "'some' is not one of"),
        (("--format", "xml"), "'xml' is not one of"),
        (("--baseline", "none.json"), "cannot be read: No such file"),
        (("--resume", "runs/none"), "--resume goes on with the files, seeds and overrides of before"),
    ],
)
def test_a_wrong_option_is_one_error_and_exit_code_2(
    tmp_path: Path, embodied: Command, cell: Callable[..., Path], words: tuple[str, ...], told: str
) -> None:
    done = embodied("test", str(cell()), *words)
    assert done.code == 2
    assert told in done.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_going_on_with_what_is_no_suite_is_one_error(tmp_path: Path, embodied: Command) -> None:
    done = embodied("test", "--resume", "runs/none")
    assert done.code == 2
    assert "is no suite to resume" in done.stderr
    assert embodied("test").code == 2


def running(group: int) -> list[int]:
    """Processes of a group that have not ended."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, pgrp = entry.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(pgrp) == group and state != "Z":
            found.append(int(entry.parent.name))
    return found
