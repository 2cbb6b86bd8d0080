"""The run: all transports stand at once and are measured in turn, so that a slow minute hits all of them alike."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.links import raw
from tests.benchmarks.links.lines import pin, running_on
from tests.benchmarks.links.loads import BLOCK, LOADS, SMALL, Load
from tests.benchmarks.links.results import Results
from tests.benchmarks.links.seam import Failed, Line, Transport

PINNED = "latency, both ends on one core"
FREE = "latency, both ends on any core"
FLOOD = "flood"
FAN = "one publisher, several subscribers"

RATES = {SMALL: 200.0, BLOCK: 100.0}
"""At which the publisher with many subscribers sends [Hz]."""


@dataclass(frozen=True)
class Pace:
    """How long it takes.

    Attributes:
        rounds: that count; a short one that does not comes first, in which memory is touched and caches are filled.
        ping, flood, fan: a measurement [s].
        loads: that are carried.
        subscribers: of one publisher, in a process each.
    """

    rounds: int = 3
    ping: float = 0.15
    flood: float = 0.2
    fan: float = 0.5
    loads: tuple[Load, ...] = LOADS
    subscribers: int = 8


QUICK = Pace(rounds=1, ping=0.03, flood=0.03, fan=0.1, loads=LOADS[:4])
SMALLEST = Pace(rounds=1, ping=0.01, flood=0.01, fan=0.02, loads=LOADS[:1], subscribers=1)


class Standing:
    """The lines of the transports that can be had, until they break."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._lines: dict[str, tuple[Transport, Line, Path]] = {}

    def open(self, transport: Transport, takers: int) -> None:
        """Open a line, or note why not."""
        missing = self._results.absent.get(transport.name) or transport.available()
        if missing:
            self._results.absent[transport.name] = missing
            return
        folder = Path(tempfile.mkdtemp(prefix="links-"))
        try:
            self._lines[transport.name] = (transport, transport.open(folder, takers), folder)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if not isinstance(error, Failed):
                raise
            self._results.absent[transport.name] = str(error)

    def carrying(self, load: Load, *, many: bool = False) -> Iterator[tuple[str, Line]]:
        """The lines that carry such messages; `many` of them, at the sender's pace and to several takers."""
        for name, (transport, line, _) in list(self._lines.items()):
            if transport.carries(load) and (transport.floods or not many):
                yield name, line

    @contextmanager
    def guarded(self, name: str) -> Iterator[None]:
        """One measurement; a line that fails is closed, and the others go on."""
        try:
            yield
        except Failed as error:
            self._results.absent[name] = str(error)
            self.close(name, orderly=False)

    def close(self, name: str, orderly: bool) -> None:
        """Close one line."""
        _, line, folder = self._lines.pop(name)
        try:
            line.close(orderly)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def close_all(self, orderly: bool) -> None:
        """Close them all."""
        for name in list(self._lines):
            self.close(name, orderly)


@contextmanager
def standing(transports: Sequence[Transport], takers: int, results: Results) -> Iterator[Standing]:
    """The lines of some transports; at once gone when anything goes wrong, Ctrl-C included."""
    lines = Standing(results)
    orderly = False
    try:
        for transport in transports:
            lines.open(transport, takers)
        yield lines
        orderly = True
    finally:
        lines.close_all(orderly)


def run(transports: Sequence[Transport], pace: Pace | None = None) -> Results:
    """Measure.

    Args:
        transports: to compare; the raw limits come with them.
        pace: how long and how often.
    """
    pace = pace or Pace()
    results = Results()
    # A line that would carry nothing costs the start of its processes.
    carried = [each for each in transports if any(each.carries(load) for load in pace.loads)]
    with standing((raw.FLOOR, *carried), 1, results) as lines:
        _pairs(lines, Results(), Pace(1, pace.ping / 3, pace.flood / 3, pace.fan, pace.loads))
        for _ in range(pace.rounds):
            _pairs(lines, results, pace)
        if pace.subscribers == 1:
            _fans(lines, results, pace.fan, pace)
            return results
    with standing([each for each in carried if each.floods], pace.subscribers, results) as lines:
        _fans(lines, Results(), pace.fan / 3, pace)
        for _ in range(pace.rounds):
            _fans(lines, results, pace.fan, pace)
    return results


def _pairs(lines: Standing, results: Results, pace: Pace) -> None:
    cores = os.sched_getaffinity(0)
    for load in pace.loads:
        results.add_times(raw.COPY, raw.COPY, load.name, [t / 1e3 for t in raw.copies(load, pace.ping / 3)])
        for section, allowed in ((PINNED, {max(cores)}), (FREE, cores)):
            for name, line in lines.carrying(load):
                with lines.guarded(name):
                    pin(line.processes, allowed)
                    times = line.ping(load, pace.ping)
                    used = running_on(line.processes[:2])
                    if not used <= allowed:
                        raise Failed(f"ran on cores {used}, not on {allowed}")
                    results.add_times(section, name, load.name, [t / 2e3 for t in times])
        for name, line in lines.carrying(load, many=True):
            with lines.guarded(name):
                flood = line.flood(load, pace.flood)
                if flood.repeated:
                    raise Failed(f"{flood.repeated} of {flood.sent} messages came again or out of order")
                lost = 1 - flood.received / flood.sent
                results.add(
                    FLOOD, name, load.name, rate=flood.received / flood.seconds if flood.received else 0.0, lost=lost
                )


def _fans(lines: Standing, results: Results, seconds: float, pace: Pace) -> None:
    for load, rate in RATES.items():
        if load not in pace.loads:
            continue
        for name, line in lines.carrying(load, many=True):
            with lines.guarded(name):
                fan = line.fan(load, rate, seconds)
                results.add_times(FAN, name, load.name, [age / 1e3 for age in fan.latencies])
                costs = sorted(fan.costs)
                lost = 1 - len(fan.latencies) / (fan.sent * pace.subscribers)
                results.add(FAN, name, load.name, cost=costs[len(costs) // 2] / 1e3, lost=lost)
