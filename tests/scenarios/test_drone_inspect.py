"""The inspection from the air, run whole: real physics, wind, noisy sensors, the drone's own estimate."""

from __future__ import annotations

from pathlib import Path

import cv2
import pytest

from embodied import Stamped, Time
from embodied.launch import Overrides, load
from embodied.messages import DroneCommand, DroneState, Image
from embodied.runtime.episode import VERDICT_PERIOD
from embodied.runtime.lockstep import Lockstep
from embodied.testing.plugin import Scenario

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

INSPECT = Path(__file__).parents[2] / "launch" / "drone_inspect.yaml"


@pytest.mark.parametrize(
    ("profile", "seed", "sets"), [("sim", 29, ()), ("truth", 151, ("policy.waypoints=[[0.3, -2.6]]",))]
)
def test_it_holds_over_its_marker_photographs_it_once_and_lands_on_its_pad(
    profile: str, seed: int, sets: tuple[str, ...]
) -> None:
    run = Lockstep(load(INSPECT, Overrides(sets=sets)).graph(profile).check(), seed=seed)
    photos: list[Stamped[Image]] = []
    run.observe("policy.photo", photos.append)
    at = 0
    with run:
        while (verdict := run.verdict()) is None:
            at += VERDICT_PERIOD
            run.advance(Time(at))
    assert verdict.passed, verdict.reason
    assert len(photos) == 1
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    grey = cv2.cvtColor(photos[0].value.data, cv2.COLOR_RGB2GRAY)
    _, numbers, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(grey)
    assert verdict.details["marker"] in {f"marker{number}" for number in numbers.ravel()}


def test_in_flight_a_policy_that_dies_leaves_it_holding_and_then_it_lands(scenario: Scenario) -> None:
    run = scenario(INSPECT, profile="truth", seed=1, sets=["guard.lost=2.0"])
    run.seconds(6.0)
    run.kill("policy")
    run.seconds(1.0)
    held: DroneCommand = run["guard.command"]
    state: DroneState = run["drone.state"]
    assert not held.land
    assert state.armed
    run.seconds(14.0)
    landed: DroneState = run["drone.state"]
    assert (landed.armed, landed.landed) == (False, True)
