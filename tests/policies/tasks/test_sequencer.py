from __future__ import annotations

import math

import numpy as np
import pytest

from embodied import Time
from embodied.bodies import WORLD
from embodied.geometry import BASE
from embodied.messages import DroneState, GripperState, Pose, Target, VehicleState
from policies.tasks.sequencer import Dispatch, Orders, Stage

ORDER = Target(label="red")
HOME, OVER = (0.30, 0.0, 0.5), (0.40, 0.58, 0.16)
OPEN, BLOCK, SHUT = 0.075, 0.039, 0.001


def tcp(at: tuple[float, float, float]) -> Pose:
    return Pose(position=np.array(at), orientation=np.array([0.0, 0.0, 0.0, 1.0]), frame=BASE)


def gripper(width: float) -> GripperState:
    return GripperState(width=width, speed=0.0, force=0.0, acquired=Time(0))


def shuttle(gear: str = "P", speed: float = 0.0) -> VehicleState:
    return VehicleState(
        speed=speed, steering=0.0, yaw_rate=0.0, gear=gear, engaged=True, overridden=False, acquired=Time(0)
    )


def drone(armed: bool = False, landed: bool = True) -> DroneState:
    zero = np.zeros(3)
    return DroneState(
        position=zero,
        orientation=np.array([0.0, 0.0, 0.0, 1.0]),
        linear_velocity=zero,
        angular_velocity=zero,
        armed=armed,
        landed=landed,
        mode="disarmed",
        frame=WORLD,
        acquired=Time(0),
    )


class Shift:
    """A dispatcher, and what the robots say of themselves at first."""

    def __init__(self) -> None:
        self.dispatch = Dispatch(place=(0.40, 0.58))
        self.dispatch.open()
        self.arm: tuple[Pose, GripperState] = tcp(HOME), gripper(OPEN)
        self.shuttle: VehicleState | None = shuttle()
        self.drone: DroneState | None = drone()
        self.turn = self.step()

    def step(self) -> Orders:
        self.turn = self.dispatch.step(ORDER, *self.arm, self.shuttle, self.drone)
        return self.turn

    def move(self, at: tuple[float, float, float], width: float) -> None:
        self.arm = tcp(at), gripper(width)
        self.step()

    def load(self) -> None:
        self.move((0.5, 0.1, 0.02), BLOCK)
        for at, width in ((OVER, BLOCK), (OVER, 0.055), (OVER, OPEN), (HOME, OPEN)):
            self.move(at, width)

    def drive(self) -> None:
        for state in (shuttle("P"), shuttle("D", 1.0), shuttle("D"), shuttle("P")):
            self.shuttle = state
            self.step()

    def fly(self) -> None:
        for state in (drone(), drone(armed=True), drone(armed=True, landed=False), drone(armed=True), drone()):
            self.drone = state
            self.step()


def test_everyone_has_his_turn_when_the_one_before_is_done_and_then_nobody() -> None:
    shift = Shift()
    assert shift.turn == Orders(ORDER, None, None)
    shift.load()
    assert shift.turn == Orders(None, ORDER, None)
    shift.drive()
    assert shift.turn == Orders(None, None, ORDER)
    shift.fly()
    assert shift.turn == Orders(None, None, None)
    assert shift.dispatch.stage is Stage.DONE


@pytest.mark.parametrize("state", [None, shuttle("D"), shuttle("P", 0.06)])
def test_the_arm_has_no_turn_while_no_shuttle_stands_parked(state: VehicleState | None) -> None:
    shift = Shift()
    shift.shuttle = state
    assert shift.step() == Orders(None, None, None)
    shift.shuttle = shuttle()
    assert shift.step() == Orders(ORDER, None, None)


def test_a_load_counts_once_the_arm_is_back_where_it_began() -> None:
    shift = Shift()
    for at, width in ((OVER, BLOCK), (OVER, OPEN), ((0.30, 0.06, 0.5), OPEN)):
        shift.move(at, width)
    assert shift.turn.arm is ORDER
    shift.move((0.30, 0.04, 0.5), OPEN)
    assert shift.turn.shuttle is ORDER


@pytest.mark.parametrize(
    "moves",
    [
        [(OVER, OPEN), (HOME, OPEN)],
        [(OVER, SHUT), (OVER, OPEN), (HOME, OPEN)],
        [(OVER, BLOCK), (OVER, SHUT), (OVER, OPEN), (HOME, OPEN)],
        [(OVER, BLOCK), ((0.2, 0.3, 0.3), BLOCK), ((0.2, 0.3, 0.3), OPEN), (HOME, OPEN)],
        [((0.5, 0.1, 0.1), BLOCK), ((0.5, 0.1, 0.1), OPEN), (OVER, OPEN), (HOME, OPEN)],
    ],
    ids=["nothing held", "nothing between the fingers", "slipped out", "let go elsewhere", "let go before"],
)
def test_what_was_not_carried_over_the_bed_and_let_go_there_is_no_load(
    moves: list[tuple[tuple[float, float, float], float]],
) -> None:
    shift = Shift()
    for at, width in moves:
        shift.move(at, width)
    assert shift.turn == Orders(ORDER, None, None)


def test_a_shuttle_that_has_not_left_has_not_arrived_and_a_drone_that_has_not_flown_has_not_landed() -> None:
    shift = Shift()
    shift.load()
    for _ in range(50):
        assert shift.step() == Orders(None, ORDER, None)
    shift.drive()
    shift.drone = drone(armed=True)
    shift.step()
    shift.drone = drone()
    for _ in range(50):
        assert shift.step() == Orders(None, None, ORDER)


def test_silence_moves_nothing_on() -> None:
    shift = Shift()
    shift.load()
    shift.shuttle = None
    assert shift.step() == Orders(None, ORDER, None)
    shift.drive()
    shift.drone = None
    assert shift.step() == Orders(None, None, ORDER)
    assert shift.dispatch.step(ORDER, None, None, None, None) == Orders(None, None, ORDER)


@pytest.mark.parametrize("name", ["bed", "block", "back"])
def test_settings_that_make_no_sense_are_refused(name: str) -> None:
    for value in (0.0, -1.0, math.inf, math.nan):
        (problem,) = Dispatch((0.4, 0.58), **{name: value}).check()
        assert problem == f"{name} must be above 0 m and finite, got {value}"
    assert not list(Dispatch((0.4, 0.58)).check())
