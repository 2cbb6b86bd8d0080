"""Faults in the outputs of shipped models: a number that is none, a wrong shape, a wrong type, a failed inference."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

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
    """Settings of a fault, for a node with a model."""

    output: str = ""
    way: str = "nan"
    first: int = 0
    end: int = 1 << 30

    def faulty(self) -> None:
        self._session: Any = FaultySession(self._session, self.output, self.way, self.first, self.end)


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
