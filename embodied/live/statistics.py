"""Statistics of a live run: rates, latencies and losses from the counters of two samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from embodied.clock import SECOND
from embodied.live.client import Client

EVERY = 1.0
"""Between two looks, for people [s]."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters and status of a live run at one time, for its statistics.

    Attributes:
        status: its processes and what happened to them.
        counts: by process; None for one that does not answer.
        guards: last report of each.
    """

    status: dict[str, Any]
    counts: dict[str, Any]
    guards: dict[str, Any]

    @classmethod
    def take(cls, client: Client) -> Sample:
        """Take a sample from a run.

        Raises:
            LinkFailed: it does not answer.
        """
        return cls(client.ask("status"), client.ask("counts"), client.ask("guards"))


def measure(before: Sample, after: Sample) -> dict[str, Any]:
    """Compute the statistics between two samples of a live run, as plain data: rates, latencies and losses.

    Returns:
        processes: by name, with `cpu` as the share of one processor.
        nodes: by name; `hz` is how often it stepped, `since` what was counted between the looks.
        topics: by name; `hz` is how often it was published.
        links: from a node to a process that takes from it, with the median and the 99th percentile of how long
            messages were under way [s], and how many were dropped or passed over between the samples.
        guards, events: the last reports and events.
    """
    then = {process["name"]: process for process in before.status["processes"]}
    processes = {
        process["name"]: {**process, "cpu": _share(then.get(process["name"], {}), process)}
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
    """What was counted in between; a process that was started again counts from 0."""
    return after - before if after >= before else after


def _hertz(before: Sample, after: Sample, what: str, *keys: str) -> dict[str, dict[str, Any]]:
    """What processes counted, and how often the first of it happened, by the clock of each: not all answer at once."""
    found: dict[str, dict[str, Any]] = {}
    for process, now in after.counts.items():
        then = before.counts.get(process)
        for name, count in (now or {}).get(what, {}).items():
            found[name] = {**count, "hz": None, "since": {}}
            if then and now["now_ns"] > then["now_ns"]:
                seconds = (now["now_ns"] - then["now_ns"]) / SECOND
                since = {key: _since(then[what][name][key], count[key]) for key in keys}
                found[name] |= {"hz": since[keys[0]] / seconds, "since": since}
    return found


def _pace(before: Mapping[str, Any], after: Mapping[str, Any]) -> float | None:
    """How fast the world's time passes beside the clock; None where there is no world."""
    for name, count in after.items():
        then = before.get(name)
        if count and then and count["advanced_ns"] and count["now_ns"] > then["now_ns"]:
            return float((count["advanced_ns"] - then["advanced_ns"]) / (count["now_ns"] - then["now_ns"]))
    return None


def _links(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[dict[str, Any]]:
    then, now = _linked(before), _linked(after)
    found = []
    for (node, process), link in sorted(now.items()):
        old = then.get((node, process), {"delays": [0] * 64, "dropped": 0, "skipped": 0})
        delays = [_since(a, b) for a, b in zip(old["delays"], link["delays"], strict=True)]
        found.append(
            {
                "from": node,
                "to": process,
                "p50_s": quantile(delays, 0.5),
                "p99_s": quantile(delays, 0.99),
                "dropped": _since(old["dropped"], link["dropped"]),
                "skipped": _since(old["skipped"], link["skipped"]),
            }
        )
    return found


def _linked(counts: Mapping[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """By node and taking process, what both ends of the link have counted."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    empty = {"delays": [0] * 64, "dropped": 0, "skipped": 0}
    for process in counts.values():
        for link in (process or {}).get("links", ()):
            entry = found.setdefault((link["from"], link["to"]), dict(empty))
            entry["delays"] = link["delays"]
            entry["skipped"] += link["skipped"]
        for post in (process or {}).get("posts", ()):
            # Whoever looks from outside is no part of the graph.
            if post["to"] in counts:
                entry = found.setdefault((post["from"], post["to"]), dict(empty))
                entry["dropped"] += post["dropped"]
                entry["skipped"] += post["skipped"]
    return found


def quantile(counts: Sequence[int], share: float) -> float | None:
    """Return a quantile of durations that were counted by powers of two, exact to a factor of two [s].

    Args:
        counts: number of latencies by their length in bits [ns].
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
