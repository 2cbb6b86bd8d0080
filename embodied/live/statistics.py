"""Statistics of a running graph: rates, losses and delays between two samples of its counters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embodied.clock import SECOND
from embodied.live.client import Client

EVERY = 1.0
"""Time between two samples on a display [s]."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample of the counters of a run at one time.

    Attributes:
        status: processes and events of the run.
        counts: by process; None for one that does not answer.
        guards: last report of each guard.
    """

    status: dict[str, Any]
    counts: dict[str, Any]
    guards: dict[str, Any]

    @classmethod
    def take(cls, client: Client) -> Sample:
        """Request the counters from a run.

        Raises:
            LinkFailed: it does not answer.
        """
        return cls(client.ask("status"), client.ask("counts"), client.ask("guards"))


def measure(before: Sample, after: Sample) -> dict[str, Any]:
    """Derive statistics from two samples, as plain data.

    Returns:
        processes: by name, with `cpu` as the share of one processor.
        nodes: by name; `hz` is its rate of steps, `since` its counts between the samples.
        topics: by name; `hz` is its rate of publication.
        links: from a node to a subscribing process, with the median and the 99th percentile of the transport delay [s],
            and the number of messages dropped or passed over between the samples.
        guards, events: last report of each guard, last events of the run.
    """
    earlier = {process["name"]: process for process in before.status["processes"]}
    processes = {
        process["name"]: {**process, "cpu": _share(earlier.get(process["name"], {}), process)}
        for process in after.status["processes"]
    }
    return {
        "processes": processes,
        "nodes": _hertz(before, after, "nodes", "steps", "skipped", "starved", "dropped"),
        "topics": _hertz(before, after, "topics", "published"),
        "links": _links(before.counts, after.counts),
        "guards": after.guards,
        "events": after.status["events"],
        "pace": _pace(before.counts, after.counts),
    }


def _share(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    if "cpu_s" not in before or "cpu_s" not in after or before["pid"] != after["pid"]:
        return None
    return float((after["cpu_s"] - before["cpu_s"]) / max(after["up_s"] - before["up_s"], 1e-3))


def _since(before: int, after: int) -> int:
    """Return the difference of two counts; a process that was started again counts from 0."""
    return after - before if after >= before else after


def _hertz(before: Sample, after: Sample, what: str, *keys: str) -> dict[str, dict[str, Any]]:
    """Collect counts, with the rate of the first key by the clock of each process: not all answer at once."""
    rates: dict[str, dict[str, Any]] = {}
    for process, now in after.counts.items():
        then = before.counts.get(process)
        for name, count in (now or {}).get(what, {}).items():
            rates[name] = {**count, "hz": None, "since": {}}
            if then and now["now_ns"] > then["now_ns"]:
                seconds = (now["now_ns"] - then["now_ns"]) / SECOND
                since = {key: _since(then[what][name][key], count[key]) for key in keys}
                rates[name] |= {"hz": since[keys[0]] / seconds, "since": since}
    return rates


def _pace(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """Return the time of the world over the time of the clock; None where there is no world."""
    for name, count in after.items():
        then = before.get(name)
        if count and then and count["advanced_ns"] and count["now_ns"] > then["now_ns"]:
            return float((count["advanced_ns"] - then["advanced_ns"]) / (count["now_ns"] - then["now_ns"]))
    return None


def _links(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    then, now = _linked(before), _linked(after)
    links = []
    for (node, process), link in sorted(now.items()):
        old = then.get((node, process), {"delays": [0] * 64, "dropped": 0, "skipped": 0})
        delays = [_since(a, b) for a, b in zip(old["delays"], link["delays"], strict=True)]
        links.append(
            {
                "from": node,
                "to": process,
                "p50_s": quantile(delays, 0.5),
                "p99_s": quantile(delays, 0.99),
                "dropped": _since(old["dropped"], link["dropped"]),
                "skipped": _since(old["skipped"], link["skipped"]),
            }
        )
    return links


def _linked(counts: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """Merge what both ends of each link have counted, by node and subscribing process."""
    links: dict[tuple[str, str], dict[str, Any]] = {}
    empty = {"delays": [0] * 64, "dropped": 0, "skipped": 0}
    for process in counts.values():
        for link in (process or {}).get("links", ()):
            entry = links.setdefault((link["from"], link["to"]), dict(empty))
            entry["delays"] = link["delays"]
            entry["skipped"] += link["skipped"]
        for post in (process or {}).get("posts", ()):
            # Observers from outside are no part of the graph.
            if post["to"] in counts:
                entry = links.setdefault((post["from"], post["to"]), dict(empty))
                entry["dropped"] += post["dropped"]
                entry["skipped"] += post["skipped"]
    return links


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return a quantile of durations counted by powers of two, exact to a factor of two [s].

    Args:
        counts: number of durations by their length in bits [ns].
        share: 0.5 for the median.
    """
    left = share * sum(counts)
    for bits, count in enumerate(counts):
        if count and left <= count:
            low = 2 ** (bits - 1) if bits else 0
            high = 2**bits if bits else 0
            return (low + (high - low) * left / count) / SECOND
        left -= count
    return None
