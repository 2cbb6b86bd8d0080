"""Shapes of a suite's files as plain data, see `stored`: a scenario, a result, a specification and a summary."""

from __future__ import annotations

from typing import Any

SCENARIO: dict[str, Any] = {
    "name": str,
    "file": str,
    "profile": (str, None),
    "world": (str, None),
    "site": (str, None),
    "swap": [str],
    "set": [str],
    "for_ns": (int, None),
    "live?": bool,
}

_FAULT = {"fault": str, "kind": str, "target": str, "at_s": float, "for_s": (float, None), "steps": int}

_GUARD = {"clips": int, "refusals": int, "clip?": str, "refusal?": str}

_SPAN = [float, float]
"""From, to [s]."""

_BAND = [float, float, str]
"""From, to [s], and its value."""

_GUARD_SPAN = [float, float, str, str]
"""From, to [s], its state and the first reason for it."""

_MESSAGE = [float, str]
"""Time of a topic's last message [s], and its fields."""

RESULT: dict[str, Any] = {
    "scenario": str,
    "seed": int,
    "status": ("passed", "failed", "nondeterministic", "error", "infrastructure"),
    "reason?": str,
    "digest?": str,
    "simulated_s?": float,
    "dropped?": int,
    "faults?": [_FAULT],
    "guards?": {...: _GUARD},
    "about?": {...: str},
    "note?": str,
    "episode_s?": float,
    "reruns?": [str],
    "timeline?": {
        "end": float,
        "nodes": {...: [_SPAN]},
        "guards": {...: [_GUARD_SPAN]},
        "bands?": {...: [_BAND]},
        "last?": {...: (_MESSAGE, None)},
        "beside?": {"seed": int, "differences": [str]},
    },
    "video?": str,
    "filmstrip?": str,
    "logs?": str,
    "output?": str,
}

SPEC: dict[str, Any] = {
    "scenarios": [SCENARIO],
    "seeds": [int],
    "repeat": int,
    "films": ("failures", "all", "none"),
    "graphs": {...: str},
    "versions": {...: (str, None)},
}

SUMMARY: dict[str, Any] = {
    "complete": bool,
    "scenarios": [{"name": str, "about?": {...: str}, "seeds": [{"seed": int, "status": str, "digest?": str}]}],
}

AXES: list[Any] = [{"key": str, "values": [str], "numbers": ([float], None), "unit": str}]
