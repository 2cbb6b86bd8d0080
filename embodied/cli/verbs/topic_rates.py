"""`embodied topic hz`, `bw` and `delay`: how often, how much and how late, until Ctrl-C or for a stated time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import typer

from embodied.cli.common.output import ForOption, JsonOption, ending, err, out, print_json, time_limit
from embodied.cli.common.running import RunOption
from embodied.cli.common.topic_stream import Seen, watch
from embodied.cli.verbs.topic_echo import TopicArgument
from embodied.clock import SECOND
from embodied.messages.schema import Message, schema

TOLD = 1.0
"""Between two lines [s]."""

KEPT = 10_000
"""Numbers are over so many of the last messages."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What is kept of a message: not itself, for a picture held is memory held.

    Attributes:
        stamp: when it was published [ns].
        age: since then [ns]; None of what was there before anyone looked, for it has waited for that.
        since: how long ago what it shows was acquired [ns]; None where it does not say, or was there before.
        size: what it carries [B].
        skipped: how many were passed over for it.
    """

    stamp: int
    age: int | None
    since: int | None
    size: int
    skipped: int

    @classmethod
    def of(cls, seen: Seen) -> Sample:
        """What is kept of a message."""
        age = None if seen.before else seen.age
        acquired = getattr(seen.message, "acquired", None)
        since = None if age is None or acquired is None else seen.stamp + age - acquired
        return cls(seen.stamp, age, since, size(seen.message), seen.skipped)


Look = Callable[[list[Sample]], dict[str, Any]]


def hz(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """How often a topic is published: the rate, and the time between two messages."""

    def look(seen: list[Sample]) -> dict[str, Any]:
        # Across those that were passed over nothing is known of the time between two.
        gaps = [b.stamp - a.stamp for a, b in pairwise(seen) if not b.skipped]
        found = spread(np.array(gaps) / SECOND, "s")
        return {"rate_hz": None if found["mean_s"] in (None, 0.0) else 1 / found["mean_s"], **found}

    def line(found: dict[str, Any]) -> str:
        if found["rate_hz"] is None:
            return "no two messages"
        return f"{found['rate_hz']:.4g} Hz  {told(found, 's', 1e3, 'ms')}"

    _measure(topic, until, run, as_json, look, line)


def bw(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """How much a topic carries: bytes a second, and the size of a message."""

    def look(seen: list[Sample]) -> dict[str, Any]:
        sizes = [one.size for one in seen]
        span = (seen[-1].stamp - seen[0].stamp) / SECOND if seen else 0.0
        # Those that were passed over count as the mean of those that were seen.
        later = sum(1 + one.skipped for one in seen[1:])
        rate = later * float(np.mean(sizes)) / span if span > 0 else None
        return {"bytes_per_s": rate, **spread(np.array(sizes), "B")}

    def line(found: dict[str, Any]) -> str:
        rate = "" if found["bytes_per_s"] is None else f"{found['bytes_per_s'] / 1e3:.4g} kB/s  "
        return f"{rate}{told(found, 'B', 1e-3, 'kB')}"

    _measure(topic, until, run, as_json, look, line)


def delay(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """How old messages are when they arrive here: since they were published, and since what they show was acquired."""

    def look(seen: list[Sample]) -> dict[str, Any]:
        ages = {"published": [one.age for one in seen], "acquired": [one.since for one in seen]}
        known = {what: np.array([age for age in found if age is not None]) for what, found in ages.items()}
        found = {
            what: spread(found / SECOND, "s") for what, found in known.items() if what == "published" or found.size
        }
        return {**found["published"], "since": found}

    def line(found: dict[str, Any]) -> str:
        return "; ".join(f"since {what} {told(ages, 's', 1e3, 'ms')}" for what, ages in found["since"].items())

    _measure(topic, until, run, as_json, look, line)


def _measure(
    topic: str, until: str | None, run: str | None, as_json: bool, look: Look, line: Callable[[dict[str, Any]], str]
) -> None:
    """Take messages, say what they tell once a second, and at the end."""
    with ending(as_json):
        limit = time_limit(until)
        seen: list[Sample] = []
        skipped = 0
        status = err.status("waiting for a message") if err.is_terminal and not as_json else None
        after = time.monotonic() + TOLD
        try:
            if status is not None:
                status.start()
            for one in watch(run, topic, None if limit is None else limit / SECOND):
                seen.append(Sample.of(one))
                skipped += one.skipped
                if time.monotonic() < after:
                    continue
                after = time.monotonic() + TOLD
                del seen[:-KEPT]
                if status is not None:
                    status.update(line(look(seen)))
                elif limit is None and not as_json:
                    out.print(line(look(seen)), markup=False)
        except KeyboardInterrupt:
            # So it is ended, where no time is stated.
            pass
        finally:
            if status is not None:
                status.stop()
        found = look(seen[-KEPT:])
        found["skipped"] = skipped
        if as_json:
            print_json({"topic": topic, **found})
        elif not seen:
            out.print("nothing was published")
        else:
            missed = f"; {found['skipped']} were not seen" if found["skipped"] else ""
            out.print(line(found) + missed, markup=False)
    raise typer.Exit(0 if seen else 1)


def spread(values: Iterable[float], unit: str) -> dict[str, Any]:
    """Mean, least, greatest, standard deviation and number of some values; None where there are none."""
    array = np.fromiter(values, float)
    names = ("mean", "min", "max", "sd")
    if not array.size:
        return {"count": 0, **{f"{name}_{unit}": None for name in names}}
    found = (array.mean(), array.min(), array.max(), array.std())
    return {"count": int(array.size), **{f"{n}_{unit}": float(v) for n, v in zip(names, found, strict=True)}}


def told(found: dict[str, Any], unit: str, factor: float, shown: str) -> str:
    """A spread for people.

    Args:
        found: from `spread`.
        unit: of its values.
        factor: to the unit that is shown.
        shown: that unit.
    """
    if not found["count"]:
        return "not known, of no new message"
    parts = [f"{name} {found[f'{name}_{unit}'] * factor:.4g}" for name in ("mean", "min", "max", "sd")]
    return f"{', '.join(parts)} {shown} over {found['count']}"


def size(message: Message) -> int:
    """What a message carries, without its frame [B]."""
    total = 0
    for field in schema(type(message)):
        value = getattr(message, field.name)
        if isinstance(value, np.ndarray):
            total += value.nbytes
        elif isinstance(value, str):
            total += len(value.encode())
        elif isinstance(value, tuple):
            total += sum(len(text.encode()) for text in value)
        elif value is not None:
            total += 1 if field.kind == "bool" else 8
    return total
