"""Sweep over a grid of settings: one scenario a point, all with the same seeds.

Only the swept settings change. The default `max_age` of a wire follows from rates and latencies, so a slower detector
would be granted older messages; therefore every point keeps the ages of the launch file as it stands.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from embodied.clock import exact
from embodied.errors import LaunchError, Place, Problem
from embodied.graph.plan import Plan
from embodied.launch import Launch, load
from embodied.suite.seed_run import JUDGED, Scenario
from embodied.suite.summary import Summary

POINTS_MOST = 10_000
"""Maximum number of points of a grid."""

_QUANTITY = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)([A-Za-zµ]*)")


@dataclass(frozen=True, slots=True)
class Axis:
    """Axis of a sweep's grid: a setting with its values.

    Attributes:
        key: setting as in `--set`: `detector.latency`, `world.spread`, `robot`.
        values: values as in `--set`, in order.
        numbers: the values as numbers in one unit; None if they are not all numbers.
        unit: unit of the numbers.
    """

    key: str
    values: tuple[str, ...]
    numbers: tuple[float, ...] | None = None
    unit: str = ""

    @classmethod
    def parse(cls, text: str) -> Axis:
        """Parse `detector.latency=0:300ms:25ms`, both ends included, or `robot=panda,xarm6`.

        Raises:
            LaunchError: the text is neither.
        """
        key, sign, values = text.partition("=")
        if not (sign and key and values):
            raise _wrong(f"cannot read --over {text}", "write --over detector.latency=0:300ms:25ms")
        if values.count(":") == 2:
            return cls._range(key, values)
        listed = tuple(part.strip() for part in values.split(","))
        if not all(listed) or len(set(listed)) != len(listed):
            raise _wrong(f"--over {text}: a value is missing or repeated", "write --over robot=panda,xarm6")
        matches = [_QUANTITY.fullmatch(value) for value in listed]
        units = {match[2] for match in matches if match is not None and Decimal(match[1])}
        if all(matches) and len(units) <= 1:
            return cls(key, listed, tuple(float(match[1]) for match in matches if match), next(iter(units), ""))
        return cls(key, listed)

    @classmethod
    def _range(cls, key: str, text: str) -> Axis:
        matches = [_QUANTITY.fullmatch(part.strip()) for part in text.split(":")]
        units = {match[2] for match in matches if match is not None and Decimal(match[1])}
        try:
            first, last, step = (Decimal(match[1]) for match in matches if match is not None)
        except (ValueError, InvalidOperation):
            raise _wrong(f"cannot read the range '{text}' of {key}", "write FIRST:LAST:STEP, 0:300ms:25ms") from None
        if len(units) > 1:
            raise _wrong(f"the range '{text}' of {key} mixes units", "write all in one, 0:300ms:25ms")
        if step <= 0 or last < first:
            raise _wrong(f"the range '{text}' of {key} is empty or reversed", "write FIRST:LAST:STEP, 0:300ms:25ms")
        count = int((last - first) / step) + 1
        if count > POINTS_MOST:
            raise _wrong(f"the range '{text}' of {key} has {count} values", f"take at most {POINTS_MOST}")
        unit = next(iter(units), "")
        numbers = [first + n * step for n in range(count)]
        values = tuple(f"{number.normalize():f}{unit}" for number in numbers)
        return cls(key, values, tuple(map(float, numbers)), unit)

    def as_dict(self) -> dict[str, Any]:
        """Describe the axis as plain data, the inverse of `from_dict`."""
        numbers = None if self.numbers is None else list(self.numbers)
        return {"key": self.key, "values": list(self.values), "numbers": numbers, "unit": self.unit}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Axis:
        """Restore an axis from plain data."""
        numbers = None if data["numbers"] is None else tuple(data["numbers"])
        return cls(data["key"], tuple(data["values"]), numbers, data["unit"])


def grid(base: Scenario, axes: Sequence[Axis]) -> list[Scenario]:
    """Return a scenario for each point of a sweep's grid, the last axis fastest.

    Raises:
        LaunchError: there is no such setting, or a value is not allowed.
    """
    count = 1
    for axis in axes:
        count *= len(axis.values)
    keys = [axis.key for axis in axes]
    if len(set(keys)) != len(keys):
        raise _wrong(f"'{max(keys, key=keys.count)}' is swept twice", "give each setting one --over")
    if count > POINTS_MOST:
        raise _wrong(f"the grid has {count} points", f"take at most {POINTS_MOST}")
    launched = _plan(load(base.file, base.overrides), base.profile)
    points = []
    for values in itertools.product(*(axis.values for axis in axes)):
        swept = tuple(f"{key}={value}" for key, value in zip(keys, values, strict=True))
        sets = (*base.overrides.sets, *swept)
        try:
            over = replace(base.overrides, sets=sets)
            pinned = _pins(launched, _plan(load(base.file, over), base.profile), sets)
            over = replace(over, sets=(*sets, *pinned))
        except LaunchError as error:
            raise LaunchError([_placed_at_over(problem, swept) for problem in error.problems]) from None
        name = re.sub(r"[^\w.=+@~-]", "_", f"{base.name}@{','.join(swept)}")
        points.append(Scenario(name, base.file, base.profile, over, base.limit))
    return points


def _plan(launch: Launch, profile: str | None) -> Plan:
    return launch.graph(profile).check()


def _pins(launched: Plan, point: Plan, sets: Sequence[str]) -> Iterator[str]:
    """Yield the settings that keep the ages of a point's wires as in the launch file."""
    given = {text.partition("=")[0] for text in sets}
    for name, node in point.nodes.items():
        for port, source in node.sources.items():
            before = launched.nodes[name].sources.get(port) if name in launched.nodes else None
            key = f"{name}.{port}.max_age"
            if before is None or before.max_age in (None, source.max_age) or key in given:
                continue
            yield f"{key}={exact(before.max_age)}"


def _placed_at_over(problem: Problem, swept: Sequence[str]) -> Problem:
    place = problem.place
    if place is None or place.file != "--set" or place.text not in swept:
        return problem
    return replace(problem, place=Place("--over", place.line, place.column, place.text, place.width))


@dataclass(frozen=True, slots=True)
class Point:
    """Statistics of one point of a sweep's grid over its seeds.

    Attributes:
        values: value by setting.
        passed, total, rate, low, high: number and share of seeds that passed, and its 95 % interval.
        broken: number of seeds without a verdict.
        dropped: messages lost to faults and full queues, in all seeds.
        duration: mean simulated time of the seeds that passed [s]; None if none did.
    """

    values: Mapping[str, str]
    passed: int
    total: int
    rate: float
    low: float
    high: float
    broken: int
    dropped: int
    duration: float | None

    def as_dict(self) -> dict[str, Any]:
        """Describe the point as plain data."""
        return {
            "values": dict(self.values),
            "passed": self.passed,
            "total": self.total,
            "rate": round(self.rate, 6),
            "wilson_95": [round(self.low, 4), round(self.high, 4)],
            "broken": self.broken,
            "dropped": self.dropped,
            "mean_duration_s": None if self.duration is None else round(self.duration, 3),
        }


def points(summary: Summary, axes: Sequence[Axis]) -> list[Point]:
    """Summarise each point of a sweep's grid, in the order of `grid`."""
    statistics = []
    for scenario, values in zip(summary.scenarios, itertools.product(*(axis.values for axis in axes)), strict=True):
        tally = summary.tally(scenario)
        low, high = tally.interval
        times = [r.outcome["simulated_s"] for r in tally.results if r.status == "passed"]
        statistics.append(
            Point(
                dict(zip((axis.key for axis in axes), values, strict=True)),
                tally.passed,
                len(tally.results),
                tally.rate,
                low,
                high,
                sum(result.status not in JUDGED for result in tally.results),
                tally.dropped,
                sum(times) / len(times) if times else None,
            )
        )
    return statistics


def _wrong(message: str, *help_: str) -> LaunchError:
    return LaunchError([Problem("E004", message, help=help_)])
