"""The launch file that ships, run whole: real physics, the trained detector, every arm."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from embodied import SECOND, Stamped, Time
from embodied.graph.graph import Graph
from embodied.launch import Overrides, load
from embodied.recording.filmstrip import Film
from embodied.recording.timeline import Timeline
from embodied.runtime.episode import VERDICT_PERIOD, play
from embodied.runtime.lockstep import Lockstep
from embodied.testing.plugin import Scenario
from embodied.testing.run import Run

pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"
BRIEFLY = Time(2 * SECOND)
"""Long enough for every node to act on what the camera sees."""


def graph(profile: str, *sets: str) -> Graph:
    return load(PICK, Overrides(sets=sets)).graph(profile)


def backwards(listed: Graph) -> Graph:
    """The same graph with its nodes listed from the last to the first."""
    listed.entries = dict(reversed(list(listed.entries.items())))
    return listed


@pytest.mark.parametrize("robot", ["panda", "xarm6", "so101"])
def test_an_arm_places_the_block_its_camera_sees_however_its_nodes_are_listed(robot: str) -> None:
    whole = play(graph("sim", f"robot={robot}"), 1)
    assert whole.passed, whole.reason
    assert whole.guards["guard"]["clips"] == 0
    one, again, other = (
        play(listed, seed, limit=BRIEFLY).digest
        for listed, seed in (
            (graph("sim", f"robot={robot}"), 1),
            (backwards(graph("sim", f"robot={robot}")), 1),
            (graph("sim", f"robot={robot}"), 2),
        )
    )
    assert one == again != other


def test_pictures_and_observers_change_nothing_of_a_run() -> None:
    plain = play(graph("sim"), 3, limit=BRIEFLY)
    film, timeline = Film(), Timeline()
    pictured = play(graph("sim"), 3, limit=BRIEFLY, watchers=[film, timeline], trace=True)
    assert len(film.pictures) > 2
    assert timeline.as_dict()["guards"]["guard"][-1][2] == "following"
    assert plain.digest == pictured.digest
    seen: list[Stamped[Any]] = []
    lockstep = Lockstep(graph("sim").check(), seed=3)
    # Nobody in the graph takes the segmentation: it is rendered for the observer alone.
    lockstep.observe("camera.segmentation", seen.append)
    with lockstep as run:
        for at in range(0, BRIEFLY + 1, VERDICT_PERIOD):
            run.advance(Time(at))
            run.verdict()
        assert run.digest == plain.digest
    assert seen
    assert seen[0].value.data.shape == (240, 320)


@pytest.mark.parametrize("dead", ["camera", "detector", "policy", "ik"])
def test_the_arm_holds_within_the_time_that_check_states_after_a_node_dies(dead: str, scenario: Scenario) -> None:
    run = scenario(PICK, seed=1)
    stated = within(run, dead)
    # On its way down to the block.
    run.seconds(1.0)
    run.kill(dead)
    last = run.now
    while run.now < 3.0:
        run.seconds(0.01)
        if run["guard.report"].state == "following":
            last = run.now
    assert 1.0 < last <= 1.0 + stated


def test_the_arm_comes_to_rest_where_it_was_when_its_guard_dies(scenario: Scenario) -> None:
    run = scenario(PICK, profile="truth", seed=1)
    run.seconds(1.0)
    assert np.abs(run["arm.state"].velocity).max() > 0.5
    run.kill("guard")
    # The driver hears nobody, so that nothing new is applied; its servos come to rest at the last target.
    run.seconds(within(run, "guard"))
    applied = run.age("arm.applied")
    run.until(lambda: np.abs(run["arm.state"].velocity).max() < 0.01, within=0.5)
    later = run.age("arm.applied")
    assert later is not None
    assert later > (applied or 0.0)
    rest = run["arm.state"].position
    run.seconds(1.0)
    np.testing.assert_allclose(run["arm.state"].position, rest, atol=1e-3)


def within(run: Run, dead: str) -> float:
    """How long the arm goes on after a node's death, as `check` states it [s]."""
    (stated,) = [r.within for r in run.plan.reactions if (r.actuator, r.node) == ("arm", dead)]
    assert stated is not None
    return stated / SECOND


@pytest.mark.parametrize(
    ("kind", "target", "about"),
    [
        ("stuck", "camera.depth", {"seconds": 1.0}),
        ("noise", "arm.state", {"field": "position", "sd": 0.001}),
        ("drop", "camera", {"share": 0.3}),
        ("delay", "detector", {"by": "60ms"}),
    ],
)
def test_the_arm_still_places_the_block_with_a_fault_that_it_can_bear(
    kind: str, target: str, about: dict[str, Any], scenario: Scenario
) -> None:
    run = scenario(PICK, seed=2)
    run.seconds(0.5)
    run.fault(kind, target, **about)
    run.until(lambda: run.verdict, within=20.0)
    assert run.verdict is not None
    assert run.verdict.passed, run.verdict.reason
    assert run.report().faults[0].steps > 0
