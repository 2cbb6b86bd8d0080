"""Divergence of a run from one that passed: the phases, words and guards of both timelines, compared in their order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

DIFFERENCES_MOST = 8
"""Largest number of differences in a report; the earliest count most."""

STILL_ALIVE = 0.1
"""Share of a run before its end in which a node that published last counts as publishing to the end."""


def divergence(run: Mapping[str, Any], passed: Mapping[str, Any]) -> list[str]:
    """Say in sentences where a run went another way than one that passed, the earliest first.

    Args:
        run: plain data of its `Timeline`.
        passed: that of a run of the same graph that passed.
    """
    found = [
        *_courses(run.get("bands", {}), passed.get("bands", {})),
        *_courses(_states(run["guards"]), _states(passed["guards"])),
        *_silences(run, passed),
    ]
    return [text for _, text in sorted(found, key=lambda entry: entry[0])[:DIFFERENCES_MOST]]


def _states(guards: Mapping[str, Any]) -> dict[str, Any]:
    """Return the states of guards as bands; what they clip comes and goes in every run, and counts as following."""
    bands: dict[str, Any] = {}
    for name, spans in guards.items():
        states = bands.setdefault(f"guard {name}", [])
        for begin, until, state, *_ in spans:
            word = "following" if state == "clipping" else state
            if states and states[-1][2] == word:
                states[-1][1] = until
            else:
                states.append([begin, until, word])
    return bands


def _courses(here: Mapping[str, Any], there: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    for name, spans in here.items():
        other = there.get(name)
        if not spans or not other:
            continue
        same = _common(spans, other)
        if same == len(spans) == len(other):
            continue
        if same == len(spans):
            begin, _, value = spans[-1]
            turn = other[same]
            yield (
                begin,
                f"{name} stays {value} from {begin:.2f} s; the run that passed went on to {turn[2]} at {turn[0]:.2f} s",
            )
        elif same == len(other):
            begin, _, value = spans[same]
            yield begin, f"{name} goes on to {value} at {begin:.2f} s; the run that passed ended in {other[-1][2]}"
        else:
            (begin, _, value), turn = spans[same], other[same]
            yield (
                begin,
                f"{name} is {value} from {begin:.2f} s; in the run that passed it is {turn[2]} from {turn[0]:.2f} s",
            )


def _common(spans: Sequence[Any], others: Sequence[Any]) -> int:
    """Return how many values two courses have in common from the start."""
    pairs = zip(spans, others, strict=False)
    return next((at for at, (one, other) in enumerate(pairs) if one[2] != other[2]), min(len(spans), len(others)))


def _silences(run: Mapping[str, Any], passed: Mapping[str, Any]) -> Iterator[tuple[float, str]]:
    """Yield the nodes that fell silent, or never published, and did in the run that passed."""
    for name, spans in run["nodes"].items():
        if not _to_the_end(passed["nodes"].get(name), passed["end"]) or _to_the_end(spans, run["end"]):
            continue
        last = spans[-1][1] if spans else 0.0
        when = f"publishes last at {last:.2f} s" if spans else "never publishes"
        yield last, f"{name} {when}; in the run that passed it did to its end"


def _to_the_end(spans: Sequence[Any] | None, end: float) -> bool:
    return bool(spans) and spans is not None and spans[-1][1] >= end * (1 - STILL_ALIVE)
