from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

from embodied.bodies import WORLD
from embodied.clock import SECOND, Time
from embodied.errors import WorldFailed
from embodied.geometry import BASE
from embodied.robot import Robot
from embodied.robot.worktable import Worktable
from sims.airfield.world import Airfield
from sims.bodies.car_model import BED, FLOOR, NOSE, TAIL, WIDTH
from sims.bodies.quadrotor import HEIGHT
from sims.factory.nodes import Archive, DeliveryTask, TrueBlocks, TrueSight
from sims.factory.scene import FENCE_HIGH, FENCE_LOW, GROUND, LOADING, PAD, TABLE, draw
from sims.factory.world import CAMERAS, HOLD_HEIGHT, Factory
from sims.lane import WIDTH as LANE_WIDTH
from sims.road.nodes import TrueLane
from sims.tabletop.scene import COLOURS

SEED = 10**9
LEVEL = (0.0, 0.0, 0.0, 1.0)


@pytest.fixture
def factory(panda: Robot) -> Iterator[Factory]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Factory(panda, wind=0.0)
    world.reset(SEED)
    yield world
    world.close()


def at(seconds: float) -> Time:
    return Time(round(seconds * SECOND))


def test_for_every_seed_the_bed_is_beside_the_table_within_reach_and_the_shuttle_touches_nothing() -> None:
    for seed in range(SEED, SEED + 200):
        scene = draw(seed, Worktable(), 4)
        x, y, yaw = scene.shuttle
        turn = np.array([(math.cos(yaw), -math.sin(yaw)), (math.sin(yaw), math.cos(yaw))])
        bed = turn @ (BED[0], 0.0) + (x, y)
        np.testing.assert_allclose(bed, LOADING, atol=0.016)
        assert math.hypot(*bed) < 0.75
        outline = np.array([(a, b) for a in (TAIL, NOSE) for b in (-WIDTH / 2, WIDTH / 2)]) @ turn.T + (x, y)
        assert outline[:, 1].min() > TABLE[1][1] + 0.005
        _, offset, heading = scene.lane.locate(x, y)
        assert abs(offset) < 0.02
        assert abs(yaw - heading) < 0.03


def test_the_lane_leads_to_a_stop_line_inside_the_fence_with_no_curve_tighter_than_4_m_and_the_pad_beside_it() -> None:
    lane = draw(SEED, Worktable(), 4).lane
    assert np.abs(lane.curvature).max() <= 1 / 4.0
    x, y, _ = lane.pose(lane.stop)
    assert FENCE_LOW[0] < x < FENCE_HIGH[0]
    assert FENCE_LOW[1] < y < FENCE_HIGH[1]
    assert np.hypot(*(lane.points[:, :2] - PAD).T).min() > LANE_WIDTH / 2 + 1.0


def test_the_bed_lies_level_with_the_table_top_and_all_stand_still_before_anyone_commands(factory: Factory) -> None:
    start = factory.car().position
    factory.advance(at(1.0))
    bed = factory.car().position + factory.car().attitude @ np.array([BED[0], 0.0, FLOOR])
    assert bed[2] == pytest.approx(0.0, abs=0.002)
    np.testing.assert_allclose(factory.car().position, start, atol=0.001)
    np.testing.assert_allclose(factory.drone().position, [*PAD, GROUND + HEIGHT / 2], atol=0.002)
    assert factory.verdict() is None


def test_a_seed_is_the_same_world_twice_and_another_seed_is_another(factory: Factory) -> None:
    states = []
    for seed in (SEED, SEED, SEED + 1):
        factory.reset(seed)
        factory.car().drive(0.1, 1.0)
        factory.drone().thrust(np.full(4, 4.0))
        factory.advance(at(0.5))
        states.append((factory.snapshot(), factory.drone().read().specific_force))
    np.testing.assert_array_equal(states[0][0], states[1][0])
    np.testing.assert_array_equal(states[0][1], states[1][1])
    assert not np.array_equal(states[0][0], states[2][0])


def test_a_snapshot_shows_the_same_pictures_in_another_process(panda: Robot, factory: Factory) -> None:
    factory.car().drive(0.0, 1.0)
    factory.drone().thrust(np.full(4, 4.5))
    factory.advance(at(1.0))
    twin = Factory(panda, wind=0.0)
    twin.reset(SEED)
    twin.show(factory.snapshot())
    for name in CAMERAS:
        pictures = [world.camera(name, width=64, height=48).render().rgb for world in (factory, twin)]
        assert pictures[0] is not None
        assert pictures[0].std() > 1.0
        np.testing.assert_array_equal(pictures[0], pictures[1])
    twin.close()


def test_cameras_on_bodies_tell_their_pose_in_the_frame_of_those(factory: Factory) -> None:
    frames = {name: factory.camera(name).info().frame for name in CAMERAS}
    assert frames == {"overhead": BASE, "front": "car", "down": "drone", "overview": BASE}


def test_a_drone_over_the_load_has_its_colour_in_the_middle_of_its_picture(factory: Factory) -> None:
    load = factory.truth()[factory.target].position
    bullet, drone = factory._run.bullet, factory.drone()
    assert not factory.sees(load)
    # The arm stands aside of the blocks, and nothing but the drone is moved.
    bullet.resetBasePositionAndOrientation(drone.body, (load + np.array([0.0, 0.0, HOLD_HEIGHT])).tolist(), LEVEL)
    drone.read_pose()
    assert factory.sees(load)
    picture = factory.camera("down").render().rgb
    assert picture is not None
    middle = picture[105:135, 145:175].reshape(-1, 3).astype(float)
    hue = np.array(COLOURS[factory.target])
    likeness = middle @ hue / (np.linalg.norm(middle, axis=1) * np.linalg.norm(hue) + 1e-9)
    assert likeness.max() > 0.97


def test_true_nodes_say_what_is_and_only_what_is_in_view(factory: Factory) -> None:
    blocks, sight, lane, task = TrueBlocks(), TrueSight(), TrueLane(), DeliveryTask()
    for node in (blocks, sight, lane, task):
        node.open(factory)
    assert task.step().label == factory.target
    told = blocks.step(at(3.0))
    assert set(told.labels) >= set(COLOURS)
    assert "pad" not in told.labels
    where = told.position[told.labels.index(factory.target)]
    np.testing.assert_array_equal(where, factory.truth()[factory.target].position)
    assert (told.frame, sight.step(at(3.0)).frame) == (BASE, WORLD)
    # On its pad it sees that alone.
    assert set(sight.step(at(3.0)).labels) <= {"pad"}
    seen = lane.step(at(3.0))
    assert (seen.stop_line, seen.obstacle) == (None, None)
    assert abs(seen.offset) < 0.02


@pytest.mark.parametrize("node", [DeliveryTask, TrueBlocks, TrueSight, Archive])
def test_its_nodes_refuse_another_world(node: type) -> None:
    with pytest.raises(WorldFailed, match=r"needs the world sims\.factory:Factory, not Airfield"):
        node().open(Airfield())


def test_what_is_not_there_is_refused_by_name(factory: Factory) -> None:
    for ask, why in (
        (factory.arm, "no arm 'rob' in the factory"),
        (factory.car, "no car 'rob' in the factory"),
        (factory.drone, "no drone 'rob' in the factory"),
        (factory.camera, "no camera 'rob' in the factory"),
    ):
        with pytest.raises(WorldFailed, match=why):
            ask("rob")


def test_settings_that_make_no_sense_are_said_without_a_simulator(panda: Robot) -> None:
    wrong = Factory(panda, objects=5, wind=20.0, charge=0.0, rate=100.0, time_limit=0.0)
    assert [problem.split()[0] for problem in wrong.check()] == ["objects", "wind", "charge", "rate", "time_limit"]
    assert not list(Factory(panda).check())
