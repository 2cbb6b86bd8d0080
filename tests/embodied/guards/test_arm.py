from __future__ import annotations

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards import ArmGuard
from embodied.messages import JointCommand
from embodied.node.node import bounds
from embodied.ranges import Range
from tests.embodied.guards.arm_rig import HIGH, LOW, PERIOD, Rig
from tests.embodied.robots import robot

ROBOTS = {name: robot(name) for name in ("panda", "xarm6")}


@pytest.mark.parametrize("name", ROBOTS)
def test_a_motion_within_the_limits_passes_unchanged_and_unreported(name: str) -> None:
    arm = ROBOTS[name]
    rig = Rig(arm)
    home = rig.measured.copy()
    for tick in range(300):
        target = home + 0.1 * (1 - math.cos(tick * PERIOD * 2))
        given = rig.step(target)
        assert given.command is not None
        assert given.command.position is not None
        assert np.allclose(given.command.position, target, atol=1e-9)
        assert given.report.clips == given.report.refusals == ()
        assert (given.report.state, given.report.source) == ("following", "command")


def test_a_target_that_jumps_is_reached_without_overshoot_and_every_clip_is_reported() -> None:
    rig = Rig(ROBOTS["panda"])
    target = rig.measured + np.array([0.5, 0, 0, 0, 0, 0, 0])
    reached = []
    for _ in range(150):
        given = rig.step(target)
        reached.append(rig.measured[0])
    assert max(reached) <= target[0] + 1e-6
    assert rig.measured[0] == pytest.approx(target[0], abs=1e-4)
    assert given.report.clips == ()
    first = Rig(ROBOTS["panda"]).step(target)
    assert any("panda_joint1: velocity 50 clipped to 2.175 rad/s" in clip for clip in first.report.clips)
    assert any("panda_joint1: acceleration" in clip for clip in first.report.clips)


def test_a_position_beyond_a_limit_is_clipped_and_named() -> None:
    rig = Rig(ROBOTS["panda"])
    given = rig.step(rig.measured + np.array([0, 0, 0, 0, 0, 0, 9.0]))
    assert any("panda_joint7: position 9.785 clipped to 2.897 rad" in clip for clip in given.report.clips)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_and_the_arm_holds(bad: float) -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    given = rig.step(home + np.array([0, 0, 0, bad, 0, 0, 0]))
    assert given.report.state == "holding"
    assert "must be finite" in given.report.refusals[0]
    assert given.command is not None
    assert given.command.position is not None
    assert np.array_equal(given.command.position, home)
    gripper = rig.step(command=JointCommand(position=home, gripper=bad))
    assert "gripper" in gripper.report.refusals[0]


def test_silence_brakes_within_the_acceleration_limits_and_holds() -> None:
    rig = Rig(ROBOTS["panda"])
    start = rig.measured[0]
    for tick in range(50):
        target = rig.robot.limit("home") + np.array([0.5 * tick * PERIOD, 0, 0, 0, 0, 0, 0])
        rig.step(target)
    moving = rig.measured[0]
    assert moving > start + 0.1
    stopped = [rig.step() for _ in range(20)]
    assert stopped[-1].report.state == "holding"
    assert stopped[-1].report.refusals == ("no fresh command",)
    last = [given.command.position[0] for given in stopped if given.command and given.command.position is not None]
    assert last[-1] == last[-2]
    assert last[-1] - moving < 0.5**2 / (2 * 15) + 0.5 * PERIOD


def test_without_joints_there_is_nothing_to_hold_and_a_stale_state_holds() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    blind = rig.step(home, blind=True)
    assert blind.command is None
    assert (blind.report.state, blind.report.source) == ("holding", "")
    assert blind.report.refusals == ("no joint state yet",)
    rig.step(home)
    assert rig.step(home, blind=True).report.refusals == ("no fresh joint state",)


def test_joints_that_are_not_finite_are_no_joints_even_after_a_reset() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    rig.step(home)
    rig.step(home, stop=["stop"])
    rig.measured = home + math.nan
    given = rig.step(home, reset=True)
    assert given.command is None
    rig.measured = home
    assert [rig.step(home).report.state for _ in range(3)] == ["holding", "holding", "following"]


def test_a_stop_latches_until_a_reset_and_a_command_newer_than_it() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    assert rig.step(home).report.state == "following"
    assert rig.step(home + 0.01, stop=["a hand in the cell"]).report.state == "stopped"
    for _ in range(10):
        given = rig.step(home + 0.01)
        assert given.report.state == "stopped"
        assert "a hand in the cell" in given.report.refusals[0]
    assert np.array_equal(rig.measured, home)
    at_reset = rig.step(home, reset=True)
    assert at_reset.report.state == "holding"
    assert "older than the reset" in at_reset.report.refusals[0]
    assert rig.step(home).report.state == "following"


def test_a_stop_beats_a_reset_of_the_same_moment_and_outranks_the_operator() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    rig.step(home, stop=["one"])
    assert rig.step(home, stop=["two"], reset=True).report.state == "stopped"
    given = rig.step(home, operator=JointCommand(position=home))
    assert given.report.state == "stopped"
    assert "two" in given.report.refusals[0]


def test_the_operator_outranks_the_policy() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    given = rig.step(home + 0.001, operator=JointCommand(position=home - 0.001))
    assert given.report.source == "operator"
    assert given.command is not None
    assert given.command.position is not None
    assert (given.command.position < home).all()


def test_a_tool_on_its_way_out_of_the_box_stops_inside_it_and_says_so() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    refused: list[str] = []
    for tick in range(400):
        refused += rig.step(home + np.array([0, min(2.5, tick * PERIOD), 0, 0, 0, 0, 0])).report.refusals
    tool = rig.robot.chain.tool(rig.measured)[:3, 3]
    assert (tool >= np.array(LOW)).all()
    assert (tool <= np.array(HIGH)).all()
    assert any("would bring the tool to" in text and "outside" in text for text in refused)


def test_an_arm_that_was_moved_out_of_the_box_may_come_back_in() -> None:
    rig = Rig(ROBOTS["panda"])
    outside = rig.measured.copy()
    outside[0] = 2.5
    assert rig.robot.chain.tool(outside)[0, 3] < LOW[0]
    rig.measured = outside
    for tick in range(400):
        rig.step(np.concatenate([[max(0.0, 2.5 - tick * PERIOD)], outside[1:]]))
    assert rig.robot.chain.tool(rig.measured)[0, 3] > LOW[0]


def test_another_mode_or_another_number_of_joints_is_refused() -> None:
    rig = Rig(ROBOTS["panda"])
    for command, says in (
        (JointCommand(effort=np.zeros(7)), "command: mode must be position, got effort"),
        (JointCommand(velocity=np.zeros(7)), "mode must be position, got velocity"),
        (JointCommand(position=np.zeros(6)), "position must have shape (7,), got (6,)"),
    ):
        assert says in rig.step(command=command).report.refusals[0]


def test_a_guard_for_velocities_limits_and_brakes_them() -> None:
    rig = Rig(ROBOTS["panda"], mode="velocity")
    top = 0.0
    for _ in range(300):
        given = rig.step(command=JointCommand(velocity=np.array([9.0, 0, 0, 0, 0, 0, 0])))
        assert given.command is not None
        assert given.command.velocity is not None
        top = max(top, given.command.velocity[0])
    assert 0.5 < top <= 2.175
    assert rig.measured[0] <= 2.8973
    for _ in range(30):
        given = rig.step()
    assert given.command is not None
    assert given.command.velocity is not None
    assert (given.command.velocity == 0).all()


def test_the_gripper_stays_within_its_opening() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    given = rig.step(command=JointCommand(position=home, gripper=0.5))
    assert given.command is not None
    assert given.command.gripper == 0.08
    assert "gripper: opening 0.5 clipped to 0.08 m" in given.report.clips


def test_a_smaller_share_of_the_limits_makes_it_slower_at_once() -> None:
    rig = Rig(ROBOTS["panda"])
    target = rig.measured + np.array([1.0, 0, 0, 0, 0, 0, 0])
    rig.guard.share = 0.1
    speeds = []
    for _ in range(60):
        before = rig.measured[0]
        rig.step(target)
        speeds.append((rig.measured[0] - before) / PERIOD)
    assert max(speeds) == pytest.approx(0.2175)


def test_the_gripper_opens_and_closes_as_asked_and_never_further() -> None:
    rig = Rig(ROBOTS["panda"])
    home = rig.measured.copy()
    for asked, opened in ((0.04, 0.04), (-0.1, 0.0), (0.0, 0.0), (0.08, 0.08)):
        done = rig.step(command=JointCommand(position=home, gripper=asked))
        assert done.command is not None
        assert done.command.gripper == opened
        assert bool(done.report.clips) == (asked != opened)
    held = rig.step()
    assert held.command is not None
    assert held.command.gripper == 0.08


def test_what_is_left_out_has_its_stated_default() -> None:
    guard = ArmGuard(ROBOTS["panda"])
    assert (guard.mode, guard.low, guard.high) == ("position", (-1.0, -1.0, 0.0), (1.0, 1.0, 1.2))
    assert (guard.share, guard.lease, guard.patience, guard.rate) == (1.0, 0.5, 3, 100.0)
    assert (guard.speed, guard.zone, guard.effort, guard.following_error) == (None, None, None, 0.4)
    assert bounds(ArmGuard) == {"share": Range(0.01, 1.0)}


@pytest.mark.parametrize("mode", ["position", "velocity"])
def test_its_ports_state_the_joints_and_the_mode(mode: str) -> None:
    ports = ArmGuard(ROBOTS["xarm6"], mode=mode).ports()  # type: ignore[arg-type]
    assert ports.inputs["joints"].refined.sizes == {"n": 6}
    refined = [*(ports.inputs[name].refined for name in ArmGuard.ranks), ports.outputs["command"].refined]
    for each in refined:
        assert (each.sizes, each.modes) == ({"n": 6}, frozenset({mode}))


def test_settings_that_make_no_sense_are_found_before_anything_moves() -> None:
    arm = ROBOTS["panda"]
    lost = replace(arm, urdf=arm.urdf.with_name("nowhere.urdf"))
    (says,) = ArmGuard(lost, low=LOW, high=HIGH).check()
    assert says.startswith("cannot read the URDF")
    assert not list(ArmGuard(arm, low=LOW, high=HIGH).check())
    assert "low must be below high" in next(iter(ArmGuard(arm, low=(1, 0, 0), high=(0, 1, 1)).check()))
    turned = replace(arm, joints={n: replace(joint, home=joint.home + 0.1) for n, joint in arm.joints.items()})
    (says,) = ArmGuard(turned, low=(0.9, 0.9, 0), high=(1, 1, 1)).check()
    number = r"0\.\d{3}"
    at = rf"\[{number}, {number}, {number}\] m \(base\)"
    where = rf"the box from \(0.9, 0.9, 0\) to \(1, 1, 1\) m must contain the tool at home, which is at {at}"
    assert re.match(where, says)


WILD = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.lists(st.floats(-4, 4), min_size=7, max_size=7),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300]),
)


@pytest.mark.parametrize("name", ROBOTS)
@given(st.lists(WILD, min_size=1, max_size=60))
@settings(max_examples=60)
def test_whatever_is_commanded_the_output_keeps_every_limit_and_the_tool_its_box(name: str, wild: list[object]) -> None:
    arm = ROBOTS[name]
    rig = Rig(arm)
    before, speed = rig.measured.copy(), np.zeros_like(rig.measured)
    for value in wild:
        for _ in range(4):
            position = None if value is None else np.resize(np.array(value, dtype=float), before.size)
            given = rig.step(position)
            assert given.command is not None
            assert given.command.position is not None
            now = given.command.position
            velocity = (now - before) / PERIOD
            assert np.isfinite(now).all()
            assert (now >= arm.limit("lower") - 1e-9).all()
            assert (now <= arm.limit("upper") + 1e-9).all()
            assert (np.abs(velocity) <= arm.limit("velocity") + 1e-6).all()
            assert (np.abs(velocity - speed) <= arm.limit("acceleration") * PERIOD + 1e-6).all()
            tool = arm.chain.tool(now)[:3, 3]
            assert (tool >= np.array(LOW) - 2e-3).all()
            assert (tool <= np.array(HIGH) + 2e-3).all()
            before, speed = now, velocity


def test_a_stop_before_the_first_state_of_the_arm_is_read_back() -> None:
    rig = Rig(ROBOTS["panda"])
    report = rig.step(rig.measured, blind=True, stop=["a hand in the cell"]).report
    assert report.state == "stopped"
    assert report.refusals == ("stopped: a hand in the cell; needs a reset and a fresh command",)
