"""Faults beside kills of nodes: a killed launcher, sleeping subscribers, floods, Ctrl-C at start-up, clock jumps."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from embodied.graph.entry import Wire
from embodied.graph.graph import Graph
from embodied.live.run_places import home
from tests.embodied.live.nodes import Counter, Delays, Flood, Jump, Ledger, Sleeper, Square
from tests.embodied.live.running import FILE, PARENT, Running, processes, processes_of
from tests.faults.tally import Tally


def start(*more: str) -> subprocess.Popen[str]:
    """Start `embodied run launch/pick_place.yaml --sim --live` in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "embodied", "run", str(FILE), "--sim", "--live", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def folder_of(launcher: int) -> Path | None:
    """Return the folder of a run by the process id of its launcher."""
    return next((path for path in home().iterdir() if path.name.endswith(f"-{launcher}")), None)


def workers_of(launcher: int) -> list[int]:
    """Return the processes that a launcher started, each the first of its session."""
    return processes(PARENT, launcher)


def wait_until(done: Any, seconds: float) -> float | None:
    """Wait for a condition; return how long it took [s], None if it does not hold in time."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if done():
            return time.monotonic() - begin
        os.sched_yield()
    return None


def kill_launcher(count: int, rng: np.random.Generator, tally: Tally) -> None:
    """Kill the launcher with SIGKILL, at any moment from its start on."""
    for _ in range(count):
        tally.trials += 1
        launcher = start()
        wait_until(lambda: False, float(rng.uniform(0.3, 3.0)))
        workers = workers_of(launcher.pid)
        launcher.kill()
        launcher.communicate()

        took = wait_until(partial(_gone, launcher.pid, workers), 5.0)
        tally.add("all gone [ms]", None if took is None else took * 1000, 1000.0)


def _gone(launcher: int, workers: list[int]) -> bool:
    return not any(processes_of(worker) for worker in workers) and folder_of(launcher) is None


def interrupt_start(count: int, rng: np.random.Generator, tally: Tally) -> None:
    """Press Ctrl-C at any moment of start-up."""
    for _ in range(count):
        tally.trials += 1
        launcher = start()
        wait_until(lambda: False, float(rng.uniform(0.0, 2.5)))
        workers = workers_of(launcher.pid)
        begin = time.monotonic()
        launcher.send_signal(signal.SIGINT)
        _, errors = launcher.communicate()
        tally.add("stopped [ms]", (time.monotonic() - begin) * 1000, 5000.0)
        # Before Python has installed its handler, the signal ends it as any program.
        if launcher.returncode not in (0, 130, -signal.SIGINT):
            tally.wrong(f"exit code {launcher.returncode}: {errors[-200:]}")
        if "Traceback" in errors and launcher.returncode != -signal.SIGINT:
            tally.wrong(f"a traceback: {errors[-300:]}")
        if not _gone(launcher.pid, workers):
            tally.wrong("processes or a folder were left")


def crowd(count: int, tally: Tally) -> None:
    """Run a sleeping subscriber and a flooding publisher beside a pair of other nodes."""
    for _ in range(count):
        tally.trials += 1
        # The ratio is judged where it is timed; elsewhere memory and the run itself are, which need fewer figures.
        count_of_delays = 8 if tally.timed else 4
        quiet = _p99(_pair(), count_of_delays) if tally.timed else None
        crowded = _pair().add("flood", Flood()).add("sleeper", Sleeper(), number="flood")
        crowded.add("other", Sleeper(delay=0.3), number="counter")
        found = _p99(crowded, count_of_delays, tally)
        if quiet is not None:
            tally.add("p99 of others, ratio", found / quiet, 2.0)


def _pair() -> Graph:
    graph = Graph(clock="steady").add("counter", Counter())
    return graph.add("delays", Delays(), number="counter")


def _p99(graph: Graph, number: int, tally: Tally | None = None) -> float:
    """Return the 99th percentile of message delays, median over a number of hundreds of messages [ns]."""
    with Running(graph) as running:
        delays = running.look("delays.count")
        running.until(lambda: len(delays.seen) >= number, 20.0)
        if tally is not None and "flood" in running.run.processes:
            for name in ("flood", "sleeper"):
                pages = int(Path(f"/proc/{running.process(name).pid}/statm").read_text().split()[1])
                tally.add(f"RSS of the {name} [MiB]", pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 200.0)
        return float(np.median([entry.message.number for entry in delays.seen[2:]]))


def lossless(count: int, folder: Path, rng: np.random.Generator, tally: Tally) -> None:
    """Kill a publisher whose subscriber must get every message: what it had published is not lost."""
    for trial in range(count):
        tally.trials += 1
        _lost(folder / f"ledger-{trial}.txt", float(rng.uniform(0.0, 0.5)), tally)


def _lost(path: Path, wait: float, tally: Tally) -> None:
    graph = Graph(clock="steady").add("counter", Counter()).add("square", Square(), number="counter")
    graph.add("ledger", Ledger(str(path)), counts=Wire("square", bound=64, lossless=True))
    with Running(graph) as running:
        squares = running.look("square.count")
        running.until(lambda: len(squares.seen) > 20, 10.0)
        running.until(lambda: False, wait)
        at = running.kill("square")
        running.until(lambda: running.event("square", "ended", at) is not None, 5.0)
        squares.take()
        last = squares.seen[-1].sequence
        running.until(lambda: _last(path) >= last, 3.0)
    numbers = [int(line) for line in path.read_text().split()]
    missing = set(range(numbers[0], last + 1)) - set(numbers)
    tally.add("lost [messages]", float(len(missing)))
    if missing:
        tally.wrong("a message that was published is missing")


def _last(path: Path) -> int:
    lines = path.read_text().split()
    return int(lines[-1]) if lines else 0


def clock(count: int, tally: Tally) -> None:
    """Let the wall clock of every process jump by an hour, a hundred times a second."""
    real = time.time  # noqa: TID251 (it is what the fault is about)
    for _ in range(count):
        tally.trials += 1
        try:
            vars(time)["time"] = lambda: real() + 3600.0
            _steady(tally)
        finally:
            vars(time)["time"] = real


def _steady(tally: Tally) -> None:
    graph = (
        Graph(clock="steady").add("jump", Jump()).add("counter", Counter()).add("square", Square(), number="counter")
    )
    graph.processes = (("jump", "counter", "square"),)
    with Running(graph) as running:
        name = running.run.process_of["square"]
        running.until(lambda: running.run.now > 1_000_000_000, 5.0)
        steps = running.run.ask(name, "counts")["nodes"]["square"]["steps"]
        tally.add("steps, of 200 a second [Hz]", steps / (running.run.now / 1e9))
        if running.run.events or steps < 20:
            tally.wrong(f"{steps} steps, {running.run.events}")
