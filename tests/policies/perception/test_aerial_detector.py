"""The spotter, on pictures from the factory: it knows the load from above, and tells nothing that it cannot place."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.clock import Time
from embodied.geometry import quaternion, transform
from embodied.messages import CameraInfo, Detections, DroneState, Image
from embodied.robot import Robot
from policies.perception.aerial_detector import Spotter
from sims.factory.world import HOLD_HEIGHT, Factory
from tests.sims.conftest import read_robot

SEED = 10**9


@pytest.fixture(scope="module")
def robot() -> Robot:
    return read_robot("panda")


@pytest.fixture(scope="module")
def factory(robot: Robot) -> Iterator[Factory]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Factory(robot, wind=0.0)
    world.reset(SEED)
    yield world
    world.close()


@pytest.fixture
def spotter() -> Spotter:
    node = Spotter(low=(0.0, -1.0), high=(1.0, 1.0))
    assert list(node.check()) == []
    node.open()
    return node


def taken(world: Factory, aside: float, roll: float, yaw: float) -> tuple[Image, CameraInfo, DroneState]:
    """A picture of the load from the drone, put over it so far aside and so leaning, and the state that says so."""
    drone = world.drone()
    over = world.truth()[world.target].position + np.array([aside, -aside, HOLD_HEIGHT])
    attitude = quaternion(transform((0.0, 0.0, 0.0), (roll, 0.0, yaw))[:3, :3])
    world._run.bullet.resetBasePositionAndOrientation(drone.body, over.tolist(), attitude.tolist())
    drone.read_pose()
    camera = world.camera("down")
    picture = camera.render().rgb
    assert picture is not None
    state = DroneState(
        position=over,
        orientation=attitude,
        linear_velocity=np.zeros(3),
        angular_velocity=np.zeros(3),
        armed=True,
        landed=False,
        mode="position",
        frame=WORLD,
        acquired=Time(5),
    )
    return Image(data=picture, acquired=Time(5)), camera.info(), state


def place(seen: Detections, label: str) -> np.ndarray:
    assert label in seen.labels, seen.labels
    found: np.ndarray = seen.position[seen.labels.index(label)]
    return found


@pytest.mark.parametrize(("aside", "roll", "yaw"), [(0.0, 0.0, 0.0), (0.08, 0.08, 0.4), (-0.05, -0.06, 2.5)])
def test_the_load_is_where_it_is_however_the_drone_leans_and_turns(
    factory: Factory, spotter: Spotter, aside: float, roll: float, yaw: float
) -> None:
    image, info, state = taken(factory, aside, roll, yaw)
    seen = spotter.step(image, info, [state])
    assert (seen.frame, seen.acquired) == (WORLD, Time(5))
    np.testing.assert_allclose(place(seen, factory.target), factory.truth()[factory.target].position, atol=0.012)


def test_what_lies_elsewhere_is_not_told(factory: Factory) -> None:
    image, info, state = taken(factory, 0.0, 0.0, 0.0)
    x, y, _ = factory.truth()[factory.target].position.tolist()
    for low, high, told in (((x - 0.1, y - 0.1), (x + 0.1, y + 0.1), True), ((x + 0.03, -1.0), (1.0, 1.0), False)):
        node = Spotter(low=low, high=high)
        node.open()
        seen = node.step(image, info, [state])
        assert (factory.target in seen.labels) is told
        assert len(seen.labels) == len(seen.position) == len(seen.yaw) == len(seen.score)


def test_nothing_is_told_while_it_is_not_known_where_the_camera_was_or_it_sees_the_horizon(
    factory: Factory, spotter: Spotter
) -> None:
    image, info, state = taken(factory, 0.0, 0.0, 0.0)
    assert spotter.step(image, info, []).labels == ()
    later = Image(data=image.data, acquired=Time(200_000_000))
    assert spotter.step(later, info, [state]).labels == ()
    assert spotter.step(image, info, []).labels != ()
    leaning = taken(factory, 0.0, 0.9, 0.0)
    other = Spotter(low=(0.0, -1.0), high=(1.0, 1.0))
    other.open()
    assert other.step(leaning[0], leaning[1], [leaning[2]]).labels == ()


@pytest.mark.parametrize("corners", [((1.0, 0.0), (0.0, 1.0)), ((0.0, 1.0), (1.0, 1.0)), ((math.nan, 0.0), (1.0, 1.0))])
def test_a_region_with_nothing_in_it_is_refused(
    corners: tuple[tuple[float, float], tuple[float, float]],
) -> None:
    (problem,) = Spotter(low=corners[0], high=corners[1]).check()
    assert problem.startswith("low must be below high on each axis, got")
