"""One live run of a graph on the steady clock, from its seed to its verdict."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from embodied.clock import SECOND, Time
from embodied.errors import LaunchError, Problem, nearest
from embodied.graph.graph import Graph
from embodied.imports.search_path import current
from embodied.live.control import Control
from embodied.live.launcher import Launcher
from embodied.live.run_directory import RunDirectory
from embodied.live.supervisor import Event
from embodied.plain_data import plain
from embodied.runtime.health import health

SIGNALS = {
    signal.SIGINT: "Ctrl-C",
    signal.SIGTERM: "SIGTERM",
    signal.SIGHUP: "the end of its terminal",
    # Suspended, it could neither watch nor stop the processes that go on.
    signal.SIGTSTP: "Ctrl-Z",
}
"""Signals that stop a live run in order, and how the result names them."""

IGNORED_SIGNALS = (signal.SIGTTIN, signal.SIGTTOU)
"""Signals that would suspend a live run in the background when it reads or writes its terminal."""

POLL = 0.1
"""How often a run that nothing happens to is looked at [s]."""

SLOWEST = 0.95
"""Of the clock's pace: a run whose world falls behind it says nothing about the robot."""


@dataclass(frozen=True, slots=True)
class LiveOutcome:
    """Outcome of one live run, with its verdict.

    Attributes:
        seed: of the run.
        passed: the verdict; None if nothing judges, or nothing was decided before it was stopped.
        reason: the verdict in a sentence, or who stopped it.
        seconds: from time 0 to the end [s].
        pace: how fast the world's time passed beside the clock: 1, or less on a machine that is too slow.
        details: numbers behind the verdict.
        events: what happened to its processes.
        failure: what ended it, if that was not an end in order.
        about: names and versions of what draws the pictures.
        devices: by driver, what its device says it is.
        logs_trouble: why the logs are not complete; empty if they are.
        counts: by process, what its nodes did.
        topics: how each fared, as plain data.
        stopped_by: who stopped it before it was decided; empty if nobody did.
    """

    seed: int
    passed: bool | None
    reason: str
    seconds: float
    pace: float
    details: Mapping[str, Any] = field(default_factory=dict)
    events: Sequence[Event] = ()
    failure: str = ""
    about: Mapping[str, str] = field(default_factory=dict)
    devices: Mapping[str, str] = field(default_factory=dict)
    logs_trouble: str = ""
    counts: Mapping[str, Any] = field(default_factory=dict)
    topics: Mapping[str, Any] = field(default_factory=dict)
    stopped_by: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the outcome as plain data."""
        return {
            "seed": self.seed,
            "passed": self.passed,
            "reason": self.reason,
            "live": True,
            "simulated_s": round(self.seconds, 3),
            "wall_s": round(self.seconds, 3),
            "real_time_factor": round(self.pace, 3),
            "details": plain(self.details),
            "failure": self.failure,
            "events": [{"process": e.process, "kind": e.kind, "text": e.text} for e in self.events],
            "about": dict(self.about),
            "devices": dict(self.devices),
            "logs_trouble": self.logs_trouble,
            "counts": dict(self.counts),
            "topics": dict(self.topics),
        }


class LiveWatcher:
    """Base of watchers of a live run, called by its launcher."""

    def begin(self, run: Launcher) -> None:
        """React to the start: every process of the run is up."""

    def look(self, run: Launcher) -> None:
        """React to each event, and at least ten times a second."""


def play_live(
    graph: Graph,
    seed: int,
    *,
    name: str,
    about: Mapping[str, Any],
    limit: Time | None = None,
    logs: Path | None = None,
    machine: str | None = None,
    keys: Path | None = None,
    watchers: Sequence[LiveWatcher] = (),
    judged: bool = True,
    keep: bool = False,
) -> LiveOutcome:
    """Run a graph live in its processes until its world decides, a limit, or somebody stops it.

    Args:
        graph: what to run; build a new one for each run.
        seed: everything random is drawn from it.
        name: what the run is called on the command line.
        about: what `ps` shows of it.
        limit: time to stop at [ns].
        logs: where the nodes' output is kept.
        machine: whose part of the graph to run; None where it names no machines.
        keys: the folder of this machine's keys; None is the usual one.
        watchers: who else looks at it.
        judged: whether the world's verdict is taken.
        keep: whether the run goes on beyond the verdict, so that somebody can look at it.

    Raises:
        LaunchError: the graph is wrong.
        EmbodiedError: a process did not become ready.
    """
    if graph.faults:
        text = "faults are drawn in virtual time, and this run is live"
        raise LaunchError([Problem("E802", text, help=("leave them out, or run it in lockstep: without --live",))])
    check_machine(graph, machine)
    plan = graph.check()
    folder = RunDirectory.create(name)
    try:
        launcher = Launcher(plan, directory=folder, seed=seed, logs=logs, machine=machine, keys=keys)
        launcher.judged = judged
        launcher.keep = keep
        control = Control(launcher, {**about, "seed": seed, "path": sys.path, "search": current()})
    except BaseException:
        folder.remove()
        raise
    try:
        with _signals(control), launcher as run:
            for watcher in watchers:
                watcher.begin(run)
            while not (run.over or control.stop_wanted or (limit is not None and run.now >= limit)):
                left = POLL if limit is None else max(0.0, (limit - run.now) / SECOND)
                run.advance(min(POLL, left))
                control.keep()
                for watcher in watchers:
                    watcher.look(run)
            seconds = run.now / SECOND
            answers = run.ask_all(run.processes, "counts")
            counts = {name: found["value"] for name, found in answers.items() if found and "value" in found}
            outcome = _outcome(run, control.stop_wanted, seconds, counts)
        # What went wrong while it was stopped belongs to it as well.
        failure = "; ".join([*filter(None, [outcome.failure]), *launcher.not_stopped])
        return replace(outcome, events=tuple(launcher.events), failure=failure, logs_trouble=launcher.logs.trouble)
    finally:
        control.close()


def check_machine(graph: Graph, machine: str | None) -> None:
    """Check before a live run that this machine is named where the graph has several.

    Raises:
        LaunchError: it is not, or there is no such machine.
    """
    names = list(graph.machines)
    if machine is None and len(names) > 1:
        text = f"this graph runs on {len(names)} machines: which of them is this?"
        raise LaunchError([Problem("E006", text, help=tuple(f"--on {name}" for name in names))])
    if machine is not None and machine not in graph.machines:
        help_ = nearest(machine, names) or ("the launch file names no machines: leave out --on",)
        raise LaunchError([Problem("E006", f"there is no machine '{machine}'", help=help_)])


@contextmanager
def _signals(control: Control) -> Iterator[None]:
    """Ctrl-C, Ctrl-Z, a terminal that is closed and SIGTERM stop the run in order, whenever they come."""

    def stop(number: int, _: object) -> None:
        control.stop_wanted = control.stop_wanted or SIGNALS[signal.Signals(number)]

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, stop) for number in SIGNALS}
    before |= {number: signal.signal(number, signal.SIG_IGN) for number in IGNORED_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _outcome(run: Launcher, stopped_by: str, seconds: float, counts: Mapping[str, Any]) -> LiveOutcome:
    verdict = run.verdict
    if verdict is not None:
        reason = verdict.reason
    elif run.failure is not None:
        reason = str(run.failure)
    elif stopped_by:
        reason = f"stopped by {stopped_by} after {seconds:.1f} s"
    else:
        reason = f"not decided within {seconds:.1f} s"
    lost = [event.text for event in run.events if event.kind == "ended" and not run.alive(event.process)]
    advanced = [found["advanced_ns"] / found["now_ns"] for found in counts.values() if found.get("advanced_ns")]
    pace = min(advanced, default=1.0) if verdict is None else run.pace
    failure = str(run.failure) if run.failure is not None else "; ".join(lost)
    if verdict is not None and pace < SLOWEST and not failure:
        failure = f"this machine is too slow to judge: the world's time passed at {pace:.2f} of the clock's"
    return LiveOutcome(
        seed=run.seed,
        passed=None if verdict is None else verdict.passed,
        reason=reason,
        seconds=seconds,
        pace=pace,
        details={} if verdict is None else verdict.details,
        events=tuple(run.events),
        failure=failure,
        about=dict(run.about),
        devices=dict(run.devices),
        counts=counts,
        topics=_topics(run, counts),
        stopped_by=stopped_by,
    )


def _topics(run: Launcher, counts: Mapping[str, Any]) -> dict[str, Any]:
    """How each topic fared."""
    found: dict[str, Any] = {}
    for process in counts.values():
        for topic, count in process["topics"].items():
            age = count["age_ns"]
            last = None if age is None else process["now_ns"] - age
            every = run.plan.periods.get(topic.rpartition(".")[0])
            found[topic] = asdict(health(count["published"], 0, last, every, process["now_ns"]))
    return found
