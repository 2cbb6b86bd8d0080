"""A stop depends on nothing that can be missing: launcher, terminal, log, directory, environment, name of the user."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from embodied.live.client import Client, Refused
from embodied.live.connections import CLIENTS
from embodied.live.ipc import send
from tests.embodied.cli.live_rig import (
    CODE,
    ROOT,
    SMALL,
    TINY,
    Ask,
    Live,
    ask,
    directory_of,
    runtime,
    spawn,
    started,
    until,
)
from tests.embodied.conftest import Command
from tests.embodied.live.running import PARENT, processes

__all__ = ["ask", "runtime"]

FLOOD = """\
  flood: {use: "tests.embodied.nodes:NewlineFlood"}
  flood2: {use: "tests.embodied.nodes:NewlineFlood"}
processes:"""


@pytest.fixture(scope="module")
def begun(runtime: Path) -> Iterator[list[Live]]:
    """The runs of `cell`, the last of which may still go on."""
    found: list[Live] = []
    yield found
    for live in found:
        live.end()


@pytest.fixture
def cell(begun: list[Live], embodied: Command, tmp_path_factory: pytest.TempPathFactory) -> Live:
    """A run whose guard is not stopped: that of the test before, unless it has ended or answers no more."""
    if not begun or begun[-1].process.poll() is not None or embodied("estop", "--reset", "--run", "cell").code:
        for live in begun:
            live.end()
        until(lambda: directory_of("cell") is None)
        begun.append(started(spawn(tmp_path_factory.mktemp("cell"), "cell", SMALL)))
    return begun[-1]


def guard_of(stopped: Any) -> dict[str, Any]:
    (run,) = stopped["runs"].values()
    assert not run["trouble"]
    found: dict[str, Any] = run["guards"]["guard"]
    return found


def test_a_stop_reaches_the_guards_of_a_launcher_that_is_suspended_and_they_stay_stopped_until_it_goes_on(
    cell: Live, ask: Ask, embodied: Command
) -> None:
    cell.process.send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    assert guard_of(ask("estop", "a hand in the cell")) == {
        "state": "stopped",
        "why": ["stopped: a hand in the cell"],
        "done": True,
    }
    assert time.monotonic() - begin < 3.0
    until(lambda: "the launcher has been silent for" in str(guard_of(ask("estop", "--reset"))["why"]))
    cell.process.send_signal(signal.SIGCONT)
    until(lambda: ask("estop", "--reset")["done"])


def test_what_is_printed_is_the_report_of_after_the_stop(cell: Live, ask: Ask) -> None:
    for reason in ("one", "two", "three"):
        assert guard_of(ask("estop", reason))["why"] == [f"stopped: {reason}"]


def test_a_stop_is_sent_and_read_back_whichever_streams_are_closed(cell: Live, ask: Ask) -> None:
    for number, closed in enumerate((">&-", "2>&-", ">&- 2>&- <&-", "--json >&-", ">/dev/full")):
        line = f"exec {sys.executable} -c '{CODE}' estop 'stop {number}' {closed}"
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(["sh", "-c", line], env=environment, capture_output=True, text=True)
        assert "Traceback" not in done.stdout + done.stderr
        assert done.returncode == (3 if closed == ">/dev/full" else 0), done.stderr
        assert ask("top")["guards"]["guard"]["why"] == [f"stopped: stop {number}"]


def test_a_stop_needs_no_package_but_its_own(cell: Live, ask: Ask) -> None:
    broken = "import sys; sys.modules |= dict.fromkeys(['numpy', 'yaml', 'cv2', 'zmq', 'pybullet', 'onnxruntime']); "
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    line = [sys.executable, "-c", broken + CODE, "estop", "all else is broken"]
    done = subprocess.run(line, env=environment, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith(": stopped: all else is broken\n")


def test_guards_stop_by_themselves_when_their_launcher_has_been_silent(cell: Live, ask: Ask, embodied: Command) -> None:
    cell.process.send_signal(signal.SIGSTOP)
    folder = directory_of("cell")
    assert folder is not None
    (path,) = folder.path.glob("guard.*")
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    channel.connect(str(path))

    def state() -> bool:
        send(channel, "guards")
        return b"the launcher has been silent for 2 s" in channel.recv(10_000)

    with channel:
        assert until(state, 5.0)
    cell.process.send_signal(signal.SIGCONT)
    # What nobody looked after is not simply taken up again.
    assert "silent" in embodied("top", "--once").stdout
    assert ask("estop", "--reset")["done"]


def full_pipe() -> tuple[int, int]:
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, False)
    os.write(writing, bytes(4096))
    os.set_blocking(writing, True)
    return reading, writing


def held_terminal() -> tuple[int, int]:
    """A terminal at which somebody has pressed Ctrl-S."""
    reading, writing = pty.openpty()
    termios.tcflow(writing, termios.TCOOFF)
    return reading, writing


@pytest.mark.parametrize(("output", "number"), [(full_pipe, signal.SIGTERM), (held_terminal, signal.SIGINT)])
def test_output_that_nobody_reads_holds_up_neither_a_run_nor_its_stop(
    output: Callable[[], tuple[int, int]], number: signal.Signals, runtime: Path, tmp_path: Path, ask: Ask
) -> None:
    reading, writing = output()
    live = spawn(tmp_path, "mute", TINY, stdout=writing, stderr=writing)
    try:
        until(lambda: directory_of("mute") and ask("ps", "--run", "mute")["runs"][0].get("state") == "running")
        answers = ask("estop", "--run", "mute")
        assert guard_of(answers)["done"]
        assert not next(iter(answers["runs"].values()))["launcher"], "the launcher itself answers too"
        live.process.send_signal(number)
        assert live.process.wait(10) == (0 if number == signal.SIGTERM else 130)
        assert directory_of("mute") is None
    finally:
        live.end()
        os.close(reading)
        os.close(writing)


def test_a_slow_reader_gets_the_whole_result_of_a_run_that_has_ended(runtime: Path, tmp_path: Path) -> None:
    file = tmp_path / "slow.yaml"
    file.write_text(TINY, encoding="utf-8")
    words = [sys.executable, "-c", CODE, "run", file.name, "--live", "--for", "100ms", "--json"]
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, cwd=tmp_path, env=environment, stdout=writing, stderr=subprocess.DEVNULL)
    os.close(writing)
    # The run has ended, and its result is larger than the pipe.
    until(lambda: directory_of("slow") is not None)
    until(lambda: directory_of("slow") is None)
    with os.fdopen(reading) as stream:
        assert json.load(stream)["live"]
    assert process.wait(10) == 0


def test_a_closed_terminal_is_a_stop_in_order_with_exit_code_0(runtime: Path, tmp_path: Path, ask: Ask) -> None:
    reading, writing = pty.openpty()
    live = spawn(
        tmp_path,
        "shut",
        TINY,
        stdin=writing,
        stdout=writing,
        stderr=writing,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(writing)
    try:
        until(lambda: directory_of("shut") and ask("ps", "--run", "shut")["runs"][0].get("state") == "running")
        os.close(reading)
        assert live.process.wait(10) == 0
        assert directory_of("shut") is None
    finally:
        live.end()


def test_ctrl_z_at_the_terminal_of_a_run_stops_it_in_order(runtime: Path, tmp_path: Path, ask: Ask) -> None:
    reading, writing = pty.openpty()
    live = spawn(
        tmp_path,
        "susp",
        TINY,
        stdin=writing,
        stdout=writing,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(writing)
    try:
        until(lambda: directory_of("susp") and ask("ps", "--run", "susp")["runs"][0].get("state") == "running")
        os.write(reading, b"\x1a")
        assert live.process.wait(10) == 130
        assert "stopped by Ctrl-Z after" in os.read(reading, 65536).decode()
    finally:
        live.end()
        os.close(reading)


def test_nodes_that_flood_their_output_do_not_hold_up_a_stop(runtime: Path, tmp_path: Path, ask: Ask) -> None:
    live = spawn(tmp_path, "flood", SMALL.replace("processes:", FLOOD))
    try:
        until(lambda: directory_of("flood") and ask("ps", "--run", "flood")["runs"][0].get("state") == "running")
        begin = time.monotonic()
        answers = ask("estop", "--run", "flood")
        assert guard_of(answers)["done"]
        assert not next(iter(answers["runs"].values()))["launcher"], "the launcher itself answers too"
        assert time.monotonic() - begin < 1.5
        assert ask("stop", "flood")["runs"]
    finally:
        live.end()


def test_a_signal_to_every_process_at_once_stops_the_run_in_order(runtime: Path, tmp_path: Path, ask: Ask) -> None:
    live = started(spawn(tmp_path, "whole", SMALL))
    try:
        (run,) = ask("ps", "--run", "whole")["runs"]
        for number in [run["pid"], *(process["pid"] for process in run["processes"])]:
            os.kill(number, signal.SIGTERM)
        out, _ = live.process.communicate(timeout=10)
        assert live.process.returncode == 0
        assert out.startswith("DONE  stopped by SIGTERM after")
        assert "ended" not in out
    finally:
        live.end()


def test_a_service_manager_that_stops_a_run_while_it_starts_gets_exit_code_0(runtime: Path, tmp_path: Path) -> None:
    live = spawn(tmp_path, "early", TINY)
    try:
        # The first process is there, and its nodes are not open yet.
        until(lambda: (found := directory_of("early")) and [*found.path.glob("guard.*")])
        live.process.send_signal(signal.SIGTERM)
        out, err = live.process.communicate(timeout=10)
        assert live.process.returncode == 0
        assert "stopped by SIGTERM" in out + err
        assert directory_of("early") is None
    finally:
        live.end()


def test_idle_clients_keep_nobody_out(cell: Live, ask: Ask) -> None:
    folder = directory_of("cell")
    assert folder is not None
    idle = []
    for _ in range(2 * CLIENTS):
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.connect(str(folder.path / "control"))
        idle.append(channel)
    (path,) = folder.path.glob("guard.*")
    for _ in range(2 * CLIENTS):
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.connect(str(path))
        idle.append(channel)
    answers = ask("estop")
    assert guard_of(answers)["done"]
    assert not next(iter(answers["runs"].values()))["launcher"], "the launcher itself answers too"
    assert ask("ps")["runs"][0]["state"] == "running"
    for channel in idle:
        channel.close()


def test_a_reset_of_a_client_that_has_gone_is_dropped(cell: Live, ask: Ask) -> None:
    assert ask("estop")["done"]
    (run,) = ask("ps")["runs"]
    guard = next(process["pid"] for process in run["processes"] if "guard" in process["nodes"])
    folder = directory_of("cell")
    assert folder is not None
    os.kill(guard, signal.SIGSTOP)
    cell.process.send_signal(signal.SIGSTOP)
    (path,) = folder.path.glob("guard.*")
    for name in (str(path), str(folder.path / "control")):
        channel = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        channel.connect(name)
        send(channel, "reset", by="somebody")
        channel.close()
    cell.process.send_signal(signal.SIGCONT)
    os.kill(guard, signal.SIGCONT)
    assert ask("top")["guards"]["guard"]["state"] == "stopped"


def test_a_setting_that_a_hanging_node_did_not_take_is_not_taken_later(cell: Live, ask: Ask, embodied: Command) -> None:
    (run,) = ask("ps")["runs"]
    home = next(process["pid"] for process in run["processes"] if "hold" in process["nodes"])
    folder = directory_of("cell")
    assert folder is not None
    os.kill(home, signal.SIGSTOP)
    with Client(folder) as client, pytest.raises(Refused, match="does not answer"):
        client.ask("set", node="hold", setting="kp", value=77.0)
    os.kill(home, signal.SIGCONT)
    assert until(lambda: ask("param", "list")["settings"])["hold.kp"]["value"] == 40.0


def reapers(launcher: int) -> list[int]:
    children = processes(PARENT, launcher)
    return [number for number in children if b"reaper_process" in Path(f"/proc/{number}/cmdline").read_bytes()]


def test_a_run_outlives_its_reaper_and_ends_without_it_when_stop_names_it_as_every_other_verb_does(
    cell: Live, ask: Ask
) -> None:
    (first,) = reapers(cell.process.pid)
    os.kill(first, signal.SIGKILL)
    (second,) = until(lambda: [number for number in reapers(cell.process.pid) if number != first])
    os.kill(second, signal.SIGSTOP)
    begin = time.monotonic()
    assert [end["gone"] for end in ask("stop", "--run", "cell")["runs"].values()] == [True]
    cell.process.wait(10)
    assert time.monotonic() - begin < 5.0
    assert not Path(f"/proc/{second}").exists()
