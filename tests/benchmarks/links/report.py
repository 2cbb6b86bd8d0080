"""The tables of a run."""

from __future__ import annotations

from collections.abc import Sequence

from tests.benchmarks.links import raw
from tests.benchmarks.links.loads import Load
from tests.benchmarks.links.results import Results
from tests.benchmarks.links.rounds import FAN, FLOOD, FREE, PINNED, RATES, Pace
from tests.benchmarks.links.seam import Transport
from tests.benchmarks.table import show


def report(results: Results, transports: Sequence[Transport], pace: Pace) -> None:
    """Print one table a section."""
    rounds = f"medians of {pace.rounds} interleaved rounds"
    for section in (PINNED, FREE):
        rows = _raw_rows(results, section, pace.loads)
        for transport in transports:
            cells = [_latency(results, section, transport, load) for load in pace.loads]
            rows.append([transport.name, *_explained(results, transport.name, cells)])
        show(f"{section.capitalize()}: p50 / p99 one way [µs], and p50 by the raw limit ({rounds})", rows)
    print("  The raw limit: eventfd, and memcpy unless in place. In place, the sender writes no more than a stamp.")
    rows = [["received [1/s]", *(load.name for load in pace.loads)]]
    for transport in transports:
        cells = [_flood(results, transport, load) for load in pace.loads]
        rows.append([transport.name, *_explained(results, transport.name, cells)])
    show(f"{FLOOD.capitalize()}: the sender never pauses ({rounds})", rows)
    loads = [load for load in RATES if load in pace.loads]
    heads = [f"{load.name} at {RATES[load]:.0f} Hz, {what}" for load in loads for what in ("p50 / p99", "send", "lost")]
    rows = [["one way, and the cost of send [µs]", *heads]]
    for transport in transports:
        cells = [cell for load in loads for cell in _fan(results, transport, load)]
        rows.append([transport.name, *_explained(results, transport.name, cells)])
    show(f"One publisher, {pace.subscribers} subscribers in a process each ({rounds})", rows)


def _raw_rows(results: Results, section: str, loads: Sequence[Load]) -> list[list[str]]:
    wakes, copies = [], []
    for load in loads:
        wakes.append(_times(results, section, raw.WAKE, load))
        copies.append(_times(results, raw.COPY, raw.COPY, load))
    wakes = _explained(results, raw.WAKE, wakes)
    return [["", *(load.name for load in loads)], [raw.WAKE, *wakes], [raw.COPY, *copies]]


def _times(results: Results, section: str, name: str, load: Load) -> str:
    p50, p99 = (results.get(section, name, load.name, figure) for figure in ("p50", "p99"))
    return "–" if p50 is None or p99 is None else f"{_number(p50)} / {_number(p99)}"


def _latency(results: Results, section: str, transport: Transport, load: Load) -> str:
    p50 = results.get(section, transport.name, load.name, "p50")
    limit = results.get(section, raw.WAKE, load.name, "p50")
    if p50 is None or limit is None:
        return "–"
    if not transport.in_place:
        limit += results.get(raw.COPY, raw.COPY, load.name, "p50") or 0.0
    return f"{_times(results, section, transport.name, load)} ({_number(p50 / limit)}x)"


def _flood(results: Results, transport: Transport, load: Load) -> str:
    rate, lost = (results.get(FLOOD, transport.name, load.name, name) for name in ("rate", "lost"))
    if rate is None or lost is None:
        return "–"
    return f"{rate:,.0f}" + (f" (lost {lost:.0%})" if lost >= 0.005 else "")


def _fan(results: Results, transport: Transport, load: Load) -> list[str]:
    cost, lost = (results.get(FAN, transport.name, load.name, name) for name in ("cost", "lost"))
    if cost is None or lost is None:
        return ["–", "–", "–"]
    return [_times(results, FAN, transport.name, load), _number(cost), f"{lost:.0%}"]


def _explained(results: Results, name: str, cells: list[str]) -> list[str]:
    reason = results.absent.get(name, "")
    return [*cells[:-1], f"{cells[-1]}  {reason}"] if reason and cells else cells


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
