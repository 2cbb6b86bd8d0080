"""`embodied topic hz`, `bw` and `delay`: rate, bandwidth and latency of a topic, until Ctrl-C or for a stated time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import typer

from embodied.cli.common.options import ForOption, JsonOption, time_limit
from embodied.cli.common.output import err, exit_on_error, out, print_json
from embodied.cli.common.running import RunOption
from embodied.cli.common.topic_stream import Received, TopicArgument, watch
from embodied.clock import SECOND
from embodied.messages.schema import Message, schema

LINE_PERIOD = 1.0
"""Time between two lines of intermediate results [s]."""

WINDOW = 10_000
"""Number of the latest messages that statistics are over."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Sample of a topic: times and size of a message, which itself is not kept, since pictures would fill the memory.

    Attributes:
        stamp: time of publication [ns].
        age: time from publication to reception [ns]; None for a message from before the subscription.
        since: time from acquisition to reception [ns]; None where it is unknown.
        size: size of the message [B].
        skipped: number of messages that were passed over before it.
    """

    stamp: int
    age: int | None
    since: int | None
    size: int
    skipped: int

    @classmethod
    def of(cls, received: Received) -> Sample:
        """Extract times and size from a received message."""
        age = None if received.before else received.age
        acquired = getattr(received.message, "acquired", None)
        since = None if age is None or acquired is None else received.stamp + age - acquired
        return cls(received.stamp, age, since, size(received.message), received.skipped)


Statistics = dict[str, Any]


def hz(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Measure the publication rate of a topic, and the time between two messages."""

    def compute(samples: list[Sample]) -> Statistics:
        # A gap with messages passed over in it is no period.
        gaps = [b.stamp - a.stamp for a, b in pairwise(samples) if not b.skipped]
        periods = spread(np.array(gaps) / SECOND, "s")
        return {"rate_hz": None if periods["mean_s"] in (None, 0.0) else 1 / periods["mean_s"], **periods}

    def line(statistics: Statistics) -> str:
        if statistics["rate_hz"] is None:
            return "no two messages"
        return f"{statistics['rate_hz']:.4g} Hz  {spread_line(statistics, 's', 1e3, 'ms')}"

    _measure(topic, until, run, as_json, compute, line)


def bw(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Measure the bandwidth of a topic in bytes per second, and the size of a message."""

    def compute(samples: list[Sample]) -> Statistics:
        sizes = [sample.size for sample in samples]
        span = (samples[-1].stamp - samples[0].stamp) / SECOND if samples else 0.0
        # Messages that were passed over count with the mean size of the others.
        later = sum(1 + sample.skipped for sample in samples[1:])
        rate = later * float(np.mean(sizes)) / span if span > 0 else None
        return {"bytes_per_s": rate, **spread(np.array(sizes), "B")}

    def line(statistics: Statistics) -> str:
        rate = "" if statistics["bytes_per_s"] is None else f"{statistics['bytes_per_s'] / 1e3:.4g} kB/s  "
        return f"{rate}{spread_line(statistics, 'B', 1e-3, 'kB')}"

    _measure(topic, until, run, as_json, compute, line)


def delay(topic: TopicArgument, *, until: ForOption = None, run: RunOption = None, as_json: JsonOption = False) -> None:
    """Measure the latency of a topic: from publication to reception here, and from acquisition where it is known."""

    def compute(samples: list[Sample]) -> Statistics:
        ages = {"published": [sample.age for sample in samples], "acquired": [sample.since for sample in samples]}
        known = {event: np.array([age for age in values if age is not None]) for event, values in ages.items()}
        spreads = {
            event: spread(values / SECOND, "s")
            for event, values in known.items()
            if event == "published" or values.size
        }
        return {**spreads["published"], "since": spreads}

    def line(statistics: Statistics) -> str:
        since = statistics["since"].items()
        return "; ".join(f"since {event} {spread_line(ages, 's', 1e3, 'ms')}" for event, ages in since)

    _measure(topic, until, run, as_json, compute, line)


def _measure(
    topic: str,
    until: str | None,
    run: str | None,
    as_json: bool,
    compute: Callable[[list[Sample]], Statistics],
    line: Callable[[Statistics], str],
) -> None:
    """Collect samples of a topic, and print their statistics once a second and at the end."""
    with exit_on_error(as_json):
        limit = time_limit(until)
        samples: list[Sample] = []
        skipped = 0
        status = err.status("waiting for a message") if err.is_terminal and not as_json else None
        next_line = time.monotonic() + LINE_PERIOD
        try:
            if status is not None:
                status.start()
            for received in watch(run, topic, None if limit is None else limit / SECOND):
                samples.append(Sample.of(received))
                skipped += received.skipped
                if time.monotonic() < next_line:
                    continue
                next_line = time.monotonic() + LINE_PERIOD
                del samples[:-WINDOW]
                if status is not None:
                    status.update(line(compute(samples)))
                elif limit is None and not as_json:
                    out.print(line(compute(samples)), markup=False)
        except KeyboardInterrupt:
            # Without --for, Ctrl-C is the way to end it.
            pass
        finally:
            if status is not None:
                status.stop()
        statistics = compute(samples[-WINDOW:])
        statistics["skipped"] = skipped
        if as_json:
            print_json({"topic": topic, **statistics})
        elif not samples:
            out.print("nothing was published")
        else:
            missed = f"; {skipped} were passed over" if skipped else ""
            out.print(line(statistics) + missed, markup=False)
    raise typer.Exit(0 if samples else 1)


def spread(values: Iterable[float], unit: str) -> Statistics:
    """Return mean, minimum, maximum, deviation and number of a topic's values; None for each if there are no values."""
    array = np.fromiter(values, float)
    names = ("mean", "min", "max", "sd")
    if not array.size:
        return {"count": 0, **{f"{name}_{unit}": None for name in names}}
    moments = (array.mean(), array.min(), array.max(), array.std())
    return {"count": int(array.size), **{f"{n}_{unit}": float(v) for n, v in zip(names, moments, strict=True)}}


def spread_line(statistics: Statistics, unit: str, factor: float, shown_unit: str) -> str:
    """Format the result of `spread` for `embodied topic hz`, `bw` and `delay`.

    Args:
        statistics: result of `spread`.
        unit: unit of its values.
        factor: factor from that unit to the one that is shown.
        shown_unit: unit that is shown.
    """
    if not statistics["count"]:
        return "not known, of no new message"
    parts = [f"{name} {statistics[f'{name}_{unit}'] * factor:.4g}" for name in ("mean", "min", "max", "sd")]
    return f"{', '.join(parts)} {shown_unit} over {statistics['count']}"


def size(message: Message) -> int:
    """Return the size of a message's fields for its topic's bandwidth, without framing [B]."""
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
