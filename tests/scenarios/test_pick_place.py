"""The launch file that ships, run whole: real physics, the trained detector, both arms."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from embodied import SECOND, Stamped, Time
from embodied.graph import Graph
from embodied.launch import Overrides, load
from embodied.lockstep import Lockstep
from embodied.messages import GuardReport
from embodied.scenario import LOOK, play

pytest.importorskip("pybullet", reason="sims needs pybullet, which has wheels up to Python 3.11")

PICK = Path(__file__).parents[2] / "launch" / "pick_place.yaml"
CLONED = "policy=policies.cloned:ClonedPickPlace"


def graph(profile: str, *sets: str, swaps: tuple[str, ...] = ()) -> Graph:
    return load(PICK, Overrides(sets=sets, swaps=swaps)).graph(profile)


def backwards(listed: Graph) -> Graph:
    """The same graph with its nodes listed from the last to the first."""
    listed.entries = dict(reversed(list(listed.entries.items())))
    return listed


@pytest.mark.parametrize("robot", ["panda", "xarm6"])
def test_an_arm_places_the_block_its_camera_sees_however_its_nodes_are_listed(robot: str) -> None:
    one = play(graph("sim", f"robot={robot}"), 1)
    other = play(backwards(graph("sim", f"robot={robot}")), 1)
    assert one.passed, one.reason
    assert one.digest == other.digest
    assert one.digest != play(graph("sim", f"robot={robot}"), 2).digest
    assert one.guards["guard"]["clips"] == 0


def test_pictures_and_observers_change_nothing_of_a_run() -> None:
    plain = play(graph("sim"), 3)
    pictured = play(graph("sim"), 3, moments=[0.0, 1.0, 2.0], final=True, trace=True)
    assert len(pictured.pictures) == 4
    assert plain.digest == pictured.digest
    plan = graph("sim").check()
    seen: list[Stamped[Any]] = []
    lockstep = Lockstep(plan, seed=3)
    # Nobody in the graph takes the segmentation: it is rendered for the observer alone.
    lockstep.observe("camera.segmentation", seen.append)
    with lockstep as run:
        at = 0
        while run.verdict() is None:
            at += LOOK
            run.advance(Time(at))
        assert run.report().digest == plain.digest
    assert seen
    assert seen[0].value.data.shape == (240, 320)


def test_the_learned_policy_does_the_same_task_in_the_same_place() -> None:
    outcome = play(graph("sim", swaps=(CLONED,)), 4)
    assert outcome.passed, outcome.reason


@pytest.mark.parametrize("dead", ["camera", "detector", "policy", "ik"])
def test_the_arm_holds_within_the_time_that_check_states_after_a_node_dies(dead: str) -> None:
    launch = load(PICK)
    plan = launch.graph("sim").check()
    (stated,) = [r.within for r in plan.reactions if (r.actuator, r.node) == ("arm", dead)]
    assert stated is not None
    # Dead while the arm is on its way down to the block.
    died = SECOND
    reports: list[Stamped[GuardReport]] = []
    lockstep = Lockstep(launch.graph("sim").fault("kill", dead, at="1s").check(), seed=1)
    lockstep.observe("guard.report", reports.append)
    with lockstep as run:
        run.advance(Time(3 * SECOND))
    followed = [r.stamp for r in reports if r.value.state == "following"]
    assert max(followed) > died
    assert max(followed) - died <= stated
    assert all(r.value.state == "holding" for r in reports if r.stamp > died + stated)
