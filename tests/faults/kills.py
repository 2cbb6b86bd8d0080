"""Faults of processes: kill -9 and SIGSTOP of each node of a running graph, at random instants."""

from __future__ import annotations

import signal

import numpy as np

from tests.embodied.live.running import Running, TopicView, pick_place
from tests.faults.tally import MS, Tally

RESTARTED = ("camera", "detector", "policy", "ik")
"""Nodes that are restarted, so that one run takes many faults."""

ENDING = ("guard", "arm")
"""Nodes without which the run ends: each fault takes a run of its own."""


def cell() -> Running:
    """Return a run of pick_place in which all nodes but guard and arm are restarted."""
    return Running(pick_place(), restarted=RESTARTED)


HELD_WITHIN = {"ik": ("ik.command", 50.0), "policy": ("policy.goal", 300.0 + 60.0)}
"""By node: its output, and the time after the last of it within which the guard must hold: its age, and a step [ms]."""


def interrupt(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node that is restarted, n times in one run.

    Args:
        node: name of the node.
        count: number of trials.
        number: SIGKILL or SIGSTOP.
        rng: source of the instants.
        tally: where the trials are counted.
    """
    with cell() as running:
        interrupt_in(running, node, count, number, rng, tally)


def interrupt_in(
    running: Running, node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally
) -> None:
    """End or stop a node that is restarted, n times in a run that may have had other faults before."""
    reports = running.look("guard.report")
    for _ in range(count):
        tally.trials += 1
        if not _interrupted(running, node, number, float(rng.uniform(0.02, 0.25)), reports, tally):
            break
        del reports.seen[:-1]
    running.unlook("guard.report")


def _interrupted(
    running: Running, node: str, number: signal.Signals, wait: float, reports: TopicView, tally: Tally
) -> bool:
    """Run one trial; return whether the graph works again."""
    topic, limit = HELD_WITHIN.get(node, ("", 0.0))
    # A restarted process publishes from new memory.
    outputs = running.look(topic) if topic else None
    if not running.until(lambda: following(reports), 10.0):
        tally.wrong(f"the guard did not follow: {reports.seen[-1:]}")
        return False
    running.until(lambda: False, wait)
    # The number of starts is reset, or the delay of the restart would grow with each trial.
    running.process(node).starts = 1
    at = running.kill(node, number)
    detected = detect(running, node, number, at, tally)
    if outputs is not None:
        running.until(lambda: holding(reports, at) is not None, 3.0)
        first = holding(reports, at)
        last = max((seen.stamp for seen in outputs.seen if first is not None and seen.stamp < first), default=None)
        tally.add(
            "held after the last fresh [ms]", None if first is None or last is None else (first - last) / MS, limit
        )
        running.unlook(topic)
    if not detected or not running.until(lambda: running.event(node, "restarted", at) is not None, 20.0):
        tally.wrong("not restarted")
        return False
    return True


def end(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node without which the run ends, each time in a run of its own.

    Args:
        node: name of the node.
        count: number of trials.
        number: SIGKILL or SIGSTOP.
        rng: source of the instants.
        tally: where the trials are counted.
    """
    for _ in range(count):
        tally.trials += 1
        with cell() as running:
            _ended(running, node, number, float(rng.uniform(0.05, 1.0)), tally)


def _ended(running: Running, node: str, number: signal.Signals, wait: float, tally: Tally) -> None:
    reports, commands = running.look("guard.report"), running.look("guard.command")
    applied, states = running.look("arm.applied"), running.look("arm.state")
    running.until(lambda: following(reports), 10.0)
    running.until(lambda: False, wait)
    at = running.kill(node, number)
    detect(running, node, number, at, tally)
    if not running.until(lambda: running.run.failure is not None, 3.0):
        tally.wrong(f"the run went on without {node}")
    elif node not in str(running.run.failure):
        tally.wrong(f"{node} is not named: {running.run.failure}")
    if node == "guard":
        # Nothing else stops the body yet: it must notice the loss itself.
        running.until(lambda: False, 0.4)
        last = max(seen.stamp for seen in commands.seen)
        after = [seen.stamp for seen in applied.seen if seen.stamp > last]
        tally.add("body followed on [ms]", (max(after, default=last) - last) / MS, 50.0)
        speed = float(np.abs(states.seen[-1].message.velocity).max())
        if speed > 0.05:
            tally.wrong(f"the arm still moves at {speed:.2f} rad/s")


def following(reports: TopicView) -> bool:
    """Return whether the guard follows commands."""
    return bool(reports.seen) and reports.seen[-1].message.state == "following"


def holding(reports: TopicView, after: int) -> int | None:
    """Return the time of the guard's first report of a hold after an instant [ns since time 0]."""
    return next((seen.stamp for seen in reports.seen if seen.stamp > after and seen.message.state == "holding"), None)


def detect(running: Running, node: str, number: signal.Signals, at: int, tally: Tally) -> bool:
    """Wait until the launcher detects the fault, and note how long that took."""
    kind = "ended" if number == signal.SIGKILL else "hangs"
    running.until(lambda: running.event(node, kind, at) is not None, 5.0)
    found = running.event(node, kind, at)
    tally.add("detected [ms]", None if found is None else (found - at) / MS)
    return found is not None
