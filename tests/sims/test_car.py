from __future__ import annotations

import math
from collections.abc import Iterator

import pytest

from embodied.clock import rate_of, tick
from embodied.messages import VehicleCommand
from sims.car import CarOutput, SimCar
from sims.road.world import Road

SEED = 10**9


class Ride:
    """A driver in its world, driven by hand."""

    def __init__(self, world: Road) -> None:
        world.reset(SEED)
        self.world, self.driver = world, SimCar()
        self.driver.open(world)
        self.outputs: list[CarOutput] = []

    def go(self, seconds: float, command: VehicleCommand | None) -> CarOutput:
        for _ in range(round(seconds * 50)):
            self.world.advance(tick(len(self.outputs), rate_of(50)))
            self.outputs.append(self.driver.step(command))
        return self.outputs[-1]


@pytest.fixture(scope="module")
def world() -> Iterator[Road]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Road()
    yield world
    world.close()


@pytest.fixture
def ride(world: Road) -> Ride:
    world.charge = 1.0
    return Ride(world)


def go(speed: float, steering: float = 0.0, acceleration: float | None = 1.0, gear: str = "D") -> VehicleCommand:
    return VehicleCommand(speed=speed, steering=steering, acceleration=acceleration, gear=gear)


def test_it_comes_to_the_speed_it_is_told_with_the_acceleration_it_is_told(ride: Ride) -> None:
    output = ride.go(0.6, go(1.0, acceleration=-0.5))
    assert output.applied == go(1.0, acceleration=0.5)
    assert ride.world.car().speed == pytest.approx(0.3, abs=0.03)
    output = ride.go(3.0, go(1.0, acceleration=0.5))
    assert output.state.speed == pytest.approx(1.0, abs=0.05)
    assert (output.state.gear, output.state.engaged, output.state.faults) == ("D", True, ())


def test_without_a_command_it_brakes_to_rest_with_its_wheels_where_they_are(ride: Ride) -> None:
    ride.go(1.5, go(1.0, steering=0.2))
    speed, start = ride.world.car().speed, ride.world.car().position
    output = ride.go(1.0, None)
    assert output.applied is None
    # It hears of it a period later.
    assert math.dist(ride.world.car().position, start) == pytest.approx(speed / 50 + speed**2 / 6.0, rel=0.05)
    assert abs(output.state.speed) < 1e-3
    assert output.state.steering == pytest.approx(0.2, abs=0.02)


@pytest.mark.parametrize(
    "wrong",
    [
        go(math.nan),
        go(1.0, steering=math.nan),
        go(1.0, acceleration=math.inf),
        go(9.0),
        go(1.0, steering=0.6),
        go(1.0, acceleration=9.0),
        go(-0.5),
        go(0.5, gear="P"),
        go(-0.5, gear="R"),
        go(0.0, gear="X"),
    ],
)
def test_a_command_that_it_cannot_keep_is_refused_whole(ride: Ride, wrong: VehicleCommand) -> None:
    assert ride.go(0.5, wrong).applied is None
    assert abs(ride.world.car().speed) < 1e-3


def test_gears_change_only_at_rest(ride: Ride) -> None:
    assert ride.go(0.02, None).state.gear == "P"
    ride.go(1.0, go(1.0))
    output = ride.go(0.04, go(0.0, gear="P"))
    assert output.state.gear == "D"
    assert output.applied is not None
    assert output.applied.gear == "D"
    output = ride.go(1.5, go(0.0, gear="P"))
    assert output.state.gear == "P"
    ride.go(1.0, go(0.0, gear="N"))
    assert ride.go(0.5, go(0.0, gear="P")).state.gear == "P"


def test_its_battery_is_told_ten_times_a_second_and_drains(ride: Ride) -> None:
    ride.go(1.0, go(1.0))
    told = [output.battery for output in ride.outputs if output.battery is not None]
    assert len(told) == 10
    assert told[-1].charge < told[0].charge
    assert told[3].current == pytest.approx(-22.0)


def test_a_low_battery_is_a_fault_that_stops_it(world: Road) -> None:
    world.charge = 0.1001
    ride = Ride(world)
    world.charge = 1.0
    ride.go(0.2, go(1.0))
    assert ride.world.car().speed > 0.1
    output = ride.go(3.0, go(1.0))
    assert (output.state.faults, output.state.engaged, output.applied) == (("low battery",), False, None)
    assert abs(output.state.speed) < 1e-3


def test_told_to_halt_it_stands_with_its_wheels_where_they_are(ride: Ride) -> None:
    ride.go(1.0, go(1.0, steering=0.1))
    ride.driver.halt()
    ride.world.advance(tick(100, rate_of(50)))
    assert abs(ride.world.car().speed) < 1e-3
    assert ride.world.car().braked


def test_settings_that_make_no_driver_are_refused() -> None:
    assert not list(SimCar().check())
    for wrong in (SimCar(speed_limit=0.0), SimCar(steering_limit=math.nan), SimCar(acceleration_limit=math.inf)):
        assert len(list(wrong.check())) == 1
    slow = SimCar()
    slow.rate = 10.0
    assert "rate must be in [50, 200] Hz, got 10" in next(iter(slow.check()))
