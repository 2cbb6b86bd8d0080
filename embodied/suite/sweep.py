"""A grid of settings: the same seeds at each of its points, and what came of them.

Only what is swept changes. A wire's age follows from rates and latencies unless it is written, so a slower detector
would be forgiven its own slowness; at every point the ages stay what they are in the file as launched.
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
from embodied.suite.seed_run import Scenario
from embodied.suite.summary import Summary

MOST = 10_000
"""Points of a grid."""

_QUANTITY = re.compile(r"([-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?)([A-Za-zµ]*)")


@dataclass(frozen=True, slots=True)
class Axis:
    """One setting that is swept.

    Attributes:
        key: as in `--set`: `detector.latency`, `world.spread`, `robot`.
        values: as in `--set`, in their order.
        numbers: the same as numbers, in one unit; None where they are none.
        unit: of the numbers.
    """

    key: str
    values: tuple[str, ...]
    numbers: tuple[float, ...] | None = None
    unit: str = ""

    @classmethod
    def of(cls, written: str) -> Axis:
        """What people write: `detector.latency=0:300ms:25ms`, both ends included, or `robot=panda,xarm6`.

        Raises:
            LaunchError: it is neither.
        """
        key, sign, values = written.partition("=")
        if not (sign and key and values):
            raise _wrong(f"cannot read --over {written}", "write --over detector.latency=0:300ms:25ms")
        if values.count(":") == 2:
            return cls._range(key, values)
        listed = tuple(part.strip() for part in values.split(","))
        if not all(listed) or len(set(listed)) != len(listed):
            raise _wrong(
                f"--over {written}: a value is missing or stands there twice", "write --over robot=panda,xarm6"
            )
        found = [_QUANTITY.fullmatch(value) for value in listed]
        units = {match[2] for match in found if match is not None and Decimal(match[1])}
        if all(found) and len(units) <= 1:
            return cls(key, listed, tuple(float(match[1]) for match in found if match), next(iter(units), ""))
        return cls(key, listed)

    @classmethod
    def _range(cls, key: str, written: str) -> Axis:
        matches = [_QUANTITY.fullmatch(part.strip()) for part in written.split(":")]
        units = {match[2] for match in matches if match is not None and Decimal(match[1])}
        try:
            first, last, step = (Decimal(match[1]) for match in matches if match is not None)
        except (ValueError, InvalidOperation):
            raise _wrong(f"cannot read the range '{written}' of {key}", "write FIRST:LAST:STEP, 0:300ms:25ms") from None
        if len(units) > 1:
            raise _wrong(f"the range '{written}' of {key} mixes units", "write all in one, 0:300ms:25ms")
        if step <= 0 or last < first:
            raise _wrong(f"the range '{written}' of {key} is empty or reversed", "write FIRST:LAST:STEP, 0:300ms:25ms")
        count = int((last - first) / step) + 1
        if count > MOST:
            raise _wrong(f"the range '{written}' of {key} has {count} values", f"take at most {MOST}")
        unit = next(iter(units), "")
        numbers = [first + n * step for n in range(count)]
        values = tuple(f"{number.normalize():f}{unit}" for number in numbers)
        return cls(key, values, tuple(map(float, numbers)), unit)

    def as_dict(self) -> dict[str, Any]:
        """Plain data, from which `from_dict` makes an equal one."""
        numbers = None if self.numbers is None else list(self.numbers)
        return {"key": self.key, "values": list(self.values), "numbers": numbers, "unit": self.unit}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Axis:
        """The axis that `as_dict` described."""
        numbers = None if data["numbers"] is None else tuple(data["numbers"])
        return cls(data["key"], tuple(data["values"]), numbers, data["unit"])


def grid(base: Scenario, axes: Sequence[Axis]) -> list[Scenario]:
    """A scenario for each point, the last axis fastest.

    Raises:
        LaunchError: there is no such setting, or it may not have such a value.
    """
    count = 1
    for axis in axes:
        count *= len(axis.values)
    keys = [axis.key for axis in axes]
    if len(set(keys)) != len(keys):
        raise _wrong(f"'{max(keys, key=keys.count)}' is swept twice", "give each setting one --over")
    if count > MOST:
        raise _wrong(f"the grid has {count} points", f"take at most {MOST}")
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
            raise LaunchError([_of_sweep(problem, swept) for problem in error.problems]) from None
        name = re.sub(r"[^\w.=+@~-]", "_", f"{base.name}@{','.join(swept)}")
        points.append(Scenario(name, base.file, base.profile, over, base.limit))
    return points


def _plan(launch: Launch, profile: str | None) -> Plan:
    return launch.graph(profile).check()


def _pins(launched: Plan, point: Plan, sets: Sequence[str]) -> Iterator[str]:
    """What keeps the ages of a point's wires as they are launched."""
    written = {text.partition("=")[0] for text in sets}
    for name, node in point.nodes.items():
        for port, source in node.sources.items():
            before = launched.nodes[name].sources.get(port) if name in launched.nodes else None
            key = f"{name}.{port}.max_age"
            if before is None or before.max_age in (None, source.max_age) or key in written:
                continue
            yield f"{key}={exact(before.max_age)}"


def _of_sweep(problem: Problem, swept: Sequence[str]) -> Problem:
    place = problem.place
    if place is None or place.file != "--set" or place.text not in swept:
        return problem
    return replace(problem, place=Place("--over", place.line, place.column, place.text, place.width))


@dataclass(frozen=True, slots=True)
class Point:
    """What came of one point of a grid.

    Attributes:
        values: by setting.
        passed, total, rate, low, high: how many seeds passed, and the 95 % interval of their share.
        broken: seeds that broke down and say nothing.
        dropped: messages lost by faults and full lists, in all seeds.
        duration: mean simulated time of the seeds that passed [s]; None where none did.
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
        """Plain data."""
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
    """What came of each point of a grid, in the order of `grid`."""
    found = []
    for scenario, values in zip(summary.scenarios, itertools.product(*(axis.values for axis in axes)), strict=True):
        tally = summary.of(scenario)
        low, high = tally.interval
        times = [r.outcome["simulated_s"] for r in tally.results if r.status == "passed"]
        found.append(
            Point(
                dict(zip((axis.key for axis in axes), values, strict=True)),
                tally.passed,
                len(tally.results),
                tally.rate,
                low,
                high,
                sum(result.status not in ("passed", "failed", "nondeterministic") for result in tally.results),
                tally.dropped,
                sum(times) / len(times) if times else None,
            )
        )
    return found


def _wrong(what: str, *help_: str) -> LaunchError:
    return LaunchError([Problem("E004", what, help=help_)])
