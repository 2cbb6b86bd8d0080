"""kill -9 and SIGSTOP of each node of a running cell, at random instants."""

from __future__ import annotations

import signal

import numpy as np

from tests.embodied.live.running import Running, TopicView, pick_place
from tests.faults.tally import MS, Tally

RESTARTED = ("camera", "detector", "policy", "ik")
"""Nodes that are started again, so that one run takes many faults."""

ENDING = ("guard", "arm")
"""Nodes without which nothing safe is left to do: each fault takes a run of its own."""


def cell() -> Running:
    """A cell of which all but guard and arm are started again."""
    return Running(pick_place(), restarted=RESTARTED)


HELD_WITHIN = {"ik": ("ik.command", 50.0), "policy": ("policy.goal", 300.0 + 60.0)}
"""By node: what it gives, and how long after the last of it the guard must hold [ms]: its age, and a step."""


def interrupt(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node that is started again, so often.

    Args:
        node: the node.
        count: trials.
        number: SIGKILL or SIGSTOP.
        rng: of the instants.
        tally: where it is counted.
    """
    with cell() as running:
        reports = running.look("guard.report")
        for _ in range(count):
            tally.trials += 1
            if not _interrupted(running, node, number, float(rng.uniform(0.02, 0.25)), reports, tally):
                return
            del reports.seen[:-1]


def _interrupted(
    running: Running, node: str, number: signal.Signals, wait: float, reports: TopicView, tally: Tally
) -> bool:
    """One trial; whether the cell works again."""
    topic, limit = HELD_WITHIN.get(node, ("", 0.0))
    # What a process that was started again gives comes from new memory.
    given = running.look(topic) if topic else None
    if not running.until(lambda: following(reports), 10.0):
        tally.wrong(f"the guard did not follow: {reports.seen[-1:]}")
        return False
    running.until(lambda: False, wait)
    # Each life counts as its first, or the time until the next would grow with each trial.
    running.process(node).starts = 1
    at = running.kill(node, number)
    found = found_out(running, node, number, at, tally)
    if given is not None:
        running.until(lambda: holding(reports, at) is not None, 3.0)
        first = holding(reports, at)
        last = max((seen.stamp for seen in given.seen if first is not None and seen.stamp < first), default=None)
        tally.add(
            "held after the last fresh [ms]", None if first is None or last is None else (first - last) / MS, limit
        )
        running.unlook(topic)
    if not found or not running.until(lambda: running.event(node, "restarted", at) is not None, 20.0):
        tally.wrong("not started again")
        return False
    return True


def end(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node without which the run ends, each time in a run of its own."""
    for _ in range(count):
        tally.trials += 1
        with cell() as running:
            _ended(running, node, number, float(rng.uniform(0.05, 1.0)), tally)


def _ended(running: Running, node: str, number: signal.Signals, wait: float, tally: Tally) -> None:
    reports, given = running.look("guard.report"), running.look("guard.command")
    applied, states = running.look("arm.applied"), running.look("arm.state")
    running.until(lambda: following(reports), 10.0)
    running.until(lambda: False, wait)
    at = running.kill(node, number)
    found_out(running, node, number, at, tally)
    if not running.until(lambda: running.run.failure is not None, 3.0):
        tally.wrong(f"the run went on without {node}")
    elif node not in str(running.run.failure):
        tally.wrong(f"{node} is not named: {running.run.failure}")
    if node == "guard":
        # Nobody stops anything yet: it is the body that must notice.
        running.until(lambda: False, 0.4)
        last = max(seen.stamp for seen in given.seen)
        after = [seen.stamp for seen in applied.seen if seen.stamp > last]
        tally.add("body followed on [ms]", (max(after, default=last) - last) / MS, 50.0)
        speed = float(np.abs(states.seen[-1].message.velocity).max())
        if speed > 0.05:
            tally.wrong(f"the arm still moves at {speed:.2f} rad/s")


def following(reports: TopicView) -> bool:
    """Whether the guard follows commands."""
    return bool(reports.seen) and reports.seen[-1].message.state == "following"


def holding(reports: TopicView, after: int) -> int | None:
    """When the guard first said that it holds, after an instant [ns since time 0]."""
    return next((seen.stamp for seen in reports.seen if seen.stamp > after and seen.message.state == "holding"), None)


def found_out(running: Running, node: str, number: signal.Signals, at: int, tally: Tally) -> bool:
    """Wait until the launcher knows, and count how long that took."""
    kind = "ended" if number == signal.SIGKILL else "hangs"
    running.until(lambda: running.event(node, kind, at) is not None, 5.0)
    found = running.event(node, kind, at)
    tally.add("found out [ms]", None if found is None else (found - at) / MS)
    return found is not None
