"""The command line as people and CI use it: real processes, exit codes, JSON."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import typer

from embodied.cli.app import application
from tests.embodied.conftest import Command, Done

ROOT = Path(__file__).parents[3]
PICK = ROOT / "launch" / "pick_place.yaml"
simulated = pytest.mark.skipif(
    importlib.util.find_spec("pybullet") is None, reason="pybullet has no wheels for this Python"
)


SEVERAL = """\
import json, sys
from embodied.cli.main import main
for words in json.loads(sys.argv[1]):
    sys.argv = ["embodied", *words]
    try:
        main()
    except SystemExit as ended:
        for stream in (sys.stdout, sys.stderr):
            print(f"\\x1e{ended.code or 0}\\x1e", end="", file=stream, flush=True)
"""


def commands(*lines: Sequence[object], at: Path, path: str = str(ROOT)) -> list[Done]:
    """Give commands one after another in one process that has imported nothing before."""
    words = json.dumps([[str(word) for word in line] for line in lines])
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    # Without the current folder in the path, as an installed command is.
    start = [sys.executable, "-P", "-c", SEVERAL, words]
    done = subprocess.run(start, cwd=at, env=environment, capture_output=True, text=True, timeout=300)
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    said, told = (text.split("\x1e") for text in (done.stdout, done.stderr))
    assert len(said) == 2 * len(lines) + 1, done.stderr
    return [Done(int(said[n + 1]), said[n], told[n]) for n in range(0, 2 * len(lines), 2)]


def command(*words: str, at: Path, path: str = str(ROOT)) -> subprocess.CompletedProcess[str]:
    code = "from embodied.cli.main import main; main()"
    environment = {**os.environ, "PYTHONPATH": path, "COLUMNS": "200"}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=at, env=environment, capture_output=True, text=True, timeout=300
    )
    assert "Traceback" not in done.stderr + done.stdout, done.stderr
    return done


@simulated
def test_a_run_ends_with_verdict_digest_factor_and_picture(tmp_path: Path, embodied: Command) -> None:
    done = embodied("run", str(PICK), "--profile", "truth", "--seed", "3")
    assert done.code == 0, done.stderr
    assert done.stdout.startswith("PASS")
    for word in ("digest", "x real time", "picture"):
        assert word in done.stdout
    (picture,) = tmp_path.glob("runs/*/final.png")
    assert picture.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"


@simulated
def test_check_proves_every_profile_of_the_launch_file_that_ships(tmp_path: Path, embodied: Command) -> None:
    done = embodied("check", str(PICK), "--json")
    assert done.code == 0, done.stderr
    report = json.loads(done.stdout)
    assert [(p["profile"], p["status"]) for p in report["profiles"]] == [
        ("(hardware)", "no driver"),
        ("sim", "ok"),
        ("virtual", "ok"),
        ("truth", "ok"),
    ]
    holds = {r["node"]: r["within_ns"] for r in report["profiles"][1]["reactions"]}
    assert holds["policy"] <= 400_000_000
    assert holds["ik"] <= 50_000_000


@simulated
def test_without_lockstep_there_is_no_runner_yet_and_the_exit_code_is_2(tmp_path: Path, embodied: Command) -> None:
    done = embodied("run", str(PICK))
    assert done.code == 2
    assert "has no driver" in done.stderr
    done = embodied("run", str(PICK), "--sim", "--set", "world=1")
    assert done.code == 2


def test_a_wrong_file_is_one_clear_error_on_stderr_and_exit_code_2(tmp_path: Path, embodied: Command) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text("embodied: 1\nnodes:\n  arm: {use: 'os:system'}\n", encoding="utf-8")
    for verb in ("run", "check", "graph", "test"):
        done = embodied(verb, str(file), *(["--profile", "x"] if verb == "test" else []))
        assert done.code == 2, verb
    done = embodied("check", str(file))
    assert "error[E203]: 'os:system' is not a node" in done.stderr
    assert "bad.yaml:3:14" in done.stderr
    as_json = json.loads(embodied("check", str(file), "--json").stdout)
    assert as_json["profiles"][0]["problems"][0]["code"] == "E203"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("run", "nowhere.yaml"), "cannot read nowhere.yaml"),
        (("run",), "Missing argument"),
        (("fly",), "No such command"),
        (("run", "x.yaml", "--sim", "--profile", "truth"), "exclude each other"),
        (("run", "x.yaml", "--for", "never"), "such as 15ms"),
        (("test", "x.yaml", "--seeds", "9:3"), "reversed"),
        (("test", "x.yaml", "--seeds", "a:b"), "cannot read the seeds"),
        (("nodes", "NoSuchNode"), "there is no node class"),
    ],
)
def test_bad_usage_is_one_clear_error_and_exit_code_2(
    words: tuple[str, ...], says: str, tmp_path: Path, embodied: Command
) -> None:
    done = embodied(*words)
    assert done.code == 2
    assert says in done.stderr + done.stdout


def test_a_run_on_the_steady_clock_is_live_and_so_is_its_test(tmp_path: Path, embodied: Command) -> None:
    file = tmp_path / "cell.yaml"
    file.write_text('embodied: 1\nnodes: {clock: {use: "tests.embodied.nodes:Clock"}}\n', encoding="utf-8")
    done = embodied("run", str(file), "--for", "200ms")
    assert done.code == 0
    assert re.search(r"live       0\.\d\d s in 1 processes", done.stdout)
    file.write_text(file.read_text() + "profiles: {bench: {clock: steady}}\n", encoding="utf-8")
    done = embodied("test", str(file), "--profile", "bench", "--for", "200ms", "--seeds", "0:1")
    assert done.code == 1
    assert "not decided within 0.2 s" in done.stdout
    assert "--profile bench --live --seed 0" in done.stdout
    file.write_text(
        'embodied: 1\nclock: lockstep\nnodes: {clock: {use: "tests.embodied.nodes:Clock"}}\n', encoding="utf-8"
    )
    assert embodied("run", str(file), "--for", "1s").code == 0
    assert "--for 10s" in embodied("run", str(file)).stderr


def test_a_node_that_breaks_is_infrastructure_exit_code_3(tmp_path: Path, embodied: Command) -> None:
    file = tmp_path / "cell.yaml"
    nodes = (
        'clock: {use: "tests.embodied.nodes:Clock"}, press: {use: "tests.embodied.nodes:Breaks", in: {joints: clock}}'
    )
    file.write_text(f"embodied: 1\nclock: lockstep\nnodes: {{{nodes}}}\n", encoding="utf-8")
    done = embodied("run", str(file), "--for", "1s")
    assert done.code == 3
    assert "node 'press' failed in step() at 0.500000 s" in done.stderr


def test_a_folder_that_cannot_be_written_is_one_line_and_exit_code_3(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "runs").write_text("not a folder", encoding="utf-8")
    file = tmp_path / "cell.yaml"
    file.write_text(
        'embodied: 1\nclock: lockstep\nnodes: {clock: {use: "tests.embodied.nodes:Clock"}}\n', encoding="utf-8"
    )
    done = embodied("run", str(file), "--for", "1s")
    assert done.code == 3
    assert "runs" in done.stderr


@simulated
def test_nodes_lists_what_each_class_needs_and_gives(embodied: Command) -> None:
    report = json.loads(embodied("nodes", "--json").stdout)
    assert report["not_importable"] == {}
    found = {entry["use"]: entry for entry in report["nodes"]}
    guard = found["embodied.guards.arm:ArmGuard"]
    assert guard["in"]["stop"] == "list[Stop]"
    assert guard["settings"]["robot"] == {"type": "a robot's name", "required": True, "default": None}
    assert {"sims.arm:SimArm", "policies.perception.detector:Detector", "policies.tasks.pick_place:PickPlace"} <= set(
        found
    )


def test_messages_lists_every_field_with_its_shape_and_unit(tmp_path: Path, embodied: Command) -> None:
    report = json.loads(embodied("messages", "JointState", "--json").stdout)
    (entry,) = report["messages"]
    assert entry["fields"][0] == {"name": "position", "type": "float64 (n)", "unit": "rad", "optional": False}
    shown = embodied("messages").stdout
    assert "linear_acceleration: float64 (3) [m/s²]" in shown
    assert "did you mean 'JointState'?" in embodied("messages", "JointStat").stderr


@simulated
def test_the_graph_is_drawn_as_mermaid(tmp_path: Path, embodied: Command) -> None:
    done = embodied("graph", str(PICK), "--profile", "truth")
    assert done.stdout.startswith("flowchart LR\n")
    assert 'n_guard -->|"command: JointCommand"| n_arm' in done.stdout
    described = json.loads(embodied("graph", str(PICK), "--profile", "truth", "--json").stdout)
    assert described["nodes"]["guard"]["in"]["command"]["from"] == "ik"


@simulated
def test_the_doctor_finds_this_machine_fit(embodied: Command) -> None:
    report = json.loads(embodied("doctor", "--json").stdout)
    assert report["ok"]
    checked = {check["what"] for check in report["checks"]}
    assert {"renderer", "videos", "ONNX providers", "pybullet", "running graphs", "memory for rings"} <= checked


def test_the_doctor_asks_the_packages_of_the_project_too(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "pyproject.toml").write_text("", encoding="utf-8")
    for package, text in (
        ("policies", "def diagnose():\n    return [('GPU', False, 'none', 'plug one in')]\n"),
        ("drivers", "def diagnose():\n    raise OSError('no such bus')\n"),
    ):
        (tmp_path / package).mkdir()
        (tmp_path / package / "diagnose.py").write_text(text, encoding="utf-8")
    done = embodied("doctor", "--json")
    assert done.code == 3
    checks = {check["what"]: check for check in json.loads(done.stdout)["checks"]}
    assert {"ONNX providers", "devices"} <= set(checks)
    assert checks["GPU"] == {"what": "GPU", "ok": False, "found": "none", "fix": "plug one in"}
    assert checks["drivers.diagnose"]["found"] == "OSError: no such bus"
    assert "drivers/diagnose.py:2" in checks["drivers.diagnose"]["fix"]


def test_on_a_python_without_a_simulator_one_line_says_so_and_everything_but_worlds_works(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys\nsys.modules['pybullet'] = None\n", encoding="utf-8")
    (tmp_path / "cell.yaml").write_text(
        "embodied: 1\nclock: lockstep\nnodes: {task: {use: 'policies.tasks.target:NamedTarget', with: {label: red}}}\n",
        encoding="utf-8",
    )
    doctor, check, run, refused = commands(
        ["doctor"],
        ["check", "cell.yaml"],
        ["run", "cell.yaml", "--for", "1s"],
        ["run", PICK, "--sim"],
        at=tmp_path,
        path=f"{tmp_path}{os.pathsep}{ROOT}",
    )
    bad = [line for line in doctor.stdout.splitlines() if line.startswith("bad")]
    assert [line.split()[1] for line in bad] == ["pybullet"]
    assert (check.code, run.code, refused.code) == (0, 0, 2)
    assert refused.stderr.count("3.11 to 3.13") == 1


def test_the_doctor_says_where_no_graph_can_run_live_and_how_that_is_put_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embodied: Command
) -> None:
    runtime = tmp_path / ("x" * 100)
    runtime.mkdir()
    monkeypatch.setenv("EMBODIED_RUNTIME_DIR", str(runtime))
    done = embodied("doctor")
    assert done.code == 3
    assert "is too long for the path of a socket: set EMBODIED_RUNTIME_DIR" in done.stdout


def test_every_verb_answers_in_json_even_to_wrong_usage(embodied: Command) -> None:
    def leaves(group: Any, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        for name, verb in group.commands.items():
            yield from leaves(verb, (*path, name)) if hasattr(verb, "commands") else [(*path, name)]

    verbs = list(leaves(typer.main.get_command(application()), ()))
    assert len(verbs) > 35
    for words in verbs:
        done = embodied(*words, "--json", "--nonsense")
        assert (done.code, json.loads(done.stdout)["exit_code"]) == (2, 2), words


@pytest.mark.parametrize(
    ("words", "absent"),
    [
        (["--version"], ["embodied.launch", "embodied.live", "numpy"]),
        (["ps"], ["embodied.launch", "embodied.suite", "sims"]),
        (["estop", "x"], ["embodied.launch", "embodied.graph", "numpy"]),
        (["check", str(PICK)], ["embodied.cli.verbs.test", "embodied.calibration.solve", "embodied.diagram"]),
    ],
)
def test_a_verb_starts_without_what_only_others_need(words: list[str], absent: list[str], tmp_path: Path) -> None:
    code = (
        "import sys\nfrom embodied.cli.main import main\ntry:\n main()\nexcept SystemExit as ended:\n"
        f" assert ended.code in (None, 0, 3), ended.code\nprint([name for name in {absent!r} if name in sys.modules])"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "EMBODIED_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
