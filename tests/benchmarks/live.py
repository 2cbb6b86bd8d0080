"""What it costs to run live: to be ready, to do nothing at a rate, to be on time, and to pick and place."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from embodied import SECOND, Node, Time
from embodied.graph.graph import Graph
from embodied.live.launcher import Launcher
from embodied.live.run_directory import RunDirectory
from embodied.suite.seed_run import Job, Scenario, run_seed
from tests.benchmarks.table import median, show

ROOT = Path(__file__).parents[2]


@dataclass
class Idle(Node):
    """Does nothing."""

    rate = 100.0

    def step(self) -> None:
        """Nothing."""


@dataclass
class Punctual(Node):
    """Writes down when it steps, and nothing else."""

    path: str = ""

    rate = 500.0

    def open(self) -> None:
        """Begin to write."""
        self._at: list[int] = []

    def step(self) -> None:
        """One time."""
        self._at.append(time.monotonic_ns())

    def close(self) -> None:
        """Keep them."""
        np.save(self.path, np.array(self._at))


def main(small: bool = False) -> None:
    """Print the table.

    Args:
        small: two nodes, half a second and a second of one seed on true poses, to see that it works.
    """
    many, look, seeds = (2, 0.5, 1) if small else (20, 5.0, 10)
    profile, limit = ("truth", Time(SECOND)) if small else ("sim", None)
    rows = [["live", "", ""]]
    ready, bare = [], _bare(look)
    for count in (1, many):
        begin = time.perf_counter()
        with _run(count) as run:
            ready.append(time.perf_counter() - begin)
            used = _used(run, look)
        rows.append(
            [f"{count} nodes in {count} processes", f"ready in {ready[-1]:.2f} s", f"{used:.2f} % of a core each"]
        )
    rows.append(
        ["a node of 100 Hz that does nothing", f"{used:.2f} % of a core", f"epoll with a time-out alone {bare:.2f} %"]
    )
    rows.append(["period of 2 ms, 1st to 99th percentile", _jitter(look), ""])
    job = Job(Scenario("live", ROOT / "launch" / "pick_place.yaml", profile, limit=limit, live=True))
    results = [run_seed(job, seed).result for seed in range(seeds)]
    passed = sum(result.status == "passed" for result in results)
    pace = median([float(result.outcome["real_time_factor"]) for result in results])
    rows.append(
        [f"pick and place live, seeds 0:{seeds}", f"{passed} of {seeds}", f"the world at {pace:.2f} of the clock"]
    )
    show("Live", rows)


def _run(count: int) -> Launcher:
    graph = Graph(clock="steady")
    for number in range(count):
        graph.add(f"node{number}", Idle())
    return Launcher(graph.check(), directory=RunDirectory.create("benchmark"))


def _used(run: Launcher, look: float) -> float:
    """Measure the share of a core over `look` seconds, median over the processes [%]."""
    while run.now < 1_000_000_000:
        run.advance(0.1)
    before, begin = _ticks(run), time.perf_counter()
    while time.perf_counter() - begin < look:
        run.advance(0.1)
    after, took = _ticks(run), time.perf_counter() - begin
    return 100 * median([(b - a) / os.sysconf("SC_CLK_TCK") / took for a, b in zip(before, after, strict=True)])


def _ticks(run: Launcher) -> list[int]:
    found = []
    for process in run.processes.values():
        words = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        found.append(int(words[11]) + int(words[12]))
    return found


def _bare(look: float) -> float:
    """Measure a loop that waits 100 times a second and does nothing else [% of a core]."""
    import select

    poll = select.epoll()
    begin, used = time.perf_counter(), time.process_time()
    while time.perf_counter() - begin < look:
        poll.poll(0.01)
    return 100 * (time.process_time() - used) / (time.perf_counter() - begin)


def _jitter(look: float) -> str:
    folder = RunDirectory.create("benchmark")
    path = folder.path.with_name(f"{folder.name}.npy")
    graph = Graph(clock="steady").add("punctual", Punctual(str(path)))
    with Launcher(graph.check(), directory=folder) as run:
        while run.now < look * 1e9:
            run.advance(0.1)
    periods = np.diff(np.load(path))[100:] / 1e6
    path.unlink()
    low, middle, high = np.percentile(periods, (1, 50, 99))
    return f"{low:.2f} to {high:.2f} ms, median {middle:.3f} ms"
