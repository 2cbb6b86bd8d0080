"""kill -9 and SIGSTOP of each node of a running cell, at random instants."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from embodied.restart import Restart
from tests.faults.cell import Cell, Look

RESTARTED = ("camera", "detector", "policy", "ik")
"""Nodes that are started again, so that one run takes many faults."""

ENDING = ("guard", "arm")
"""Nodes without which nothing safe is left to do: each fault takes a run of its own."""

MS = 1e6


@dataclass(slots=True)
class Tally:
    """What came of some trials of one fault.

    Attributes:
        fault: in words.
        promise: what must hold.
        trials: how often it was tried.
        figures: what was measured in each trial, by name [ms].
        broken: a sentence for each trial in which the promise was not kept.
    """

    fault: str
    promise: str
    trials: int = 0
    figures: dict[str, list[float]] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, name: str, value: float | None, limit: float | None = None) -> None:
        """Take a figure [ms]; None, or one beyond a limit, breaks the promise."""
        if value is None:
            self.broken.append(f"trial {self.trials}: no {name}")
            return
        self.figures.setdefault(name, []).append(value)
        if limit is not None and value > limit:
            self.broken.append(f"trial {self.trials}: {name} {value:.1f} ms, and {limit:g} is the most")

    def show(self, name: str) -> str:
        """Median, 99th percentile and maximum of a figure."""
        values = np.array(self.figures.get(name, [np.nan]))
        return f"{np.median(values):.1f} / {np.percentile(values, 99):.1f} / {values.max():.1f} ms"


@contextmanager
def watched() -> Iterator[Cell]:
    """A cell in which all but guard and arm are started again, whose guard and arm are looked at."""
    cell = Cell()
    for node in RESTARTED:
        planned = cell.run.plan.nodes[node]
        object.__setattr__(planned, "restart", Restart("always", 10_000, 1_000_000))
    with cell:
        yield cell


HELD_WITHIN = {"ik": ("ik.command", 50.0), "policy": ("policy.goal", 300.0 + 60.0)}
"""By node: what it gives, and how long after the last of it the guard must hold [ms]: its age, then the guard's step."""


def interrupt(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node that is started again, so often.

    Args:
        node: the node.
        count: trials.
        number: SIGKILL or SIGSTOP.
        rng: of the instants.
        tally: where it is counted.
    """
    with watched() as cell:
        reports = cell.look("guard.report")
        for _ in range(count):
            tally.trials += 1
            if not _interrupted(cell, node, number, float(rng.uniform(0.02, 0.25)), reports, tally):
                return
            del reports.seen[:-1]


def _interrupted(cell: Cell, node: str, number: signal.Signals, wait: float, reports: Look, tally: Tally) -> bool:
    """One trial; whether the cell works again."""
    topic, limit = HELD_WITHIN.get(node, ("", 0.0))
    # What a process that was started again gives comes from new memory.
    given = cell.look(topic) if topic else None
    if not cell.until(lambda: following(reports), 10.0):
        tally.broken.append(f"trial {tally.trials}: the guard did not follow: {reports.seen[-1:]}")
        return False
    cell.until(lambda: False, wait)
    at = cell.kill(node, number)
    found = found_out(cell, node, number, at, tally)
    if given is not None:
        cell.until(lambda: holding(reports, at) is not None, 3.0)
        first = holding(reports, at)
        last = max((seen.stamp for seen in given.seen if first is not None and seen.stamp < first), default=None)
        tally.add("held", None if first is None or last is None else (first - last) / MS, limit)
        cell.unlook(topic)
    if not found or not cell.until(lambda: cell.event(node, "restarted", at) is not None, 20.0):
        tally.broken.append(f"trial {tally.trials}: not started again")
        return False
    return True


def end(node: str, count: int, number: signal.Signals, rng: np.random.Generator, tally: Tally) -> None:
    """End or stop a node without which the run ends, each time in a run of its own."""
    for _ in range(count):
        tally.trials += 1
        with watched() as cell:
            _ended(cell, node, number, float(rng.uniform(0.05, 1.0)), tally)


def _ended(cell: Cell, node: str, number: signal.Signals, wait: float, tally: Tally) -> None:
    reports, given = cell.look("guard.report"), cell.look("guard.command")
    applied, states = cell.look("arm.applied"), cell.look("arm.state")
    cell.until(lambda: following(reports), 10.0)
    cell.until(lambda: False, wait)
    at = cell.kill(node, number)
    found_out(cell, node, number, at, tally)
    if not cell.until(lambda: cell.run.failure is not None, 3.0):
        tally.broken.append(f"trial {tally.trials}: the run went on without {node}")
    elif node not in str(cell.run.failure):
        tally.broken.append(f"trial {tally.trials}: {node} is not named: {cell.run.failure}")
    if node == "guard":
        # Nobody stops anything yet: it is the body that must notice.
        cell.until(lambda: False, 0.4)
        last = max(seen.stamp for seen in given.seen)
        after = [seen.stamp for seen in applied.seen if seen.stamp > last]
        tally.add("body followed on", (max(after, default=last) - last) / MS, 50.0)
        speed = float(np.abs(states.seen[-1].message.velocity).max())
        if speed > 0.05:
            tally.broken.append(f"trial {tally.trials}: the arm still moves at {speed:.2f} rad/s")


def following(reports: Look) -> bool:
    """Whether the guard follows commands."""
    return bool(reports.seen) and reports.seen[-1].message.state == "following"


def holding(reports: Look, after: int) -> int | None:
    """When the guard first said that it holds, after an instant [ns since time 0]."""
    return next((seen.stamp for seen in reports.seen if seen.stamp > after and seen.message.state == "holding"), None)


def found_out(cell: Cell, node: str, number: signal.Signals, at: int, tally: Tally) -> bool:
    """Wait until the launcher knows, and count how long that took."""
    kind = "ended" if number == signal.SIGKILL else "hangs"
    cell.until(lambda: cell.event(node, kind, at) is not None, 5.0)
    found = cell.event(node, kind, at)
    tally.add("found out", None if found is None else (found - at) / MS)
    return found is not None
