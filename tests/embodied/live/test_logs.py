"""Logs are UTF-8 always and whole lines; what they lack is told, and what ended a process stands in them.

Text stays text: a control character in a line is written as an escape.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from embodied.clock import Time
from embodied.graph.graph import Graph
from embodied.live.episode import play_live
from embodied.live.heartbeat import Heartbeat
from embodied.live.log_files import CLOSE_TIMEOUT, WAITING_MOST
from embodied.live.logs import KEPT, LONGEST, Logs
from embodied.live.node_output import LineStream
from tests.embodied.cli.live_rig import CODE, ROOT, runtime
from tests.embodied.conftest import Command
from tests.embodied.live.ending import Says
from tests.embodied.live.nodes import Broken, Counter
from tests.embodied.live.running import Running

__all__ = ["runtime"]


def texts(logs: Logs) -> list[str]:
    return [line.text for line in logs.last("arm")]


def test_a_character_that_a_read_cuts_stays_one_and_bytes_that_are_none_are_replaced(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "logs")
    for data in (b"arm\x1f21 \xc2", b"\xb0C\n\xf0\x9f", b"\xa4\x96 \xff\x1b[2J\r\n"):
        logs.add("arm", data)
    logs.close()
    assert texts(logs) == ["21 °C", "🤖 �\\x1b[2J\\r"]
    assert "arm: 21 °C\n" in (tmp_path / "logs" / "arm.log").read_text(encoding="utf-8")


def test_output_without_a_newline_is_bounded_and_lost_nowhere() -> None:
    logs = Logs(None)
    for _ in range(100):
        logs.add("arm", b"." * 1000)
    logs.add("arm", b"\n")
    assert sum(map(len, texts(logs))) == 100_000
    assert max(map(len, texts(logs))) <= LONGEST + 1000


class Pipe:
    """A pipe as a node's standard output, and what comes through it."""

    def __init__(self) -> None:
        self.reading, writing = os.pipe2(os.O_NONBLOCK)
        heartbeat, _ = Heartbeat.create("node")
        self.stream = LineStream(writing, heartbeat)

    def lines(self) -> list[str]:
        data = b""
        while True:
            try:
                data += os.read(self.reading, 65536)
            except BlockingIOError:
                return [line.partition("\x1f")[2] for line in data.decode().split("\n")[:-1]]


def test_dots_and_long_lines_reach_the_log_in_pieces() -> None:
    pipe = Pipe()
    for _ in range(2000):
        print(".", end="", file=pipe.stream)
    assert "".join(pipe.lines()).startswith("." * 900)
    print("猫" * 3000, file=pipe.stream)
    lines = pipe.lines()
    assert "".join(lines).count("猫") == 3000
    assert max(len(line.encode()) for line in lines) < 4096


def test_a_print_without_a_newline_costs_the_same_however_many_came_before() -> None:
    pipe = Pipe()

    def cost() -> float:
        begin = time.thread_time()
        for _ in range(3000):
            print(".", end="", file=pipe.stream)
        pipe.lines()
        return time.thread_time() - begin

    first = min(cost() for _ in range(3))
    for _ in range(30):
        cost()
    assert min(cost() for _ in range(3)) < 3 * first + 0.01


def test_of_a_progress_bar_the_log_has_the_last_state_and_some_before() -> None:
    pipe = Pipe()
    for percent in range(101):
        print(f"\r{percent} %", end="", file=pipe.stream)
    print(file=pipe.stream)
    for percent in range(101):
        print(f"{percent} %", end="\r", file=pipe.stream)
    print("\nwindows\r", file=pipe.stream)
    assert pipe.lines() == ["0 %", "100 %", "100 %", "windows"]


def test_lines_that_nobody_takes_are_counted_and_told_where_they_are_missing() -> None:
    pipe = Pipe()
    for number in range(5000):
        print(f"line {number} {'x' * 80}", file=pipe.stream)
    first = pipe.lines()
    print("after", file=pipe.stream)
    pipe.stream.finish()
    assert pipe.lines() == [f"({5000 - len(first)} lines were lost here: they came faster than they are read)", "after"]
    assert pipe.stream.lost == 5000 - len(first)


def test_what_ended_a_process_stands_in_its_log_with_its_traceback(tmp_path: Path) -> None:
    with Running(Graph(clock="steady").add("bad", Broken()).add("gone", Broken("kill")), logs=tmp_path) as found:
        assert found.until(lambda: sum(event.kind == "ended" for event in found.run.events) == 2, 10)
    text = (tmp_path / "bad.log").read_text(encoding="utf-8")
    assert "bad: Traceback (most recent call last):" in text
    assert 'nodes.py", line' in text
    assert "bad: ValueError: a bad day" in text
    assert "gone: 'gone': ended by SIGKILL" in (tmp_path / "gone.log").read_text(encoding="utf-8")


def test_a_run_whose_logs_are_not_complete_says_so_at_its_end(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("a file is in the way")
    graph = Graph(clock="steady").add("counter", Counter())
    outcome = play_live(graph, 0, name="cell", about={}, limit=Time(100_000_000), logs=tmp_path / "logs")
    assert outcome.failure == ""
    assert outcome.logs_trouble == f"logs are no longer written to {tmp_path / 'logs'}: File exists"
    assert outcome.as_dict()["logs_trouble"] == outcome.logs_trouble


def test_a_disk_that_hangs_holds_up_neither_a_run_nor_its_stop_and_costs_the_log_alone(tmp_path: Path) -> None:
    # Whoever opens a pipe that nobody reads waits for a reader, as for a disk that does not answer.
    for name in ("chat", "counter"):
        os.mkfifo(tmp_path / f"{name}.log")
    begin = time.monotonic()
    graph = Graph(clock="steady").add("counter", Counter()).add("chat", Says())
    outcome = play_live(graph, 0, name="cell", about={}, limit=Time(300_000_000), logs=tmp_path)
    assert outcome.failure == ""
    assert time.monotonic() - begin < 0.3 + CLOSE_TIMEOUT + 5.0
    trouble = f"logs are no longer written to {tmp_path}: the disk did not take them within 1 s"
    assert outcome.logs_trouble == trouble
    # The disk answers again, and the thread that waited for it ends.
    readers = [os.open(path, os.O_RDONLY | os.O_NONBLOCK) for path in tmp_path.glob("*.log")]
    for thread in threading.enumerate():
        if thread.name == "logs":
            thread.join(5.0)
            assert not thread.is_alive()
    for reader in readers:
        os.close(reader)


def test_lines_for_a_disk_that_hangs_are_bounded(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "arm.log")
    logs = Logs(tmp_path)
    begin = time.monotonic()
    for _ in range(WAITING_MOST // 1000 + 2):
        logs.add("arm", b"arm\x1fline\n" * 1000)
    assert time.monotonic() - begin < 2.0
    assert (
        logs.trouble
        == f"logs are no longer written to {tmp_path}: the disk does not take them: it is too slow, or hangs"
    )
    assert len(texts(logs)) == KEPT
    # The disk answers again: what was given up stays given up, and the thread ends.
    with (tmp_path / "arm.log").open(encoding="utf-8") as reader:
        logs.close()
        assert len(reader.read().splitlines()) <= 1000


def test_what_was_printed_before_the_end_is_in_the_files_once_the_logs_are_closed(tmp_path: Path) -> None:
    logs = Logs(tmp_path / "deep" / "logs")
    for number in range(100):
        logs.add("arm", f"arm\x1f{number}\n".encode())
    logs.add("arm", b"arm\x1fcut")
    logs.close()
    kept = (tmp_path / "deep" / "logs" / "arm.log").read_text(encoding="utf-8").splitlines()
    assert [line.partition(" arm: ")[2] for line in kept] == [*map(str, range(100)), "cut"]
    assert logs.trouble == ""


def test_in_a_locale_of_ascii_a_run_goes_on_and_its_log_is_utf_8(
    tmp_path: Path, runtime: Path, embodied: Command
) -> None:
    cell = 'embodied: 1\nclock: steady\nnodes:\n  chat: {use: "tests.embodied.live.ending:Says"}\n'
    (tmp_path / "cell.yaml").write_text(cell, encoding="utf-8")
    ascii_only = {"LC_ALL": "POSIX", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0", "PYTHONPATH": str(ROOT)}

    def said(*words: str) -> subprocess.CompletedProcess[bytes]:
        run = [sys.executable, "-c", CODE, *words]
        return subprocess.run(run, cwd=tmp_path, env={**os.environ, **ascii_only}, capture_output=True, check=False)

    assert said("run", "cell.yaml", "--for", "300ms").returncode == 0
    (log,) = tmp_path.glob("runs/*/logs/chat.log")
    assert "chat: 21 °C, 猫" in log.read_text(encoding="utf-8")
    assert rb"chat: 21 \xb0C, \u732b" in said("logs").stdout


def test_where_the_last_run_kept_no_logs_an_older_one_is_not_taken_for_it(tmp_path: Path, embodied: Command) -> None:
    (tmp_path / "runs" / "20260101-100000-cell" / "logs").mkdir(parents=True)
    (tmp_path / "runs" / "20260101-110000-cell").mkdir()
    done = embodied("logs")
    assert "runs/20260101-110000-cell kept no logs, as its nodes printed to its terminal" in done.stderr
    assert "runs/20260101-100000-cell has ended; 0 lines are kept" in done.stderr


@pytest.mark.parametrize("name", ["猫" * 60, "x" * 200, "\N{ROBOT FACE}" * 60])
def test_a_long_name_in_any_script_can_run(name: str, tmp_path: Path, runtime: Path, embodied: Command) -> None:
    cell = 'embodied: 1\nclock: steady\nnodes:\n  chat: {use: "tests.embodied.live.ending:Says"}\n'
    file = tmp_path / f"{name[: 240 // len(name[0].encode())]}.yaml"
    file.write_text(cell, encoding="utf-8")
    done = embodied("run", file.name, "--for", "50ms")
    assert (done.code, "BROKEN" in done.stdout) == (0, False), done.stderr
