"""The verbs for graphs that run, against graphs that run: in processes of their own, some of which are killed."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest

from embodied.live.run_directory import running
from tests.embodied.cli.live_rig import CODE, ROOT, SEVERAL, Ask, Live, ask, runtime, start, until
from tests.embodied.conftest import Command

__all__ = ["ask", "runtime"]


@pytest.fixture(scope="module")
def cell(runtime: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """The graph that most tests look at."""
    live = start(tmp_path_factory.mktemp("cell"), processes=SEVERAL)
    yield live
    live.end()


def test_ps_lists_the_run_with_its_processes(cell: Live, ask: Ask, embodied: Command) -> None:
    (run,) = ask("ps")["runs"]
    assert (run["answers"], run["state"], run["file"], run["pid"]) == (True, "running", "cell.yaml", cell.process.pid)
    states = {process["name"]: process["state"] for process in run["processes"]}
    assert states == dict.fromkeys(["arm+guard", "camera", "clock", "hold+ramp+talk+task+twice"], "running")
    shown = embodied("ps").stdout
    assert shown.startswith(f"{run['name']}  cell.yaml  running")
    assert all(name in shown for name in states)


def test_logs_have_the_node_before_each_line_and_the_last_lines_last(cell: Live, embodied: Command) -> None:
    lines = until(
        lambda: [*embodied("logs", "talk", "-n", "3").stdout.splitlines()][2:] and embodied("logs", "-n", "3")
    )
    numbers = [int(line.removeprefix("talk: line ")) for line in lines.stdout.splitlines()]
    assert numbers == list(range(numbers[0], numbers[0] + 3))


def test_an_emergency_stop_is_read_back_and_a_reset_releases_it(ask: Ask, cell: Live) -> None:
    stopped = ask("estop", "a hand in the cell")
    (guards,) = [answer["guards"] for answer in stopped["runs"].values()]
    assert stopped["done"]
    assert guards == {"guard": {"state": "stopped", "why": ["stopped: a hand in the cell"], "done": True}}
    assert ask("estop", "--reset")["done"]


def test_topics_are_listed_with_type_rate_and_takers(cell: Live, ask: Ask, embodied: Command) -> None:
    topics = ask("topic", "list")["topics"]
    state = topics["arm.state"]
    assert state["message"] == "embodied.messages.motion:JointState"
    assert (state["period_ns"], state["takers"]) == (10_000_000, ["hold.joints", "ramp.joints"])
    assert state["published"] > 0
    shown = embodied("topic", "info", "arm").stdout
    assert "arm.state  JointState  100 Hz" in shown
    assert "position: float64 (n) [rad]" in shown


def test_echo_prints_names_units_and_single_fields_and_json_has_an_object_a_line(cell: Live, embodied: Command) -> None:
    shown = embodied("topic", "echo", "camera.depth", "--once").stdout
    assert "data      [m]   [[0.1, 0.2," in shown
    assert embodied("topic", "echo", "camera.depth", "--once", "--field", "data.1.2").stdout == "0.9 m\n"
    lines = embodied("topic", "echo", "clock", "-n", "3", "--json").stdout.splitlines()
    sequences = [json.loads(line)["sequence"] for line in lines]
    assert sequences == sorted(set(sequences))
    assert len(sequences) == 3
    # It was published once, before anyone looked.
    assert "label      'red'" in embodied("topic", "echo", "task", "--once").stdout


@pytest.mark.parametrize(
    ("port", "about"), [("rgb", "as they are"), ("depth", "red is 0.1 m"), ("bodies", "23 bodies")]
)
def test_pictures_are_saved_and_their_colours_told(
    port: str, about: str, cell: Live, tmp_path: Path, embodied: Command
) -> None:
    assert about in embodied("topic", "echo", f"camera.{port}", "--save", "here.png").stdout
    read = cv2.imread(str(tmp_path / "here.png"))
    assert read is not None
    blue, _, red = read[3, 5].tolist()
    assert {"rgb": (0, 200), "depth": (blue, red)}.get(port, (blue, red)) == (blue, red)
    # What is far is blue, and what is near is red.
    assert port != "depth" or (blue > red and read[0, 0, 2] > read[0, 0, 0])


def test_rate_size_and_age_of_a_topic_are_measured(cell: Live, ask: Ask) -> None:
    rate = ask("topic", "hz", "clock", "--for", "300ms")
    assert rate["min_s"] <= 1 / rate["rate_hz"] <= rate["max_s"]
    carried = ask("topic", "bw", "camera", "--for", "300ms")
    assert carried["mean_B"] == 4 * 6 * 3 + 8
    ages = ask("topic", "delay", "clock", "--for", "300ms")["since"]
    assert 0 < ages["published"]["mean_s"] < ages["acquired"]["mean_s"]


def test_a_message_is_put_in_by_hand(cell: Live, ask: Ask, embodied: Command) -> None:
    assert ask("topic", "pub", "task", "{label: blue}") == {"topic": "task.target", "published": 1}
    assert "label      'blue'" in embodied("topic", "echo", "task", "--once").stdout
    assert ask("topic", "pub", "task", "{label: red}", "--rate", "100", "--for", "30ms")["published"] in (3, 4)
    begin = time.monotonic()
    assert 1 <= ask("topic", "pub", "task", "{label: red}", "--rate", "1000", "--for", "50ms")["published"] <= 51
    assert time.monotonic() - begin < 5


def test_settings_are_listed_with_their_bounds_and_changed_while_it_runs(
    cell: Live, ask: Ask, embodied: Command
) -> None:
    assert ask("param", "list")["settings"] == {"hold.kp": {"value": 40.0, "low": 0, "high": 200, "unit": ""}}
    assert embodied("param", "set", "hold.kp", "50").stdout == "50, was 40\n"
    assert embodied("param", "get", "hold.kp").stdout == "50\n"


def test_top_says_once_how_everything_fares(cell: Live, ask: Ask, embodied: Command) -> None:
    found = ask("top")
    assert found["guards"]["guard"]["state"] in ("following", "holding")
    assert found["nodes"]["clock"]["hz"] > 0
    assert found["topics"]["camera.rgb"]["published"] > 0
    (link,) = [link for link in found["links"] if link["from"] == "clock"]
    assert link["to"] == "hold+ramp+talk+task+twice"
    assert 0 < link["p50_s"] <= link["p99_s"]
    lines = embodied("top", "--once").stdout.splitlines()
    assert lines[0].startswith("cell-")
    assert lines[1].startswith("guard guard  ")
    assert any(line.split()[:2] == ["arm+guard", "running"] for line in lines)
    assert any(line.startswith("arm.state ") and line.rstrip().endswith("hold.joints, ramp.joints") for line in lines)


def test_top_scrolls_through_what_a_small_terminal_cannot_show_at_once_and_ends_on_q(cell: Live) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 60, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    environment |= {"PYTHONPATH": str(ROOT), "TERM": "xterm"}
    words = [sys.executable, "-c", CODE, "top", "--run", "cell"]
    process = subprocess.Popen(words, cwd=cell.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    seen = bytearray()

    def shows(pattern: str) -> bool:
        while select.select([ours], [], [], 0.05)[0]:
            seen.extend(os.read(ours, 65536))
        return re.search(pattern, seen.decode(errors="replace")) is not None

    try:
        until(lambda: shows(r"lines 1 to 9 of \d\d, \+[1-9]\d more: ↑ ↓ PgUp PgDn Home End"))
        assert shows("arm.guard")
        assert not shows("task.target")
        os.write(ours, b"G")
        until(lambda: shows(r"\+0 more: ↑ ↓"))
        assert shows("task.target")
        os.write(ours, b"q")
        # The screen is put back, and the terminal echoes again.
        until(lambda: shows(r"\x1b\[\?1049l"))
        assert process.wait(10) == 0
        assert termios.tcgetattr(theirs)[3] & termios.ECHO
    finally:
        process.kill()
        process.wait()
        os.close(ours)
        os.close(theirs)


def test_the_graph_is_drawn_as_it_runs(cell: Live, tmp_path: Path, ask: Ask, embodied: Command) -> None:
    drawn = ask("graph", "--live", "--output", "here.svg")
    flow = next(wire for wire in drawn["wires"] if wire["node"] == "twice")
    assert flow["hertz"] > 0
    assert flow["middle"] <= flow["late"]
    (within,) = [wire for wire in drawn["wires"] if (wire["node"], wire["input"]) == ("arm", "command")]
    assert within["middle"] is None
    picture = ET.fromstring((tmp_path / "here.svg").read_text("utf-8"))
    texts = [element.text or "" for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert any(re.fullmatch(r"JointState [\d.]+ Hz [\d.]+/[\d.]+ ms.*", text) for text in texts)
    assert "one process: arm, guard" in texts
    assert " Hz · " in embodied("graph", "--live").stdout


@pytest.mark.parametrize(
    ("line", "offers"),
    [
        ("embodied ps --run c", ["cell-*"]),
        ("embodied stop ce", ["cell-*"]),
        ("embodied logs --run cell ta", ["talk", "task"]),
        ("embodied topic echo arm.", ["arm.state", "arm.applied"]),
        ("embodied node info g", ["guard"]),
        ("embodied param set h", ["hold.kp"]),
        ("embodied topic echo --run elsewhere a", []),
    ],
)
def test_a_shell_is_offered_what_runs(
    line: str, offers: list[str], cell: Live, embodied: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_EMBODIED_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", line)
    monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
    assert [re.sub(r"-\d+$", "-*", word) for word in embodied().stdout.split()] == offers


def test_a_node_is_described_and_started_again(cell: Live, ask: Ask, embodied: Command) -> None:
    nodes = ask("node", "list")["nodes"]
    assert nodes["twice"]["trigger"] == "joints"
    assert nodes["guard"]["counts"]["steps"] > 0
    assert "in    joints: JointState  from arm.state" in embodied("node", "info", "hold").stdout
    again = ask("node", "restart", "camera")
    processes = {process["name"]: process for process in ask("ps")["runs"][0]["processes"]}
    assert (processes["camera"]["pid"], processes["camera"]["starts"]) == (again["pid"], 2)
    assert ask("topic", "echo", "camera", "--once")["type"] == "Image"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["stop", "elsewhere"], "there is no run 'elsewhere'"),
        (["logs", "camra"], "did you mean 'camera'?"),
        (["stop", "cell", "--all"], "exclude each other"),
        (["topic", "echo", "arm.stat"], "did you mean 'arm.state'?"),
        (["topic", "echo", "arm.state", "--field", "positon"], "did you mean 'position'?"),
        (["topic", "echo", "arm.state", "--save", "x.png"], "JointState is no picture"),
        (["topic", "pub", "guard.command", "{position: [1, 2]}"], "nothing moves but through its guard"),
        (["topic", "pub", "task", "{lable: blue}"], "did you mean 'label'?"),
        (["topic", "pub", "task", "blue"], "the fields must be a mapping"),
        (["topic", "pub", "task", "{1: 2}"], "the names must be texts, got 1"),
        (
            ["topic", "pub", "task", "{label: [{x: 99999999999999999999}]}"],
            "label.0.x must be a whole number of 64 bits",
        ),
        (["topic", "pub", "task", "{label: 2026-01-01}"], "label must be a plain value"),
        (["topic", "pub", "hold", "{position: [0, 0, .nan]}"], "JointCommand.position must be finite [rad], got nan"),
        (["topic", "pub", "hold", "{gripper: -.inf}"], "JointCommand.gripper must be finite [m], got -inf"),
        (["topic", "pub", "hold", "{position: {shape: [1000000000000]}}"], "at most 67108864 B are published by hand"),
        (["node", "info", "camra"], "did you mean 'camera'?"),
        (["node", "restart", "camra"], "did you mean 'camera'?"),
        (["param", "get", "hold.kd"], "did you mean 'hold.kp'?"),
        (["param", "set", "hold.kp", "nan"], "expected a finite number, got nan"),
        (["param", "set", "hold.kp", "500"], "must be in [0, 200]"),
    ],
)
def test_what_a_run_has_not_is_an_error_that_names_the_nearest(
    words: list[str], says: str, cell: Live, embodied: Command
) -> None:
    done = embodied(*words)
    assert done.code == 2
    assert says in done.stderr


def test_a_process_that_hangs_is_named_and_its_end_is_told(cell: Live, ask: Ask, embodied: Command) -> None:
    def camera() -> dict[str, Any]:
        processes: list[dict[str, Any]] = ask("ps")["runs"][0]["processes"]
        return next(process for process in processes if process["name"] == "camera")

    os.kill(camera()["pid"], signal.SIGSTOP)
    until(lambda: re.search(r"camera +hangs: |camera.* stands still", embodied("ps").stdout))
    until(lambda: camera()["state"] == "ended")
    assert "stands still: no sign of life" in embodied("top", "--once").stdout
    done = embodied("topic", "echo", "camera", "--once")
    assert done.code == 2
    assert "'camera' does not run" in done.stderr
    assert embodied("node", "restart", "camera").code == 0


def test_a_launcher_that_stands_still_is_listed_and_does_not_stop_the_others_from_being_stopped(
    cell: Live, tmp_path: Path, ask: Ask, embodied: Command
) -> None:
    other = start(tmp_path, "other")
    try:
        os.kill(other.process.pid, signal.SIGSTOP)
        runs = {run["name"].partition("-")[0]: run for run in ask("ps")["runs"]}
        assert runs["cell"]["answers"]
        assert not runs["other"]["answers"]
        assert "its launcher is stopped; kill -CONT" in runs["other"]["trouble"]
        # More than may wait at its socket.
        for _ in range(20):
            assert len(list(running())) == 2
        done = embodied("estop")
        assert done.code == 0
        assert "its launcher is stopped; kill -CONT" in done.stdout
        assert "stopped  guard of cell" in done.stdout
        assert "stopped  guard of other" in done.stdout
        assert embodied("estop", "--reset", "--run", "cell").code == 0
        other.process.kill()
        until(lambda: [run["name"] for run in ask("ps")["runs"] if run["name"].startswith("other")] == [])
    finally:
        other.end()
