from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import closing

import numpy as np
import pytest

from embodied.clock import Time
from embodied.messages import Vector
from sims import scenery
from sims.bodies.car import CarErrors, Shuttle, ackermann, mean_steering
from sims.bodies.car_model import BED, FLOOR, NOSE, WHEELBASE
from sims.bullet import Bullet
from sims.tabletop.world import OBJECT_FRICTION

YAW = 0.3


class Yard:
    """A car on a level yard."""

    def __init__(self, bullet: Bullet, rate: float, charge: float = 1.0) -> None:
        self.bullet, self.rate, self.steps = bullet, rate, 0
        scenery.start(bullet, rate, 50)
        plane = bullet.createMultiBody(0, bullet.createCollisionShape(bullet.GEOM_PLANE))
        bullet.changeDynamics(plane, -1, lateralFriction=0.9)
        rng = np.random.default_rng(1)
        self.car = Shuttle(bullet, (1.0, -2.0, YAW), 0.0, rate, self.now, rng, charge)

    def now(self) -> Time:
        return Time(round(self.steps * 1e9 / self.rate))

    def go(self, seconds: float, look: Callable[[], None] = lambda: None) -> None:
        for _ in range(round(seconds * self.rate)):
            self.car.step()
            self.bullet.stepSimulation()
            self.steps += 1
            self.car.after_step()
            look()


@pytest.fixture(params=[300.0, 240.0])
def yard(request: pytest.FixtureRequest) -> Iterator[Yard]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    with closing(Bullet()) as bullet:
        yield Yard(bullet, request.param)


def placed(yard: Yard, where: Vector) -> int:
    """A block of 4 cm, its middle at a place in the car's frame."""
    at = yard.car.position + yard.car.attitude @ where
    bullet = yard.bullet
    shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=(0.02, 0.02, 0.02))
    block = int(bullet.createMultiBody(0.08, shape, -1, at.tolist()))
    bullet.changeDynamics(block, -1, lateralFriction=OBJECT_FRICTION, linearDamping=0, angularDamping=0)
    return block


def test_it_stands_where_it_was_put_on_its_four_wheels(yard: Yard) -> None:
    yard.go(1.0)
    np.testing.assert_allclose(yard.car.position, [1.0, -2.0, 0.0], atol=1e-3)
    assert yard.car.yaw == pytest.approx(YAW, abs=1e-4)
    links = {contact[3] for contact in yard.bullet.getContactPoints(yard.car.body)}
    links |= {contact[4] for contact in yard.bullet.getContactPoints(bodyB=yard.car.body)}
    assert links - {-1} == {1, 3, 4, 5}


def test_it_goes_straight_with_the_acceleration_it_is_told_and_coasts_without(yard: Yard) -> None:
    yard.car.drive(0.0, 1.0)
    yard.go(1.5)
    assert yard.car.speed == pytest.approx(1.5, rel=0.02)
    start = yard.car.position
    yard.car.drive(0.0, 0.0)
    yard.go(2.0)
    way = yard.car.position - start
    assert yard.car.speed == pytest.approx(1.5, rel=0.02)
    assert math.atan2(way[1], way[0]) == pytest.approx(YAW, abs=1e-3)
    assert np.linalg.norm(way) == pytest.approx(3.0, rel=0.02)


@pytest.mark.parametrize("steering", [0.1, -0.3, 0.5])
def test_it_turns_with_the_radius_that_its_steering_says(yard: Yard, steering: float) -> None:
    yard.car.drive(steering, 1.0)
    yard.go(1.0)
    yard.car.drive(steering, 0.0)
    start, turned = yard.car.position, yard.car.yaw
    yard.go(1.5)
    way, turned = yard.car.position - start, yard.car.yaw - turned
    radius = WHEELBASE / math.tan(steering)
    # A chord subtends the angle turned.
    assert math.copysign(float(np.linalg.norm(way)), turned) / (2 * math.sin(abs(turned) / 2)) == pytest.approx(
        radius, rel=0.01
    )


def test_its_front_wheels_turn_no_faster_and_no_further_than_they_can(yard: Yard) -> None:
    assert yard.car.drive(2.0, 0.0) == (0.5, 0.0)
    yard.go(0.1)
    assert yard.car.read().steering == pytest.approx(0.15, abs=0.03)
    yard.go(0.5)
    assert yard.car.read().steering == pytest.approx(0.5, abs=0.03)
    assert yard.car.drive(math.nan, math.nan) == (0.5, -6.0)


def test_it_brakes_to_rest_in_the_way_that_its_deceleration_says_and_never_goes_backwards(yard: Yard) -> None:
    yard.car.drive(0.0, 2.0)
    yard.go(1.0)
    start, speed = yard.car.position, yard.car.speed
    slowest = [speed]
    yard.car.drive(0.0, -3.0)
    yard.go(2.0, lambda: slowest.append(yard.car.speed))
    assert np.linalg.norm(yard.car.position - start) == pytest.approx(speed**2 / 6.0, rel=0.02)
    assert min(slowest) > -0.002
    assert abs(yard.car.speed) < 1e-3


def test_a_block_stays_where_it_lies_in_the_bed_when_it_stops_hard(yard: Yard) -> None:
    where = np.array([BED[0] + 0.05, -0.06, FLOOR + 0.0202])
    block = placed(yard, where)
    yard.car.drive(0.2, 1.5)
    yard.go(1.0)
    yard.car.drive(0.2, -3.0)
    yard.go(1.5)
    at = np.array(yard.bullet.getBasePositionAndOrientation(block)[0])
    lies = yard.car.attitude.T @ (at - yard.car.position)
    np.testing.assert_allclose(lies, where, atol=0.005)


def test_what_slides_in_the_bed_is_held_by_its_walls(yard: Yard) -> None:
    block = placed(yard, np.array([BED[0], 0.0, FLOOR + 0.0202]))
    yard.bullet.changeDynamics(block, -1, lateralFriction=0.0)
    yard.car.drive(0.0, 2.0)
    yard.go(1.0)
    yard.car.drive(0.0, -6.0)
    yard.go(1.0)
    at = np.array(yard.bullet.getBasePositionAndOrientation(block)[0])
    lies = yard.car.attitude.T @ (at - yard.car.position)
    assert abs(lies[0] - BED[0]) <= BED[1] / 2
    assert lies[2] == pytest.approx(FLOOR + 0.02, abs=0.003)


def test_its_sensors_are_as_wrong_as_stated_and_at_rest_its_wheels_say_so(yard: Yard) -> None:
    errors = CarErrors()
    yard.car.drive(0.0, 1.0)
    yard.go(1.0)
    samples = [yard.car.read() for _ in range(1000)]
    wheels = np.array([sample.wheel_speeds for sample in samples])
    np.testing.assert_allclose(wheels.std(axis=0), errors.speed * yard.car.speed, rtol=0.15)
    assert np.mean([sample.speed for sample in samples]) == pytest.approx(yard.car.speed, rel=4 * errors.tyre)
    assert np.std([sample.yaw_rate for sample in samples]) == pytest.approx(errors.yaw_rate, rel=0.15)
    assert np.mean([sample.acceleration for sample in samples]) == pytest.approx(1.0, abs=0.1)
    yard.car.drive(0.0, -3.0)
    yard.go(1.0)
    assert abs(yard.car.read().speed) < 1e-3


def test_driving_drains_the_battery_and_an_empty_one_brakes_but_does_not_drive() -> None:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    with closing(Bullet()) as bullet:
        yard = Yard(bullet, 300.0, charge=0.0005)
        yard.car.drive(0.0, 1.0)
        yard.go(1.0)
        # 22 A of 20 A·h.
        assert yard.car.charge == pytest.approx(0.0005 - 22.0 / 72_000.0, rel=0.01)
        yard.go(2.0)
        assert yard.car.charge == 0.0
        fastest = yard.car.speed
        assert yard.car.drive(0.0, 1.0) == (0.0, 0.0)
        yard.go(0.5)
        assert yard.car.speed <= fastest + 1e-3
        yard.car.drive(0.0, -3.0)
        yard.go(1.5)
        assert abs(yard.car.speed) < 1e-3


def test_both_front_wheels_roll_about_one_centre() -> None:
    left, right = ackermann(0.3)
    assert left > right
    assert 1 / math.tan(right) - 1 / math.tan(left) == pytest.approx(0.36 / WHEELBASE)
    assert mean_steering(left, right) == pytest.approx(0.3)
    assert ackermann(0.0) == (0.0, 0.0)
    assert mean_steering(0.0, 0.0) == 0.0


def test_its_nose_is_where_it_says(yard: Yard) -> None:
    ahead = yard.car.position + yard.car.attitude @ np.array([NOSE - 0.01, 0.0, 0.14])
    far = yard.car.position + yard.car.attitude @ np.array([NOSE + 0.5, 0.0, 0.14])
    hit = yard.bullet.rayTest(far.tolist(), ahead.tolist())[0]
    assert hit[0] == yard.car.body
    assert hit[2] == pytest.approx(0.5 / 0.51, abs=0.005)
