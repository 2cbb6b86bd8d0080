"""Faults in the outputs of shipped models: a number that is none, a wrong shape, a wrong type, a failed inference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from embodied.errors import ResultRejected
from policies.perception.detector import Detector
from policies.perception.lane import LaneDetector
from policies.perception.markers import Markers
from policies.tasks.cloned import ClonedPickPlace

WAYS = ("nan", "inf", "-inf", "huge", "shape", "empty", "type", "list", "fails")
"""Ways in which an output is broken."""

OUTPUTS = (
    ("detector", "peaks"),
    ("detector", "geometry"),
    ("markers", "peaks"),
    ("markers", "geometry"),
    ("lane", "values"),
    ("lane", "scores"),
    ("cloned", "motion"),
    ("cloned", "closing"),
)
"""Outputs of every shipped model, each with the node that runs it."""

LAUNCHES = {
    "detector": ("pick_place", "sim", f"detector={__name__}:FaultyDetector"),
    "markers": ("drone_inspect", "sim", f"markers={__name__}:FaultyMarkers"),
    "lane": ("ev_shuttle", "sim", f"lane={__name__}:FaultyLane"),
    "cloned": ("pick_place", "truth", f"policy={__name__}:FaultyCloned"),
}
"""By node: the launch file and profile in which it runs, and the swap that makes its model faulty."""


class FaultySession:
    """Inference session whose calls from `first` up to before `end` have one broken output."""

    def __init__(self, session: Any, output: str, way: str, first: int, end: int) -> None:
        self.session, self.output, self.way, self.first, self.end = session, output, way, first, end
        self.calls = 0

    def run(self, names: Sequence[str], arrays: dict[str, Any]) -> list[Any]:
        outputs = self.session.run(names, arrays)
        self.calls += 1
        if self.first <= self.calls - 1 < self.end:
            index = list(names).index(self.output)
            outputs[index] = broken(outputs[index], self.way)
        return list(outputs)


def broken(output: Any, way: str) -> Any:
    """Break one output of a model."""
    match way:
        case "nan" | "inf" | "-inf":
            # One number in the middle is enough.
            output.reshape(-1)[output.size // 2] = float(way)
        case "huge":
            output[:] = 3e38
        case "shape":
            return output[..., :-1]
        case "empty":
            return output[:0]
        case "type":
            return output.astype(np.float64)
        case "list":
            return output.tolist()
        case "fails":
            raise RuntimeException("a fault in a test")
    return output


@dataclass(kw_only=True)
class Fault:
    """Settings of a fault, for a node with a model.

    Attributes:
        output: name of the output that is broken.
        way: one of `WAYS`.
        first, end: numbers of the calls that are broken, from `first` up to before `end`.
        every: outputs and ways in which each of these calls is tried; its result is what the first of them that is not
            rejected gives.
        rejections: number of calls that were rejected, by output and way.
    """

    output: str = ""
    way: str = "nan"
    first: int = 0
    end: int = 1 << 30
    every: tuple[tuple[str, str], ...] = ()
    rejections: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)

    def faulty(self) -> None:
        if not self.every:
            self._session: Any = FaultySession(self._session, self.output, self.way, self.first, self.end)
        self._calls = 0

    def run(self, **arrays: Any) -> Any:
        call, self._calls = self._calls, self._calls + 1
        node: Any = super()
        if not self.every or not self.first <= call < self.end:
            return node.run(**arrays)
        session = self._session
        once = Once(session)
        try:
            for output, way in self.every:
                self._session = FaultySession(once, output, way, 0, 1)
                try:
                    return node.run(**arrays)
                except ResultRejected as error:
                    self.rejections[output, way] += 1
                    last = error
            raise last
        finally:
            self._session = session


class Once:
    """Inference session that computes one call, and gives its outputs again for each further one."""

    def __init__(self, session: Any) -> None:
        self.session = session
        self.outputs: list[Any] = []

    def run(self, names: Sequence[str], arrays: dict[str, Any]) -> list[Any]:
        self.outputs = self.outputs or self.session.run(names, arrays)
        return [np.copy(output) for output in self.outputs]


@dataclass(kw_only=True)
class FaultyDetector(Fault, Detector):
    def open(self) -> None:
        super().open()
        self.faulty()


@dataclass(kw_only=True)
class FaultyMarkers(Fault, Markers):
    def open(self) -> None:
        super().open()
        self.faulty()


@dataclass(kw_only=True)
class FaultyLane(Fault, LaneDetector):
    def open(self) -> None:
        super().open()
        self.faulty()


@dataclass(kw_only=True)
class FaultyCloned(Fault, ClonedPickPlace):
    def open(self) -> None:
        super().open()
        self.faulty()
