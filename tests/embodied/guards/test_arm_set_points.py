"""Set-points of the arm's guard between steps: where it goes on from after a hold, a reset, a limit or a lag."""

from __future__ import annotations

import re

import numpy as np
import pytest

from embodied.messages import JointCommand
from tests.embodied.guards.arm_rig import PERIOD, Rig
from tests.embodied.robots import robot

PANDA = robot("panda")


def test_after_a_reset_the_arm_goes_on_from_where_it_really_is() -> None:
    rig = Rig(PANDA)
    home = rig.measured.copy()
    rig.step(home)
    rig.step(home, stop=["power off"])
    moved = home + np.array([0.2, 0, 0, 0, 0, 0, 0])
    rig.measured = moved
    assert rig.step(reset=True).command is None
    assert rig.step().command is None
    given = rig.step()
    assert given.command is not None
    assert given.command.position is not None
    assert np.array_equal(given.command.position, moved)


def test_a_command_for_the_gripper_alone_lets_the_arm_come_to_rest() -> None:
    rig = moving(Rig(PANDA))
    for _ in range(20):
        given = rig.step(command=JointCommand(gripper=0.02))
    assert (given.report.state, given.report.refusals) == ("following", ())
    rests_at_once_where_it_is(rig)


def test_a_hold_forgets_where_the_arm_was_to_go() -> None:
    rig = moving(Rig(PANDA))
    for _ in range(20):
        rig.step()
    rests_at_once_where_it_is(rig)


def test_a_refusal_at_the_box_forgets_where_the_arm_was_to_go() -> None:
    rig = Rig(PANDA)
    home, tick, braked = rig.measured.copy(), 0, 0
    while braked < 20:
        given = rig.step(home + np.array([0, min(2.5, tick * PERIOD), 0, 0, 0, 0, 0]))
        braked = braked + 1 if given.report.refusals else 0
        tick += 1
    assert (given.report.state, given.report.source) == ("holding", "command")
    (refusal,) = given.report.refusals
    assert re.fullmatch(
        r"command would bring the tool to \[-?0\.\d{1,4}, -?0\.\d{1,4}, 0\.\d{4}\] m, "
        r"outside \(0\.0, -0\.6, 0\.005\) to \(0\.75, 0\.65, 0\.8\)",
        refusal,
    )
    rests_at_once_where_it_is(rig)


def moving(rig: Rig) -> Rig:
    """The first joint on its way at 0.5 rad/s."""
    home = rig.measured.copy()
    for tick in range(50):
        rig.step(home + np.array([0.5 * tick * PERIOD, 0, 0, 0, 0, 0, 0]))
    return rig


def rests_at_once_where_it_is(rig: Rig) -> None:
    """A command to be where the arm is neither moves it nor is it clipped, whatever was asked for before."""
    here = rig.measured.copy()
    given = rig.step(here)
    assert np.array_equal(rig.measured, here)
    assert given.report.clips == ()


def test_a_command_beyond_a_limit_counts_from_that_limit_when_it_comes_back() -> None:
    rig = Rig(PANDA)
    for far, end in ((9.0, 2.8973), (-9.0, -2.8973)):
        for _ in range(400):
            rig.step(np.concatenate([rig.robot.limit("home")[:6], [far]]))
        assert rig.measured[6] == pytest.approx(end, abs=1e-6)
        here = rig.measured.copy()
        rig.step(np.concatenate([here[:6], [end]]))
        assert np.allclose(rig.measured, here, atol=1e-6)


def test_a_guard_of_positions_goes_on_from_its_own_set_point_however_far_the_arm_lags() -> None:
    rig = Rig(PANDA)
    home = rig.measured.copy()
    for tick in range(60):
        target = home + np.array([0.1 * tick * PERIOD, 0, 0, 0, 0, 0, 0])
        given = rig.step(target)
        assert given.command is not None
        assert given.command.position is not None
        assert np.allclose(given.command.position, target, atol=1e-9)
        rig.measured = home


def test_a_guard_of_velocities_goes_by_where_the_arm_is_and_not_by_where_it_should_be() -> None:
    rig = Rig(PANDA, mode="velocity")
    fast = JointCommand(velocity=np.array([0, 0, 0, 0, 0, 0, 1.0]))
    for _ in range(20):
        given = rig.step(command=fast)
    assert given.command is not None
    assert given.command.velocity is not None
    assert given.command.velocity[6] == 1.0
    # Someone turned it to the end of its way.
    rig.measured[6] = rig.robot.limit("upper")[6]
    given = rig.step(command=fast)
    assert any("panda_joint7: braking before its limit" in clip for clip in given.report.clips)
    assert given.command is not None
    assert given.command.velocity is not None
    assert given.command.velocity[6] == pytest.approx(0.0)
    assert rig.step(command=fast, blind=True).report.refusals == ("no fresh joint state",)


@pytest.mark.parametrize("mode", ["position", "velocity"])
def test_the_guard_keeps_nothing_that_others_may_write_to(mode: str) -> None:
    rig = Rig(PANDA, mode=mode)
    measured, home = rig.measured, rig.measured.copy()
    given = rig.step(
        command=JointCommand(position=home) if mode == "position" else JointCommand(velocity=0.1 * np.ones(7))
    )
    assert given.command is not None
    values = given.command.position if mode == "position" else given.command.velocity
    assert values is not None
    kept = values.copy()
    values += 1.0
    measured += 1.0
    rig.measured = home
    held = rig.step()
    assert held.command is not None
    after = held.command.position if mode == "position" else held.command.velocity
    assert after is not None
    assert (np.abs(after) <= np.abs(kept)).all()


def test_a_reset_while_it_still_brakes_makes_it_brake_on_and_not_jump() -> None:
    rig = Rig(PANDA)
    far = rig.measured + np.array([1.0, 0, 0, 0, 0, 0, 0])
    for _ in range(20):
        rig.step(far)
    was = rig.measured[0]
    rig.step(far, stop=["a hand"])
    first = rig.measured[0] - was
    rig.step(far, reset=True)
    second = rig.measured[0] - was - first
    assert first - second == pytest.approx(PANDA.limit("acceleration")[0] * PERIOD**2)
