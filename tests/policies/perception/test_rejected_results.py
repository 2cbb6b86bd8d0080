"""A number that is none never leaves a model: the result is rejected and counted, and the next good one goes on."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied import SECOND, Stamped, Time
from embodied.errors import ResultRejected
from embodied.launch import Overrides, load
from embodied.messages import GuardReport
from embodied.runtime.lockstep import Lockstep
from policies.perception.detector import Detector, read_heads
from policies.perception.lane import LaneDetector
from policies.perception.markers import Markers
from policies.perception.onnx_node import OnnxNode
from policies.tasks.cloned import ClonedPickPlace
from tests.policies.faulty_models import LAUNCHES, OUTPUTS, WAYS, FaultySession
from tests.policies.perception.test_onnx_node import Echo, identity

LAUNCH = Path(__file__).parents[3] / "launch"
NODES: dict[str, Callable[[], OnnxNode]] = {
    "detector": Detector,
    "markers": Markers,
    "lane": LaneDetector,
    "cloned": ClonedPickPlace,
}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_real_model_whose_output_is_no_number_is_rejected_for_that_image_alone(tmp_path: Path, bad: float) -> None:
    node = Echo(model=identity(tmp_path / "echo.onnx"))
    node.open()
    with pytest.raises(ResultRejected, match=rf"echo\.onnx: output 'same' must be finite, got {bad} in 1 of 3"):
        node.run(image=np.array([[1.0, bad, 3.0]], np.float32))
    assert node.run(image=np.ones((1, 3), np.float32))["same"].tolist() == [[1.0, 1.0, 1.0]]


def test_a_real_model_whose_shape_is_open_is_rejected_where_it_gives_another(tmp_path: Path) -> None:
    node = Echo(model=identity(tmp_path / "echo.onnx", shape=(1, "k")))
    node.open()
    with pytest.raises(ResultRejected, match=r"echo\.onnx: output 'same' must have shape \(1, 3\), got \(1, 0\)"):
        node.run(image=np.zeros((1, 0), np.float32))


@pytest.mark.parametrize(("name", "output"), OUTPUTS)
def test_each_output_of_each_shipped_model_is_rejected_however_it_is_broken(name: str, output: str) -> None:
    node = NODES[name]()
    node.open()
    session: Any = node._session
    arrays = {
        given: np.zeros([size if isinstance(size, int) else 1 for size in array.shape], array.dtype)
        for given, array in type(node).inputs.items()
    }
    good = node.run(**arrays)
    for way in WAYS:
        if way == "huge":
            continue
        node._session = FaultySession(session, output, way, 0, 1)
        with pytest.raises(ResultRejected):
            node.run(**arrays)
        again = node.run(**arrays)
        assert all((again[key] == good[key]).all() for key in good)


def test_peaks_that_are_no_image_are_rejected_before_their_combinations_take_for_ever() -> None:
    geometry = np.zeros((4, 60, 80), np.float32)
    with pytest.raises(ResultRejected, match="an image has at most 300 peaks, got 9600"):
        read_heads(np.full((2, 60, 80), 3e38, np.float32), geometry, 0.4)
    peaks = np.zeros((2, 60, 80), np.float32)
    peaks[0, 30, 40] = 1.0
    assert len(read_heads(peaks, geometry, 0.4)[0]) == 1
    geometry[0] = 3e38
    with pytest.raises(ResultRejected, match="within 4 cells of its peak"):
        read_heads(peaks, geometry, 0.4)


def run(name: str, output: str, way: str, first: int, end: int, seconds: float) -> tuple[list[Stamped[Any]], Any]:
    """Run the launch file of a node with a faulty model; return the guard's reports, and the report of the run."""
    file, profile, swap = LAUNCHES[name]
    node = swap.partition("=")[0]
    settings = {"output": output, "way": way, "first": first, "end": end}
    sets = tuple(f"{node}.{setting}={value}" for setting, value in settings.items())
    graph = load(LAUNCH / f"{file}.yaml", Overrides(sets=sets, swaps=(swap,))).graph(profile)
    seen: list[Stamped[GuardReport]] = []
    lockstep = Lockstep(graph.check(), seed=1)
    lockstep.observe("guard.report", seen.append)
    with lockstep as running:
        while running.now < seconds * SECOND and running.verdict() is None:
            running.advance(Time(running.now + SECOND // 10))
        return seen, running.report()


@pytest.mark.parametrize(
    ("name", "output", "way", "first"),
    [
        ("detector", "geometry", "huge", 8),
        ("lane", "scores", "nan", 8),
    ],
)
def test_a_model_that_is_broken_for_ever_makes_the_guard_hold_and_nothing_ends(
    name: str, output: str, way: str, first: int
) -> None:
    seen, report = run(name, output, way, first, 1 << 30, 2.0)
    node = LAUNCHES[name][2].partition("=")[0]
    assert report.nodes[node].rejected >= 3
    assert report.nodes[node].rejection
    followed = [said.stamp for said in seen if said.value.state == "following"]
    assert followed
    assert seen[-1].value.refusals == ("no fresh command",)
    # Rejected from about 0.9 s on; the last good result counts for 300 ms more.
    assert followed[-1] <= 1.5 * SECOND
    assert report.verdict is None


def test_a_drone_whose_markers_are_broken_for_ever_goes_on_without_them() -> None:
    seen, report = run("markers", "geometry", "nan", 0, 1 << 30, 3.0)
    assert report.nodes["markers"].rejected > 3
    assert seen[-1].value.state == "following"
