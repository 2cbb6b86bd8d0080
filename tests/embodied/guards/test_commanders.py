from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards import ArmGuard
from embodied.messages import JointCommand, Vector
from tests.embodied.guards.arm_rig import PERIOD, Rig
from tests.embodied.robots import robot

PANDA = robot("panda")
HOME = PANDA.limit("home")
TURN = np.array([1.0, 0, 0, 0, 0, 0, 0])


def at(turn: float) -> JointCommand:
    return JointCommand(position=HOME + turn * TURN)


def test_of_all_who_command_the_operator_is_followed_then_teleop_then_the_policy() -> None:
    rig = Rig(PANDA)
    assert rig.step(command=at(0.0)).report.source == "command"
    assert rig.step(command=at(0.0), teleop=at(0.001)).report.source == "teleop"
    turned = rig.measured[0]
    assert turned > HOME[0]
    assert rig.step(command=at(0.0), teleop=at(0.001), operator=at(-0.001)).report.source == "operator"
    assert rig.measured[0] < turned


def test_an_operator_who_lets_go_keeps_the_arm_until_the_lease_is_over_and_the_policy_is_told_why() -> None:
    rig = Rig(PANDA, lease=0.1)
    rig.step(command=at(0.0), operator=at(0.0))
    reports = [rig.step(command=at(0.0)).report for _ in range(10)]
    waits = "operator has the lease; command waits until it was silent for 0.1 s and the arm rests"
    assert [report.refusals for report in reports[:9]] == [(waits,)] * 9
    assert {report.state for report in reports[:9]} == {"holding"}
    assert (reports[9].state, reports[9].source) == ("following", "command")


def test_a_policy_does_not_take_over_what_an_operator_set_in_motion() -> None:
    rig = Rig(PANDA, lease=0.0)
    for tick in range(40):
        rig.step(command=at(0.0), operator=at(1.5 * tick * PERIOD))
    before, moving = rig.measured[0], True
    periods = 0
    while moving:
        given = rig.step(command=at(0.0))
        moving = rig.measured[0] != before
        assert given.report.source == "" or not moving
        before = rig.measured[0]
        periods += 1
    assert 5 < periods < 20


def test_taking_over_begins_where_the_arm_is_and_never_jumps() -> None:
    rig = Rig(PANDA)
    for tick in range(60):
        rig.step(command=at(1.0 * tick * PERIOD))
    before, speed = rig.measured.copy(), 1.0 * TURN
    for _ in range(60):
        rig.step(command=at(0.6), operator=at(-0.5))
        velocity = (rig.measured - before) / PERIOD
        assert (np.abs(velocity - speed) <= PANDA.limit("acceleration") * PERIOD + 1e-6).all()
        before, speed = rig.measured.copy(), velocity
    assert rig.measured[0] < 0.5


def test_an_operator_whose_command_cannot_be_followed_still_has_the_arm() -> None:
    rig = Rig(PANDA)
    given = rig.step(command=at(0.1), operator=JointCommand(position=HOME * np.nan))
    assert given.report.state == "holding"
    assert given.report.refusals[0].startswith("operator: position must be finite, got [nan")
    assert np.array_equal(rig.measured, HOME)


def test_silence_of_all_is_no_command_whoever_has_the_lease() -> None:
    rig = Rig(PANDA)
    rig.step(operator=at(0.0))
    assert rig.step().report.refusals == ("no fresh command",)


def test_a_lease_that_is_no_time_is_found() -> None:
    for bad in (-0.1, float("nan"), float("inf")):
        assert f"lease must be at least 0 s and finite, got {bad}" in list(ArmGuard(PANDA, lease=bad).check())
    assert not list(ArmGuard(PANDA, lease=0.0).check())


SPOKEN = st.lists(st.sets(st.sampled_from(ArmGuard.ranks)), min_size=1, max_size=12)


@given(SPOKEN, st.integers(1, 12))
@settings(max_examples=40)
def test_two_commanders_never_mix_within_a_lease(spoken: list[set[str]], length: int) -> None:
    rig = Rig(PANDA, lease=0.05)
    ways = {"operator": 0.3, "teleop": -0.3, "command": 0.1}
    leader, heard = "", dict.fromkeys(ways, 0)
    before: Vector = HOME
    for names in spoken:
        for _ in range(length):
            given = rig.step(**{name: at(ways[name]) for name in names})  # type: ignore[arg-type]
            for name in names:
                heard[name] = rig.n
            source = given.report.source
            if source:
                assert source == min((n for n in names), key=ArmGuard.ranks.index) or source == leader
                if leader and ArmGuard.ranks.index(source) > ArmGuard.ranks.index(leader):
                    assert rig.n - heard[leader] >= 5
                    # The arm stood when it was handed down: its first step is one from rest.
                    step = np.abs(rig.measured - before)
                    assert (step <= PANDA.limit("acceleration") * PERIOD**2 + 1e-9).all()
                leader = source
            before = rig.measured.copy()
