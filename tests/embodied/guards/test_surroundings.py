from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied.guards import ArmGuard
from embodied.messages import JointCommand, Separation, Vector
from tests.embodied.guards.arm_rig import HIGH, LOW, PERIOD, ZONE, Rig, near
from tests.embodied.robots import robot

PANDA = robot("panda")
HOME = PANDA.limit("home")
TURN = np.array([1.0, 0, 0, 0, 0, 0, 0])
REACH = float(np.hypot(*PANDA.chain.tool(HOME)[:2, 3]))
LIMITS = tuple(PANDA.limit("effort"))
CALM = np.zeros(7)


def zoned(**about: object) -> Rig:
    return Rig(PANDA, wired=["separation"], zone=ZONE, **about)


def speeds(rig: Rig, separation: Separation | None, periods: int = 60) -> list[float]:
    """Of the first joint, while a far target is commanded [rad/s]."""
    found = []
    for _ in range(periods):
        before = rig.measured[0]
        rig.step(HOME + 1.2 * TURN, separation=separation)
        found.append((rig.measured[0] - before) / PERIOD)
    return found


def test_no_part_of_the_arm_is_faster_than_the_guards_own_limit() -> None:
    rig = Rig(PANDA, speed=0.25)
    top = max(speeds(rig, None))
    assert 0.24 < top * REACH <= 0.2501
    report = rig.step(HOME + 1.2 * TURN).report
    assert report.clips[0].startswith("speed ")
    assert report.clips[0].endswith(" clipped to 0.25 m/s")
    assert (report.state, report.source) == ("following", "command")


def test_a_speed_that_comes_with_the_separation_counts_as_long_as_it_does() -> None:
    rig = zoned()
    assert max(speeds(rig, near(speed=0.1))) * REACH <= 0.1001
    assert max(speeds(rig, near(5.0))) * REACH > 0.5


def test_nothing_moves_while_a_person_is_near_and_motion_resumes_when_it_is_clear() -> None:
    rig = zoned()
    assert speeds(rig, near(0.3), 5) == [0.0] * 5
    report = rig.step(HOME + TURN, separation=near(0.3)).report
    assert (report.state, report.source) == ("holding", "")
    assert report.refusals == ("a person is at 0.3 m, and nothing moves within 0.36 m",)
    assert max(speeds(rig, near(5.0), 200)) > 0.5
    assert rig.measured[0] == pytest.approx(HOME[0] + 1.2, abs=1e-3)


def test_the_nearer_a_person_the_slower_the_arm() -> None:
    tops = [max(speeds(zoned(), near(distance), 40)) for distance in (0.3, 0.4, 0.5, 0.6, 5.0)]
    assert tops == sorted(tops)
    assert tops[0] == 0.0
    assert len(set(tops)) == 5


def test_the_age_of_a_measurement_brings_the_person_nearer() -> None:
    assert zoned().step(HOME, separation=near(0.4)).report.state == "following"
    held = zoned().step(HOME, separation=near(0.4), age=0.05).report
    assert held.refusals == ("a person is at 0.4 m, and nothing moves within 0.44 m",)


def test_a_separation_that_is_wired_and_silent_holds_the_arm_and_one_that_is_not_wired_is_not_used() -> None:
    rig = zoned()
    assert rig.step(HOME, separation=near(5.0)).report.state == "following"
    held = rig.step(HOME).report
    assert (held.state, held.refusals) == ("holding", ("no fresh separation",))
    assert rig.step(HOME, separation=near(5.0)).report.state == "following"
    assert Rig(PANDA).step(HOME).report.state == "following"


def test_a_separation_that_is_no_number_holds_the_arm() -> None:
    for bad in (near(math.nan), near(speed=math.nan), near(), near(-1.0)):
        report = zoned().step(HOME + TURN, separation=bad).report
        assert report.state == "holding"
        assert report.refusals[0].startswith("separation")


def test_effort_over_its_limit_stops_until_it_is_gone_and_a_person_resets() -> None:
    rig = Rig(PANDA, effort=(40.0,) * 4 + (10.0,) * 3, patience=2)
    hard = np.array([0, 50.0, 0, 0, 0, 0, 0])
    assert rig.step(HOME, effort=hard).report.state == "following"
    report = rig.step(HOME, effort=hard).report
    assert report.state == "stopped"
    why = "stopped: panda_joint2: effort 50 is over its limit of 40 N·m; needs a reset and a fresh command"
    assert report.refusals == (why,)
    assert rig.step(HOME, effort=hard, reset=True).report.state == "stopped"
    assert rig.step(HOME, effort=CALM).report.state == "stopped"
    assert rig.step(HOME, effort=CALM, reset=True).report.refusals == ("command is older than the reset",)
    assert rig.step(HOME, effort=CALM).report.state == "following"


def test_a_push_goes_on_while_the_joints_are_silent() -> None:
    rig = Rig(PANDA, effort=LIMITS, patience=1)
    assert rig.step(HOME, effort=CALM).report.state == "following"
    assert rig.step(HOME, effort=2.0 * np.array(LIMITS)).report.state == "stopped"
    assert rig.step(HOME, blind=True, reset=True).report.state == "stopped"


@pytest.mark.parametrize("effort", [None, CALM * math.nan])
def test_a_limit_of_effort_without_an_effort_holds_the_arm(effort: Vector | None) -> None:
    report = Rig(PANDA, effort=LIMITS).step(HOME + TURN, effort=effort).report
    assert report.state == "holding"
    assert report.refusals == ("the arm reports no effort, but this guard limits it",)
    assert Rig(PANDA).step(HOME, effort=effort).report.state == "following"


def test_velocities_that_are_not_finite_are_no_joint_state() -> None:
    rig = Rig(PANDA)
    assert rig.step(HOME, velocity=HOME * math.nan).command is None
    assert rig.step(HOME).report.state == "following"
    assert rig.step(HOME, velocity=np.full(7, math.inf)).report.refusals == ("no fresh joint state",)


@pytest.mark.parametrize(
    ("about", "says"),
    [
        ({"speed": 0.0}, "speed must be above 0 m/s and finite, got 0.0; leave it out for no limit"),
        ({"speed": math.nan}, "speed must be above 0 m/s and finite, got nan; leave it out for no limit"),
        ({"speed": math.inf}, "speed must be above 0 m/s and finite, got inf; leave it out for no limit"),
        ({"zone": ZONE}, "zone is set, but nothing is wired to 'separation'"),
        ({"patience": 0}, "patience must be at least 1 and finite, got 0"),
        ({"effort": (1.0, 2.0)}, "effort must have 7 values, one per joint, got 2"),
        ({"effort": (*LIMITS[:6], 0.0)}, "effort of panda_joint7 must be in (0, 12] N·m, got 0.0"),
        ({"effort": (88.0, *LIMITS[1:])}, "effort of panda_joint1 must be in (0, 87] N·m, got 88.0"),
        (
            {"effort": (math.nan, *LIMITS[1:])},
            "effort of panda_joint1 must be in (0, 87] N·m, got nan",
        ),
    ],
)
def test_settings_that_make_no_sense_are_found(about: dict[str, object], says: str) -> None:
    assert list(ArmGuard(PANDA, low=LOW, high=HIGH, **about).check()) == [says]  # type: ignore[arg-type]


def test_settings_that_make_sense_are_not() -> None:
    guard = ArmGuard(PANDA, low=LOW, high=HIGH, speed=0.25, zone=ZONE, effort=LIMITS, patience=1)
    guard.wired = frozenset({"separation"})
    assert not list(guard.check())
    guard.rate = 5.0
    (problem,) = guard.check()
    assert problem == "zone.reaction must be at least 0.2 s and finite, got 0.1; the guard alone takes 0.2 s"
    guard.zone, guard.rate = None, 100.0
    assert list(guard.check()) == ["zone must be set if 'separation' is wired: 'zone: {reaction: …, margin: …}'"]


BAD = st.sampled_from([math.nan, math.inf, -math.inf])


@given(BAD, st.sampled_from(["command", "operator", "gripper", "position", "velocity", "effort", "distance", "speed"]))
@settings(max_examples=40)
def test_what_is_no_number_in_any_input_never_gives_motion(bad: float, where: str) -> None:
    rig = zoned(effort=LIMITS)
    ahead, wrong = JointCommand(position=HOME + TURN), np.where(TURN > 0, bad, HOME)
    rig.step(HOME, separation=near(5.0), effort=CALM)
    if where == "position":
        rig.measured = wrong
    given = rig.step(
        command=JointCommand(position=wrong) if where == "command" else ahead,
        operator=JointCommand(position=wrong) if where == "operator" else None,
        teleop=JointCommand(position=HOME + TURN, gripper=bad) if where == "gripper" else None,
        separation=near(bad if where == "distance" else 5.0, bad if where == "speed" else None),
        effort=wrong if where == "effort" else CALM,
        velocity=wrong if where == "velocity" else None,
    )
    assert given.report.state == "holding"
    assert given.command is not None
    assert given.command.position is not None
    assert np.array_equal(given.command.position, HOME)


@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1.5), st.floats(-2, 2)), min_size=1, max_size=12))
@settings(max_examples=30)
def test_the_arm_is_never_faster_than_it_may_be_unless_it_brakes(said: list[tuple[float, float, float]]) -> None:
    rig = zoned()
    before, speed = HOME, 0.0
    for distance, limit, turn in said:
        for _ in range(5):
            rig.step(HOME + turn * TURN, separation=near(distance, limit))
            now = (rig.measured[0] - before[0]) / PERIOD
            tool = PANDA.chain.tool(np.array((before, rig.measured)))[:, :3, 3]
            way = float(np.linalg.norm(tool[1] - tool[0])) / PERIOD
            if abs(now) > max(abs(speed) - 15.0 * PERIOD, 0.0) + 1e-9:
                assert distance > ZONE.at_rest()
                assert way <= limit + 1e-9
            before, speed = rig.measured.copy(), now


def test_a_small_limit_of_effort_is_one() -> None:
    assert not list(ArmGuard(PANDA, low=LOW, high=HIGH, effort=(0.5,) * 7).check())
