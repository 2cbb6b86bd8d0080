"""Faults to inject into a run, as data of the graph: kind, target and time, before anything runs.

    graph.fault("silence", "detector", at="2s", for_="500ms")
    graph.fault("drop", "camera", share=0.2)
    graph.fault("noise", "arm.state", field="position", sd=0.002)

A fault affects a node, or one of its outputs. It changes no wire and no age: those stay as launched. Random numbers
depend on the run's seed, the target and the kind alone, so that neither a process nor the order of listing matters, and
a larger share drops every message that a smaller one drops while the runs are still alike.
"""

from __future__ import annotations

import dataclasses
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from embodied.clock import duration, show
from embodied.errors import Place, nearest
from embodied.messages.schema import Field, schema
from embodied.node.node import generator
from embodied.node.ports import Output, Ports
from embodied.node.settings import SettingError

KINDS: Mapping[str, tuple[str, ...]] = {
    "silence": (),
    "kill": (),
    "drop": ("share",),
    "delay": ("by",),
    "stuck": (),
    "noise": ("field", "sd"),
}
"""Required parameters of each kind of fault, beside its target."""

ON_TOPIC = ("stuck", "noise")
"""Kinds that affect one output; the others affect a node."""

NOISY = ("float16", "float32", "float64", "uint8")
"""Types of arrays that noise can be added to; 8-bit images are rounded and stay within 0 to 255."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Duration in a fault's data, or a range from which it is drawn [ns]."""

    low: int
    high: int

    @classmethod
    def of(cls, written: object) -> Span:
        """Parse a span as people write it: `"2s"`, or `{"from": "1s", "to": "8s"}`.

        Raises:
            ValueError: it is neither a duration nor a range.
        """
        if not isinstance(written, Mapping):
            length = duration(written)
            return cls(length, length)
        if set(written) != {"from", "to"}:
            raise ValueError(f"expected a duration, or a range {{from: 1s, to: 8s}}, got {dict(written)!r}")
        low, high = duration(written["from"]), duration(written["to"])
        if high < low:
            raise ValueError(f"the range ends at {written['to']}, before it begins at {written['from']}")
        return cls(low, high)

    def drawn(self, rng: np.random.Generator) -> int:
        """Draw a time, uniformly from the range with both ends [ns]."""
        return int(rng.integers(self.low, self.high, endpoint=True))

    def plain(self) -> int | dict[str, int]:
        """Return plain data: a number, or a range [ns]."""
        return self.low if self.low == self.high else {"from": self.low, "to": self.high}

    def __str__(self) -> str:
        return show(self.low) if self.low == self.high else f"{show(self.low)} to {show(self.high)}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Fault of a run as data of the graph, with its target and its time.

    Attributes:
        kind: one of `KINDS`.
        target: a node, or `node.port`; a bare node means its first output where the kind affects one.
        at: start of the fault, from the start of the run [ns].
        length: duration [ns]; None: to the end of the run.
        share: for drop, the probability that the outputs of a step are lost.
        by: for delay, addition to the node's latency [ns].
        field: for noise, the field of the message.
        sd: for noise, the standard deviation, in the field's unit.
        places: of its parts in a file, by key; the empty tuple is the whole.
    """

    kind: str
    target: str
    at: Span = Span(0, 0)
    length: Span | None = None
    share: float = 0.0
    by: int = 0
    field: str = ""
    sd: float = 0.0
    places: Mapping[tuple[str, ...], Place] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    @classmethod
    def of(cls, kind: str, target: str, about: Mapping[str, Any]) -> Fault:
        """Parse a fault as people write it.

        Args:
            kind: one of `KINDS`.
            target: a node, or `node.port`.
            about: `at`, `for`, and the parameters of the kind, as in a launch file; None counts as absent.

        Raises:
            SettingError: a value is invalid; the path of the error is its key.
        """
        if kind not in KINDS:
            raise SettingError(f"there is no fault '{kind}'", (kind,), nearest(kind, KINDS))
        given = {key: value for key, value in about.items() if value is not None}
        allowed = ("at", *(() if kind == "kill" else ("for",)), *KINDS[kind])
        for key in given:
            if key not in allowed:
                fix = ("a kill is for good: write 'silence'",) if (kind, key) == ("kill", "for") else ()
                fix = fix or (f"it has {', '.join(allowed)}",)
                raise SettingError(f"'{kind}' has no '{key}'", (key,), fix)
        for key in KINDS[kind]:
            if key not in given:
                raise SettingError(f"'{kind}' needs '{key}'", (kind,), (f"add '{_EXAMPLES[key]}'",))
        made = {_NAMES.get(key, key): _value(key, value) for key, value in given.items()}
        return cls(kind, target, **made)

    @property
    def node(self) -> str:
        """Name of the node that the fault affects."""
        return self.target.partition(".")[0]

    @property
    def port(self) -> str:
        """Name of the output it affects; empty where it affects the node, or its first output."""
        return self.target.partition(".")[2]

    def place(self, key: str) -> Place | None:
        """Return the place of a part in the file, else that of the whole."""
        return self.places.get((key,), self.places.get(()))

    def describe(self) -> dict[str, Any]:
        """Return plain data, as a launch file has it; times in [ns]."""
        made: dict[str, Any] = {self.kind: self.target, "at": self.at.plain()}
        if self.length is not None:
            made["for"] = self.length.plain()
        return made | {key: getattr(self, key) for key in KINDS[self.kind]}

    def __str__(self) -> str:
        about = {"share": f"{self.share:g}", "by": show(self.by), "field": self.field, "sd": f"{self.sd:g}"}
        parts = [f"{self.kind} {self.target}", *(f"{key} {about[key]}" for key in KINDS[self.kind])]
        parts += [f"at {self.at}"] if self.at.high else []
        return " ".join(parts + ([] if self.length is None else [f"for {self.length}"]))


_NAMES = {"for": "length"}
_EXAMPLES = {"share": "share: 0.2", "by": "by: 200ms", "field": "field: position", "sd": "sd: 0.002"}


def _value(key: str, written: Any) -> Any:
    try:
        if key in ("at", "for"):
            return Span.of(written)
        if key == "by":
            return duration(written)
    except ValueError as error:
        raise SettingError(f"{key}: {error}", (key,)) from None
    if key == "field":
        if not isinstance(written, str):
            raise SettingError(f"field: expected the name of a field, got {written!r}", (key,))
        return written
    expected = "a probability from 0 to 1" if key == "share" else "a standard deviation of 0 or more"
    # NaN is in no range, and neither is what no float can hold.
    high = 1.0 if key == "share" else sys.float_info.max
    if isinstance(written, bool) or not isinstance(written, int | float) or not 0 <= written <= high:
        raise SettingError(f"{key}: expected {expected}, got {written!r}", (key,))
    return float(written)


def resolve(fault: Fault, ports: Mapping[str, Ports]) -> Fault:
    """Return a fault's data with its full target: `camera` becomes `camera.rgb` where one output is affected.

    Args:
        fault: as it is written.
        ports: of every node, by name.

    Raises:
        SettingError: there is no such target, or its message has no such field; the path of the error is its key.
    """
    if fault.node not in ports:
        raise SettingError(f"there is no node '{fault.node}'", (fault.kind,), nearest(fault.node, ports))
    if fault.kind not in ON_TOPIC:
        if "." in fault.target:
            fix = (f"write '{fault.kind}: {fault.node}'",)
            raise SettingError(f"'{fault.kind}' affects a node, not one of its outputs", (fault.kind,), fix)
        return fault
    outputs = ports[fault.node].outputs
    port = fault.port if "." in fault.target else next(iter(outputs), "")
    if port not in outputs:
        what = f"no output '{port}'" if outputs else "no outputs"
        known = [f"{fault.node}.{name}" for name in outputs]
        raise SettingError(f"'{fault.node}' has {what}", (fault.kind,), nearest(fault.target, known))
    if fault.kind == "noise":
        _check_field(fault, outputs[port])
    return replace(fault, target=f"{fault.node}.{port}")


def _check_field(fault: Fault, output: Output) -> None:
    fields = {entry.name: entry for entry in schema(output.message)}
    noisy = [name for name, entry in fields.items() if _dtype(entry, output) in NOISY]
    kind = output.message.__name__
    if fault.field not in fields:
        raise SettingError(f"{kind} has no field '{fault.field}'", ("field",), nearest(fault.field, fields))
    if fault.field not in noisy:
        what = _dtype(fields[fault.field], output)
        fix = f"fields of {kind} that can be: {', '.join(noisy)}" if noisy else f"{kind} has no field that can be"
        text = f"{kind}.{fault.field} is {what}; only floating-point numbers and 8-bit images can be noisy"
        raise SettingError(text, ("field",), (fix,))


def _dtype(entry: Field, output: Output) -> str:
    if entry.array is not None:
        return str(output.refined.dtypes.get(entry.name, entry.array.dtype))
    return "float64" if entry.kind == "float" else entry.kind


def streams(faults: Iterable[Fault], seed: int) -> Iterator[tuple[Fault, np.random.Generator]]:
    """Yield each fault of a graph with its own random numbers, in the order of listing.

    Faults of one kind and target are numbered in the order of their parameters, so that the order of listing has no
    effect on what is drawn.
    """
    listed = list(faults)
    generators: dict[int, np.random.Generator] = {}
    count: Counter[tuple[str, str, str]] = Counter()
    for index in sorted(range(len(listed)), key=lambda index: _spec(listed[index])):
        fault = listed[index]
        name = (fault.kind, fault.target, fault.field)
        generators[index] = generator(seed, fault.node, "fault", *name, str(count[name]))
        count[name] += 1
    for index, fault in enumerate(listed):
        yield fault, generators[index]


def _spec(fault: Fault) -> tuple[Any, ...]:
    length = (fault.length is None, fault.length or Span(0, 0))
    return (fault.kind, fault.target, fault.field, fault.at, length, fault.by, fault.share, fault.sd)
