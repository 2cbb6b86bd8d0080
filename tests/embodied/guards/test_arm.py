from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards import ArmGuard
from embodied.messages import JointCommand
from tests.embodied.guards.bench import HIGH, LOW, PERIOD, Bench
from tests.embodied.robots import robot

ROBOTS = {name: robot(name) for name in ("panda", "xarm6")}

WILD = st.one_of(
    st.none(),
    st.floats(allow_nan=True, allow_infinity=True),
    st.lists(st.floats(-4, 4), min_size=7, max_size=7),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e300]),
)


@pytest.mark.parametrize("name", ROBOTS)
@given(st.lists(WILD, min_size=1, max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_is_commanded_the_output_keeps_every_limit_and_the_tool_its_box(name: str, wild: list[object]) -> None:
    arm = ROBOTS[name]
    bench = Bench(arm)
    before, speed = bench.measured.copy(), np.zeros_like(bench.measured)
    for value in wild:
        for _ in range(4):
            position = None if value is None else np.resize(np.array(value, dtype=float), before.size)
            given = bench.step(position)
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


@pytest.mark.parametrize("name", ROBOTS)
def test_a_motion_within_the_limits_passes_unchanged_and_unreported(name: str) -> None:
    arm = ROBOTS[name]
    bench = Bench(arm)
    home = bench.measured.copy()
    for tick in range(300):
        target = home + 0.1 * (1 - math.cos(tick * PERIOD * 2))
        given = bench.step(target)
        assert given.command is not None
        assert given.command.position is not None
        assert np.allclose(given.command.position, target, atol=1e-9)
        assert given.report.clips == given.report.refusals == ()
        assert (given.report.state, given.report.source) == ("following", "command")


def test_a_target_that_jumps_is_reached_without_overshoot_and_every_clip_is_reported() -> None:
    bench = Bench(ROBOTS["panda"])
    target = bench.measured + np.array([0.5, 0, 0, 0, 0, 0, 0])
    reached = []
    for _ in range(150):
        given = bench.step(target)
        reached.append(bench.measured[0])
    assert max(reached) <= target[0] + 1e-6
    assert bench.measured[0] == pytest.approx(target[0], abs=1e-4)
    assert given.report.clips == ()
    first = Bench(ROBOTS["panda"]).step(target)
    assert any("panda_joint1: velocity 50 clipped to 2.175 rad/s" in clip for clip in first.report.clips)
    assert any("panda_joint1: acceleration" in clip for clip in first.report.clips)


def test_a_position_beyond_a_limit_is_clipped_and_named() -> None:
    bench = Bench(ROBOTS["panda"])
    given = bench.step(bench.measured + np.array([0, 0, 0, 0, 0, 0, 9.0]))
    assert any("panda_joint7: position 9.785 clipped to 2.897 rad" in clip for clip in given.report.clips)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_is_refused_and_the_arm_holds(bad: float) -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    given = bench.step(home + np.array([0, 0, 0, bad, 0, 0, 0]))
    assert given.report.state == "holding"
    assert "which is not finite" in given.report.refusals[0]
    assert given.command is not None
    assert given.command.position is not None
    assert np.array_equal(given.command.position, home)
    gripper = bench.step(command=JointCommand(position=home, gripper=bad))
    assert "gripper" in gripper.report.refusals[0]


def test_silence_brakes_within_the_acceleration_limits_and_holds() -> None:
    bench = Bench(ROBOTS["panda"])
    start = bench.measured[0]
    for tick in range(50):
        target = bench.robot.limit("home") + np.array([0.5 * tick * PERIOD, 0, 0, 0, 0, 0, 0])
        bench.step(target)
    moving = bench.measured[0]
    assert moving > start + 0.1
    stopped = [bench.step() for _ in range(20)]
    assert stopped[-1].report.state == "holding"
    assert stopped[-1].report.refusals == ("no fresh command",)
    last = [given.command.position[0] for given in stopped if given.command and given.command.position is not None]
    assert last[-1] == last[-2]
    assert last[-1] - moving < 0.5**2 / (2 * 15) + 0.5 * PERIOD


def test_without_joints_there_is_nothing_to_hold_and_a_stale_state_holds() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    blind = bench.step(home, blind=True)
    assert blind.command is None
    assert blind.report.refusals == ("no joint state yet",)
    bench.step(home)
    assert bench.step(home, blind=True).report.refusals == ("no fresh joint state",)


def test_joints_that_are_not_finite_are_no_joints_even_after_a_reset() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    bench.step(home)
    bench.step(home, stop=["stop"])
    bench.measured = home + math.nan
    given = bench.step(home, reset=True)
    assert given.command is None
    bench.measured = home
    assert bench.step(home).report.state == "following"


def test_a_stop_latches_until_a_reset_and_a_command_newer_than_it() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    assert bench.step(home).report.state == "following"
    assert bench.step(home + 0.01, stop=["a hand in the cell"]).report.state == "stopped"
    for _ in range(10):
        given = bench.step(home + 0.01)
        assert given.report.state == "stopped"
        assert "a hand in the cell" in given.report.refusals[0]
    assert np.array_equal(bench.measured, home)
    at_reset = bench.step(home, reset=True)
    assert at_reset.report.state == "holding"
    assert "older than the reset" in at_reset.report.refusals[0]
    assert bench.step(home).report.state == "following"


def test_a_stop_beats_a_reset_of_the_same_moment_and_outranks_the_operator() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    bench.step(home, stop=["one"])
    assert bench.step(home, stop=["two"], reset=True).report.state == "stopped"
    given = bench.step(home, operator=JointCommand(position=home))
    assert given.report.state == "stopped"
    assert "two" in given.report.refusals[0]


def test_after_a_reset_the_arm_goes_on_from_where_it_really_is() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    bench.step(home)
    bench.step(home, stop=["power off"])
    moved = home + np.array([0.2, 0, 0, 0, 0, 0, 0])
    bench.measured = moved
    given = bench.step(reset=True)
    assert given.command is not None
    assert given.command.position is not None
    assert np.array_equal(given.command.position, moved)


def test_the_operator_outranks_the_policy() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    given = bench.step(home + 0.001, operator=JointCommand(position=home - 0.001))
    assert given.report.source == "operator"
    assert given.command is not None
    assert given.command.position is not None
    assert (given.command.position < home).all()


def test_a_tool_on_its_way_out_of_the_box_stops_inside_it_and_says_so() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    refused = []
    for tick in range(400):
        refused += bench.step(home + np.array([0, min(2.5, tick * PERIOD), 0, 0, 0, 0, 0])).report.refusals
    tool = bench.robot.chain.tool(bench.measured)[:3, 3]
    assert (tool >= np.array(LOW)).all()
    assert (tool <= np.array(HIGH)).all()
    assert any("would bring the tool to" in text and "outside" in text for text in refused)


def test_an_arm_that_was_moved_out_of_the_box_may_come_back_in() -> None:
    bench = Bench(ROBOTS["panda"])
    outside = bench.measured.copy()
    outside[0] = 2.5
    assert bench.robot.chain.tool(outside)[0, 3] < LOW[0]
    bench.measured = outside
    for tick in range(400):
        bench.step(np.concatenate([[max(0.0, 2.5 - tick * PERIOD)], outside[1:]]))
    assert bench.robot.chain.tool(bench.measured)[0, 3] > LOW[0]


def test_another_mode_or_another_number_of_joints_is_refused() -> None:
    bench = Bench(ROBOTS["panda"])
    for command, says in (
        (JointCommand(effort=np.zeros(7)), "commands effort, and this guard takes position"),
        (JointCommand(velocity=np.zeros(7)), "commands velocity"),
        (JointCommand(position=np.zeros(6)), "commands 6 joints, and panda has 7"),
    ):
        assert says in bench.step(command=command).report.refusals[0]


def test_a_guard_for_velocities_limits_and_brakes_them() -> None:
    bench = Bench(ROBOTS["panda"], mode="velocity")
    top = 0.0
    for _ in range(300):
        given = bench.step(command=JointCommand(velocity=np.array([9.0, 0, 0, 0, 0, 0, 0])))
        assert given.command is not None
        assert given.command.velocity is not None
        top = max(top, given.command.velocity[0])
    assert 0.5 < top <= 2.175
    assert bench.measured[0] <= 2.8973
    for _ in range(30):
        given = bench.step()
    assert given.command is not None
    assert given.command.velocity is not None
    assert (given.command.velocity == 0).all()


def test_the_gripper_stays_within_its_opening() -> None:
    bench = Bench(ROBOTS["panda"])
    home = bench.measured.copy()
    given = bench.step(command=JointCommand(position=home, gripper=0.5))
    assert given.command is not None
    assert given.command.gripper == 0.08
    assert "gripper: opening 0.5 clipped to 0.08 m" in given.report.clips


def test_a_smaller_share_of_the_limits_makes_it_slower_at_once() -> None:
    bench = Bench(ROBOTS["panda"])
    target = bench.measured + np.array([1.0, 0, 0, 0, 0, 0, 0])
    bench.guard.share = 0.1
    speeds = []
    for _ in range(60):
        before = bench.measured[0]
        bench.step(target)
        speeds.append((bench.measured[0] - before) / PERIOD)
    assert max(speeds) == pytest.approx(0.2175)


def test_settings_that_make_no_sense_are_found_before_anything_moves() -> None:
    arm = ROBOTS["panda"]
    assert not list(ArmGuard(arm, low=LOW, high=HIGH).check())
    assert "is empty" in next(iter(ArmGuard(arm, low=(1, 0, 0), high=(0, 1, 1)).check()))
    assert "at home the tool is at" in next(iter(ArmGuard(arm, low=(0.9, 0.9, 0), high=(1, 1, 1)).check()))
