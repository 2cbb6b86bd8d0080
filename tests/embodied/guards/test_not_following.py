"""A body that did not follow its set-point is held where it is, and followed again after a reset.

Law: what was compared with measurements is forgotten as soon as there is nothing to compare it with.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.messages import DroneCommand, JointCommand
from tests.embodied.guards import arm_rig, drone_rig
from tests.embodied.guards.test_measured import HOME, PANDA, TURN, Arm, Body, Drone, Vehicle, each


@each
@pytest.mark.parametrize("seen", [True, False])
def test_a_stop_of_a_body_that_did_not_follow_is_released_by_the_reset_of_the_very_next_period(
    make: Callable[[], Body], seen: bool
) -> None:
    body = make()
    far = 1.01 * body.error
    body.step(0.0, 0.0)
    states = [body.step(far, 0.0)[1].state for _ in range(body.patience)]
    assert states[-1] == "stopped"
    body.step(far if seen else None, reset=True)
    states = [body.step(far, far)[1].state for _ in range(5)]
    assert states[-1] == "following"


@each
def test_a_body_that_did_not_follow_is_held_only_where_measurements_agree_that_it_is(make: Callable[[], Body]) -> None:
    body = make()
    far = 1.01 * body.error
    body.step(0.0, 0.0)
    for _ in range(body.patience - 1):
        body.step(far, 0.0)
    places = [body.step(at, 0.0)[0] for at in (far, 0.0, far, far, far)]
    assert places == [far, None, None, None, far]


def test_a_drone_is_compared_in_its_height_too_but_for_a_landing_whose_speed_is_the_drivers_own() -> None:
    low = drone_rig.flying((0.0, 0.0, 2.0 - 0.51))
    rig = drone_rig.Rig(following_error=0.5)
    rig.step(DroneCommand(position=np.array([0.0, 0.0, 2.0]), frame=WORLD))
    assert rig.step(state=low).report.refusals[0].startswith("the drone is 0.51 m from its set-point")
    lands = drone_rig.Rig(following_error=0.5)
    for _ in range(100):
        given = lands.step(DroneCommand(land=True, frame=WORLD), state=drone_rig.flying((0.0, 0.0, 2.0)))
        assert given.report.state == "following"
    aside = [lands.step(DroneCommand(land=True, frame=WORLD), state=drone_rig.flying((0.0, 0.51, 1.0)))]
    assert aside[0].report.refusals[0].startswith("the drone is 0.51 m from its set-point")


def test_wheels_that_were_turned_before_a_reset_are_followed_from_where_they_are_as_soon_as_that_is_sure() -> None:
    body = Vehicle()
    body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["a hand"])
    turned = 1.01 * body.error
    body.step(turned, reset=True)
    assert [body.step(turned, turned)[1].state for _ in range(3)] == ["holding", "following", "following"]


def test_a_drone_on_the_ground_has_no_set_point_to_be_away_from() -> None:
    rig = drone_rig.Rig()
    there = DroneCommand(position=np.array([0.0, 0.0, 2.0]), frame=WORLD)
    rig.step(there)
    assert rig.step(there, state=drone_rig.flying((3.1, 0.0, 2.0))).report.state == "holding"
    assert rig.step(there, state=drone_rig.standing()).report.state == "following"


def test_a_drone_is_outside_beyond_its_following_error_and_its_place_is_told_in_millimetres() -> None:
    rig = drone_rig.Rig()
    edge = drone_rig.HIGH[0] + Drone.error
    assert not rig.step(state=drone_rig.flying((edge, 0.0, 2.0))).report.refusals[0].startswith("the drone is at")
    beyond = rig.step(state=drone_rig.flying((edge + 0.12345678, 0.0, 2.0)))
    assert beyond.report.refusals == ("the drone is at [8.123, 0.0, 2.0] m, more than 3 m outside its fence",)


def test_an_arm_that_was_never_measured_is_told_from_one_that_is_measured_no_more() -> None:
    body = Arm()
    assert body.step(None, 0.0)[1].refusals == ("no joint state yet",)
    for _ in range(5):
        body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["a hand"])
    assert body.step(None, reset=True)[1].refusals == ("no fresh joint state",)


def lags(rig: arm_rig.Rig, count: int) -> list[str]:
    """Command a velocity to an arm that does not move; return the states of the guard."""
    states = []
    for _ in range(count):
        states.append(rig.step(command=JointCommand(velocity=TURN)).report.state)
        rig.measured = HOME.copy()
    return states


@pytest.mark.parametrize("silent", [True, False])
def test_a_lag_behind_velocities_is_forgotten_in_silence_and_where_the_set_point_begins_again(silent: bool) -> None:
    stands = lags(arm_rig.Rig(PANDA, mode="velocity"), 200).index("holding")
    rig = arm_rig.Rig(PANDA, mode="velocity")
    assert lags(rig, stands - 1) == ["following"] * (stands - 1)
    if silent:
        rig.step(command=JointCommand(velocity=TURN), blind=True)
    else:
        for more in ({"stop": ["a hand"]}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {"reset": True}):
            rig.step(**more)
            rig.measured = HOME.copy()
    assert set(lags(rig, stands // 2)[5:]) == {"following"}


@each
def test_a_set_point_at_the_edge_is_dropped_once_its_body_is_measured_outside(make: Callable[[], Body]) -> None:
    body = make()
    edge = body.range + body.outside
    for _ in range(5):
        body.step(edge - 1e-6, body.range)
    place, report = body.step(edge + 1e-6, body.range)
    assert place is None
    assert report.refusals[0].startswith(("measured ", "the drone is at "))
