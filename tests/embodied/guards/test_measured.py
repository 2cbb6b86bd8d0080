"""Measurements of the guarded body: the law of case 17, which holds for every guard.

No command while the body is measured outside its range by more than a little. Beyond a stated distance between the
set-point and the body the guard holds and says so, then stops until a reset. After silence, a stop or such a
measurement the set-point begins again where several measurements agree that the body is, never at one alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.guards import ArmGuard, DroneGuard, VehicleGuard
from embodied.messages import DroneCommand, GuardReport, JointCommand, VehicleCommand
from tests.embodied.guards import arm_rig, drone_rig
from tests.embodied.guards.vehicle_rig import Rig as VehicleRig
from tests.embodied.guards.vehicle_states import driving
from tests.embodied.robots import robot

PANDA = robot("panda")
HOME = PANDA.limit("home")
TURN = np.eye(7)[0]
WAITS = "waits for 3 measurements that agree"


class Arm:
    """First joint of an arm [rad]."""

    name, unit, range, outside, error, patience = "panda_joint1", "rad", 2.8973, 0.05, 0.4, 3
    agreement = 0.05

    def __init__(self) -> None:
        self.rig = arm_rig.Rig(PANDA)

    def step(self, at: float | None, ahead: float | None = None, **more: Any) -> tuple[float | None, GuardReport]:
        """Step the guard with a body at a place, or without a measurement; return the place that is commanded."""
        if at is not None:
            self.rig.measured = HOME + at * TURN
        command = None if ahead is None else JointCommand(position=HOME + ahead * TURN)
        given = self.rig.step(command=command, blind=at is None, **more)
        position = None if given.command is None else given.command.position
        return None if position is None else float(position[0]), given.report


class Drone:
    """Easting of a drone [m]."""

    name, unit, range, outside, error, patience = "the drone", "m", 5.0, 3.0, 3.0, 10
    agreement = 0.5

    def __init__(self) -> None:
        self.rig = drone_rig.Rig()

    def step(self, at: float | None, ahead: float | None = None, **more: Any) -> tuple[float | None, GuardReport]:
        """Step the guard as for an arm."""
        self.rig.state = None
        command = None if ahead is None else DroneCommand(position=np.array([ahead, 0.0, 2.0]), frame=WORLD)
        state = None if at is None else drone_rig.flying((at, 0.0, 2.0))
        given = self.rig.step(command, state=state, **more)
        position = None if given.command is None else given.command.position
        return None if position is None else float(position[0]), given.report


class Vehicle:
    """Angle of a vehicle's front wheels [rad]."""

    name, unit, range, outside, error, patience = "the steering", "rad", 0.5, 0.3, 0.3, 10
    agreement = 0.1

    def __init__(self) -> None:
        self.rig = VehicleRig()

    def step(self, at: float | None, ahead: float | None = None, **more: Any) -> tuple[float | None, GuardReport]:
        """Step the guard as for an arm."""
        self.rig.state = None
        command = None if ahead is None else VehicleCommand(speed=0.0, steering=ahead)
        given = self.rig.step(command, state=None if at is None else driving(0.0, at), **more)
        return None if given.command is None else given.command.steering, given.report


Body = Arm | Drone | Vehicle
each = pytest.mark.parametrize("make", [Arm, Drone, Vehicle])


@each
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_outside_its_range_by_more_than_a_little_a_body_is_not_commanded(make: Callable[[], Body], way: float) -> None:
    body = make()
    edge = body.range + body.outside
    for far in (edge + 1e-6, edge + 1.0, 1e5):
        for more in ({}, {"stop": ["a hand"]}, {"reset": True}):
            place, report = body.step(way * far, 0.0, **more)
            assert place is None
            assert report.state != "following"
    assert report.refusals[0].startswith(("measured ", "the drone is at "))


@each
@pytest.mark.parametrize("way", [1.0, -1.0])
def test_outside_by_a_little_the_way_back_is_open_and_the_way_out_is_not(make: Callable[[], Body], way: float) -> None:
    body = make()
    edge = body.range + body.outside - 1e-6
    place, report = body.step(way * edge, 0.0)
    assert place is not None
    assert (report.state, report.refusals) == ("following", ())
    assert body.range - 0.1 < way * place <= edge
    out, _ = body.step(way * edge, way * (edge + 1.0))
    assert out is not None
    assert way * out <= edge


@each
def test_a_body_that_does_not_move_is_not_commanded_away_from_and_is_stopped_until_a_reset(
    make: Callable[[], Body],
) -> None:
    body = make()
    far, reports = 0.0, []
    for _ in range(500):
        place, report = body.step(0.0, 0.9 * body.range)
        far = max(far, 0.0 if place is None else place)
        reports.append(report)
    assert body.error < far < 1.5 * body.error
    states = [report.state for report in reports]
    held = states.index("holding")
    assert states[held:] == ["holding"] * (body.patience - 1) + ["stopped"] * (501 - held - body.patience)
    first = reports[held].refusals[0]
    assert first.startswith(f"{body.name} is ")
    assert first.endswith(f" {body.unit} from its set-point, over its limit of {body.error:g} {body.unit}")
    assert reports[-1].refusals[0].startswith(f"stopped: {body.name} is ")
    # What lets go of it now does not make it jump.
    assert place == 0.0
    assert body.step(0.0, 0.0, reset=True)[1].refusals == ("command is older than the reset",)
    assert body.step(0.0, 0.0)[1].state == "following"


@each
def test_one_measurement_far_from_the_set_point_holds_for_that_period_alone(make: Callable[[], Body]) -> None:
    body = make()
    for _ in range(5):
        body.step(0.0, 0.0)
    place, report = body.step(1.01 * body.error, 0.0)
    assert (place, report.state) == (0.0, "holding")
    assert body.step(0.0, 0.0)[1].state == "following"


@each
def test_after_silence_the_set_point_begins_where_measurements_agree_that_it_is(make: Callable[[], Body]) -> None:
    body = make()
    moved = 0.8 * body.error
    for _ in range(5):
        body.step(0.0, 0.0)
    for _ in range(100):
        body.step(None, 0.0)
    for _ in range(2):
        place, report = body.step(moved, moved)
        assert (place, report.state, report.refusals) == (None, "holding", (WAITS,))
    place, report = body.step(moved, moved)
    assert place == pytest.approx(moved)
    assert report.state == "following"


@each
def test_after_silence_one_that_differs_is_not_believed(make: Callable[[], Body]) -> None:
    body = make()
    body.step(0.0, 0.0)
    body.step(None)
    places = [body.step(at, 0.0)[0] for at in (0.0, 0.0, 0.8 * body.range, 0.0, 0.0, 0.0)]
    assert places == [None] * 5 + [0.0]


@each
def test_back_inside_its_range_measurements_must_agree_too(make: Callable[[], Body]) -> None:
    body = make()
    body.step(1e5, 0.0)
    assert [body.step(0.0, 0.0)[0] for _ in range(4)] == [None, None, 0.0, 0.0]


@each
def test_silence_after_a_hold_does_not_end_it(make: Callable[[], Body]) -> None:
    body = make()
    body.step(0.0, 0.0)
    for _ in range(body.patience):
        assert body.step(1.01 * body.error, 0.0)[1].state != "following"
    assert body.step(None, 0.0)[1].state == "stopped"
    assert body.step(0.0, 0.0)[1].state == "stopped"


def test_a_published_lie_and_a_reset_do_not_make_an_arm_jump() -> None:
    body = Arm()
    for _ in range(10):
        body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["estop"])
    place, _ = body.step(2.5, 0.0, reset=True)
    assert place is None
    assert [body.step(0.0, 0.0)[0] for _ in range(3)] == [None, None, 0.0]


def test_an_arm_that_was_moved_by_hand_while_stopped_keeps_the_reason_of_the_stop() -> None:
    body = Arm()
    for _ in range(5):
        body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["a hand"])
    for _ in range(20):
        place, report = body.step(1.0, 0.0)
        assert report.refusals == ("stopped: a hand; needs a reset and a fresh command",)
    assert place == 1.0


def test_an_arm_that_brakes_through_a_short_silence_goes_on_from_its_set_point() -> None:
    body = Arm()
    at = 0.0
    for tick in range(30):
        at = body.step(at, 0.02 * tick)[0] or at
    blind, _ = body.step(None, 0.6)
    assert blind is not None
    assert blind > at
    seen, report = body.step(blind, 0.6)
    assert seen is not None
    assert seen > blind
    assert report.state == "following"


def test_a_guard_of_velocities_stops_an_arm_that_does_not_move() -> None:
    rig = arm_rig.Rig(PANDA, mode="velocity")
    states = []
    for _ in range(200):
        given = rig.step(command=JointCommand(velocity=1.0 * TURN))
        states.append(given.report.state)
        rig.measured = HOME.copy()
    # It is to have gone 0.4 rad, of which it forgets a little.
    assert 40 < states.index("holding") < 70
    assert states[-1] == "stopped"
    assert given.report.refusals[0].startswith("stopped: panda_joint1 is 0.4")
    assert given.command is not None
    assert given.command.velocity is not None
    assert not given.command.velocity.any()


def test_while_it_lands_only_the_way_over_the_ground_counts() -> None:
    land = DroneCommand(land=True, frame=WORLD)
    for command in (land, None):
        rig = drone_rig.Rig(lost=0.1)
        rig.state = drone_rig.flying((0.0, 0.0, 5.5))
        rig.many(20, command)
        for height in np.arange(5.5, 0.0, -0.02):
            given = rig.step(command, state=drone_rig.flying((0.0, 0.0, float(height))))
            assert given.command is not None
            assert given.command.land
            assert "set-point" not in "".join(given.report.refusals)
        for _ in range(12):
            given = rig.step(command, state=drone_rig.flying((3.1, 0.0, 0.5)))
        assert given.command is not None
        assert given.command.position is not None
        assert given.command.position[0] == 3.1


@pytest.mark.parametrize(("on_stop", "lands"), [("hold", False), ("land", True)])
def test_a_drone_that_is_carried_away_holds_or_lands_as_after_an_upset(on_stop: str, lands: bool) -> None:
    rig = drone_rig.Rig(on_stop=on_stop, patience=2)
    rig.step()
    for _ in range(6):
        given = rig.step(state=drone_rig.flying((3.5, 0.0, 2.0)))
    assert given.command is not None
    assert given.command.position is not None
    assert (given.report.state, given.command.land, given.command.position[0]) == ("stopped", lands, 3.5)


def test_on_the_ground_a_drone_does_not_follow_its_set_point_yet() -> None:
    rig = drone_rig.Rig(patience=1)
    ready = drone_rig.flying((0.0, 0.0, 0.06), landed=True)
    rise = DroneCommand(position=np.array([0.0, 0.0, 5.0]), frame=WORLD)
    assert rig.many(300, rise, state=ready).report.state == "following"


def test_wheels_are_compared_only_while_the_vehicle_is_engaged() -> None:
    rig = VehicleRig(patience=1)
    for angle in (0.0, 0.4, -0.4):
        given = rig.step(state=driving(0.0, angle, engaged=False))
        assert given.report.refusals == ("the vehicle is not engaged yet",)


def test_wheels_that_were_turned_while_it_was_stopped_are_kept_after_the_reset() -> None:
    body = Vehicle()
    for _ in range(3):
        body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["a hand"])
    assert [body.step(0.2, 0.2)[0] for _ in range(3)] == [0.0] * 3
    assert body.step(0.2, 0.2, reset=True)[0] == 0.2


def test_at_a_reset_the_last_measurements_must_agree() -> None:
    body = Vehicle()
    for _ in range(3):
        body.step(0.0, 0.0)
    body.step(0.0, 0.0, stop=["a hand"])
    assert body.step(0.2, 0.2, reset=True) == (None, body.step(0.2)[1])


def test_a_reset_while_it_rolls_does_not_move_the_wheels() -> None:
    rig = VehicleRig()
    steered = VehicleCommand(speed=1.0, steering=0.1)
    for _ in range(20):
        rig.step(steered, state=driving(1.0, 0.0))
    rig.step(steered, state=driving(1.0, 0.0), stop=["a hand"])
    given = rig.step(state=driving(1.0, 0.0), reset=True)
    assert given.command is not None
    assert given.command.steering == pytest.approx(0.1)


@each
@pytest.mark.parametrize(("share", "agrees"), [(0.9, True), (1.1, False)])
def test_how_far_measurements_that_agree_may_be_apart(make: Callable[[], Body], share: float, agrees: bool) -> None:
    body = make()
    body.step(0.0, 0.0)
    body.step(None)
    places = [body.step(at, 0.0)[0] for at in (0.0, share * body.agreement, 0.0)]
    assert (places[-1] is not None) == agrees


def test_wheels_that_are_measured_outside_are_said_with_their_number() -> None:
    assert Vehicle().step(0.9)[1].refusals == ("measured steering must be in [-0.8, 0.8] rad, got 0.9",)
    said = Arm().step(2.96)[1].refusals
    assert said == ("measured panda_joint1 must be in [-2.947, 2.947] rad, got 2.96",)
    place = "the drone is at [8.1, 0.0, 2.0] m, more than 3 m outside its fence"
    assert Drone().step(8.1)[1].refusals == (place,)


@pytest.mark.parametrize(
    ("guard", "unit"),
    [
        (lambda far: ArmGuard(PANDA, low=arm_rig.LOW, high=arm_rig.HIGH, following_error=far), "rad"),
        (lambda far: DroneGuard(drone_rig.LOW, drone_rig.HIGH, following_error=far), "m"),
        (lambda far: VehicleGuard(0.6, following_error=far), "rad"),
    ],
)
def test_a_following_error_that_guards_nothing_is_refused(guard: Callable[[float], Any], unit: str) -> None:
    for wrong in (0.0, -1.0, math.nan, math.inf):
        (problem,) = guard(wrong).check()
        assert problem == f"following_error must be above 0 {unit} and finite, got {wrong}"
    assert not list(guard(0.01).check())
