"""The factory, run whole: the arm loads, the shuttle drives, the drone inspects, by what their cameras see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from embodied import Stamped, Time
from embodied.launch import Overrides, load
from embodied.messages import Image, VehicleState
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep
from embodied.testing.plugin import Scenario
from sims.tabletop.scene import COLOURS

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

FACTORY = Path(__file__).parents[2] / "launch" / "factory.yaml"


def test_a_block_is_loaded_driven_to_its_station_and_its_colour_is_in_the_drones_one_photograph() -> None:
    run = Lockstep(load(FACTORY, Overrides()).graph("sim").check(), seed=1)
    photos: list[Stamped[Image]] = []
    turns: list[str] = []
    run.observe("inspector.photo", photos.append)
    for turn in ("arm", "shuttle", "drone"):
        run.observe(f"dispatch.{turn}", lambda _, turn=turn: None if turn in turns[-1:] else turns.append(turn))  # type: ignore[misc]
    at = 0
    with run:
        while (verdict := run.verdict()) is None:
            at += VERDICT_PERIOD
            run.advance(Time(at))
    assert verdict.passed, verdict.reason
    assert turns == ["arm", "shuttle", "drone"]
    assert list(verdict.details["legs"]) == ["load", "deliver", "inspect", "land"]
    (photo,) = photos
    # Within what it strays from the middle, the load is there, in its own colour.
    middle = photo.value.data[60:180, 80:240].reshape(-1, 3).astype(float)
    hue = np.array(COLOURS[verdict.details["load"]])
    likeness = middle @ hue / (np.linalg.norm(middle, axis=1) * np.linalg.norm(hue) + 1e-9)
    assert np.count_nonzero(likeness > 0.97) > 100


def test_a_seed_is_the_same_run_to_the_byte_however_its_nodes_are_listed() -> None:
    digests = []
    for seed, backwards in ((2, False), (2, True), (3, False)):
        graph = load(FACTORY, Overrides()).graph("sim")
        if backwards:
            graph.entries = dict(reversed(list(graph.entries.items())))
        with Lockstep(graph.check(), seed=seed) as run:
            run.advance(Time(1_500_000_000))
            digests.append(run.digest)
    assert digests[0] == digests[1]
    assert digests[0] != digests[2]


def test_without_an_arm_that_says_it_is_done_the_shuttle_stays_and_without_its_lane_it_stops(
    scenario: Scenario,
) -> None:
    run = scenario(FACTORY, profile="truth", seed=1)
    run.seconds(3.0)
    run.kill("loader")
    run.seconds(4.0)
    stays: VehicleState = run["car.state"]
    assert (stays.gear, abs(stays.speed) < 0.01) == ("P", True)
    other = scenario(FACTORY, profile="truth", seed=1)
    other.until(lambda: other["car.state"].speed > 0.8, within=15.0)
    other.kill("lane")
    other.seconds(1.5)
    stopped: VehicleState = other["car.state"]
    assert abs(stopped.speed) < 0.01
    assert other.verdict is None
    assert not other["drone.state"].armed
