from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.clock import rate_of, tick
from embodied.messages import DroneCommand, Vector
from sims.airfield.world import Airfield
from sims.drone import DroneOutput, SimDrone

SEED = 10**9


class Flight:
    """A driver in its world, flown by hand."""

    def __init__(self, world: Airfield) -> None:
        world.reset(SEED)
        self.world, self.driver = world, SimDrone()
        self.driver.open(world)
        self._count = -1

    def fly(self, seconds: float, command: DroneCommand | None) -> DroneOutput:
        for _ in range(round(seconds * 150)):
            self._count += 1
            self.world.advance(tick(self._count, rate_of(150)))
            output = self.driver.step(command)
        return output

    @property
    def position(self) -> Vector:
        return self.world.drone().position


@pytest.fixture
def flight() -> Iterator[Flight]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Airfield()
    yield Flight(world)
    world.close()


def go(x: float, y: float, z: float, yaw: float | None = None) -> DroneCommand:
    return DroneCommand(position=np.array([x, y, z]), yaw=yaw, frame=WORLD)


LAND = DroneCommand(land=True, frame=WORLD)


def test_it_takes_off_to_a_position_holds_without_a_command_and_lands_when_told(flight: Flight) -> None:
    output = flight.fly(1.0, None)
    assert (output.state.armed, output.state.landed, output.state.mode) == (False, True, "disarmed")
    assert output.applied is None
    output = flight.fly(6.0, go(1.0, 0.5, 1.5, yaw=0.4))
    assert (output.state.armed, output.state.landed, output.state.mode) == (True, False, "position")
    np.testing.assert_allclose(flight.position, [1.0, 0.5, 1.5], atol=0.15)
    assert output.applied is not None
    output = flight.fly(3.0, None)
    assert (output.state.mode, output.applied) == ("hold", None)
    np.testing.assert_allclose(flight.position, [1.0, 0.5, 1.5], atol=0.2)
    output = flight.fly(8.0, LAND)
    assert (output.state.armed, output.state.landed, output.state.mode) == (False, True, "disarmed")
    assert flight.position[2] < 0.07
    np.testing.assert_allclose(flight.position[:2], [1.0, 0.5], atol=0.25)
    assert not flight.world.drone().thrust(np.zeros(4)).any()


def test_silence_in_flight_brings_it_to_rest_where_it_can_stop(flight: Flight) -> None:
    flight.fly(3.0, go(0.0, 0.0, 2.0))
    flight.fly(3.0, DroneCommand(velocity=np.array([1.5, 0.0, 0.0]), frame=WORLD))
    at = flight.position.copy()
    output = flight.fly(2.5, None)
    assert output.state.mode == "hold"
    assert np.linalg.norm(flight.world.drone().velocity) < 0.15
    assert 0.2 < flight.position[0] - at[0] < 1.5
    assert abs(flight.position[2] - at[2]) < 0.2


@pytest.mark.parametrize("wrong", [math.nan, math.inf])
def test_what_is_no_number_never_arms_it_and_in_flight_is_silence(flight: Flight, wrong: float) -> None:
    assert not flight.fly(0.5, go(0.0, wrong, 2.0)).state.armed
    assert not flight.fly(0.5, go(0.0, 0.0, 2.0, yaw=wrong)).state.armed
    assert not flight.fly(0.5, DroneCommand(frame=WORLD)).state.armed
    flight.fly(3.0, go(0.0, 0.0, 2.0))
    output = flight.fly(1.0, go(wrong, 0.0, 2.0))
    assert (output.state.mode, output.applied) == ("hold", None)


def test_told_to_land_while_it_stands_it_does_not_arm(flight: Flight) -> None:
    assert not flight.fly(1.0, LAND).state.armed


def test_with_too_little_charge_it_does_not_arm() -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    flight = Flight(Airfield(charge=0.14))
    assert not flight.fly(1.0, go(0.0, 0.0, 2.0)).state.armed
    flight.world.close()


def test_its_battery_is_told_and_drains(flight: Flight) -> None:
    first = flight.fly(1.0, go(0.0, 0.0, 1.5)).battery
    last = flight.fly(2.0, go(0.0, 0.0, 1.5)).battery
    assert 0.9 < last.charge < first.charge <= 1.0
    assert 13.0 < last.voltage < 16.8


def test_settings_with_which_it_cannot_be_flown_are_refused() -> None:
    slow = SimDrone()
    slow.rate = 50.0
    assert "rate must be at least 100 Hz and finite, got 50" in next(iter(slow.check()))
    assert "reserve must be in [0, 1), got 1.0" in next(iter(SimDrone(reserve=1.0).check()))
    assert not list(SimDrone().check())
