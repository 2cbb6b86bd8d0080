"""A live graph whose launcher runs in the process of the test, with views of its topics."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from embodied.graph.graph import Graph
from embodied.graph.restart import Restart
from embodied.launch import Overrides, load
from embodied.links.channel import Inlet
from embodied.links.subscription import Ends
from embodied.live.launcher import Launcher
from embodied.live.process import Process
from embodied.live.run_directory import RunDirectory
from embodied.live.supervisor import Event

FILE = Path(__file__).parents[3] / "launch" / "pick_place.yaml"


@dataclass(slots=True)
class Seen:
    """Publication that was observed: its message, and its time since time 0 [ns]."""

    message: Any
    stamp: int
    sequence: int


@dataclass(slots=True)
class TopicView:
    """View of one topic: every publication that was observed."""

    inlet: Inlet
    seen: list[Seen] = field(default_factory=list)

    def take(self) -> None:
        """Append the publications that have arrived."""
        self.inlet.receive(lambda _, message, stamp, sequence: self.seen.append(Seen(message, stamp, sequence)))


def pick_place(*sets: str) -> Graph:
    """Load the shipped cell, with overrides as --set."""
    return load(FILE, Overrides(sets=sets)).graph("sim")


class Running:
    """Live graph that a test runs.

    Args:
        graph: what to run.
        seed: everything random is drawn from it.
        restarted: nodes that are started again whenever they end.
        logs: where what they print is kept.
        machine, keys: whose part of the graph, with which keys.
    """

    def __init__(
        self,
        graph: Graph,
        *,
        seed: int = 0,
        restarted: Sequence[str] = (),
        logs: Path | None = None,
        machine: str | None = None,
        keys: Path | None = None,
    ) -> None:
        for name in restarted:
            # The last goal of a policy counts for 300 ms: a restart within that time would not be noticed.
            graph.entries[name].restart = Restart("always", 10_000, 600_000_000 if name == "policy" else 1_000_000)
        self.run = Launcher(
            graph.check(), directory=RunDirectory.create("test"), seed=seed, logs=logs, machine=machine, keys=keys
        )
        self._looks: dict[str, TopicView] = {}

    def __enter__(self) -> Running:
        self.run.open()
        self.numbers = [process.pid for process in self.run.processes.values()]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.run.close()

    def look(self, topic: str) -> TopicView:
        """Observe a topic from now on."""
        node, _, port = topic.partition(".")
        outputs = self.run.processes[self.run.process_of[node]].spec.outputs[node]
        ring, ends = self.run.observe(node, f"look at {topic}")
        theirs = Ends(*map(os.dup, ends.all()))
        ends.close()
        index = [output.port for output in outputs].index(port)
        # Every publication is seen as long as this process looks often enough, and the newest in any case.
        inlet = Inlet([output.layout(node) for output in outputs], [index], ring.open_size, ring.descriptor, theirs)
        look = TopicView(inlet)
        self.run.wait(inlet.reader.forward, look.take)
        self._looks[topic] = look
        return look

    def unlook(self, topic: str) -> None:
        """End the observation of a topic."""
        look = self._looks.pop(topic)
        self.run.unobserve(topic.partition(".")[0], f"look at {topic}")
        self.run.forget(look.inlet.reader.forward)
        look.inlet.reader.close()

    def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Handle events until a condition holds; False after a time [s]."""
        end = time.monotonic() + seconds
        while not done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            self.run.advance(min(left, 0.02))
        return True

    def ended(self) -> list[Event]:
        """Return the ends of processes until now."""
        return [event for event in self.run.events if event.kind == "ended"]

    def process(self, node: str) -> Process:
        """Return the process of a node."""
        return self.run.processes[self.run.process_of[node]]

    def kill(self, node: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the process of a node; returns when, since time 0 [ns]."""
        process = self.process(node)
        at = time.monotonic_ns()
        os.kill(process.pid, number)
        return at - self.run.epoch

    def event(self, node: str, kind: str, after: int) -> int | None:
        """Return the time of the first event of a kind in a node's process after a time, since time 0 [ns]."""
        name = self.run.process_of[node]
        found = [e.at - self.run.epoch for e in self.run.events if e.process == name and e.kind == kind]
        return next((at for at in found if at >= after), None)


PARENT = 1
"""Field of /proc/PID/stat behind the name: proc_pid_stat(5)."""

SESSION = 3
"""Field of /proc/PID/stat behind the name: proc_pid_stat(5)."""


def processes(field: int, value: int) -> list[int]:
    """List the processes of a parent or a session that still run; zombies are left out."""
    found = []
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                words = (path / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[field]) == value and words[0] != "Z":
                found.append(int(path.name))
    return found


def processes_of(session: int) -> list[int]:
    """List the processes of a session."""
    return processes(SESSION, session)
