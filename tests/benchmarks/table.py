"""What the benchmarks share: timing in interleaved rounds, and a table."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence


def interleaved(measures: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Each measure once a round, so that a machine that drifts drifts for all of them."""
    found: dict[str, list[float]] = {name: [] for name in measures}
    for _ in range(rounds):
        for name, measure in measures.items():
            found[name].append(measure())
    return found


def seconds(work: Callable[[], object]) -> float:
    """How long a piece of work takes [s]."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def show(title: str, rows: Sequence[Sequence[str]]) -> None:
    """A table; the first row is its head."""
    print(f"\n{title}")
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())
        if number == 0:
            print("  " + "  ".join("-" * width for width in widths))
