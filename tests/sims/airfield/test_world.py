from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from embodied.bodies import arm, drone
from embodied.clock import SECOND, Time
from embodied.errors import WorldFailed
from embodied.geometry import rotation
from embodied.node.node import generator
from sims.airfield.scene import BOARD_CLEARANCE, BOARD_REACH, BOARD_SPACING, draw
from sims.airfield.world import FENCE_SIDE, Airfield
from sims.bodies.quadrotor import HEIGHT, FlightErrors
from sims.wind import Wind

SEED = 10**9
WEIGHT = 1.5 * 9.81


@pytest.fixture
def airfield() -> Iterator[Airfield]:
    pytest.importorskip("pybullet", reason="pybullet has no wheels for this Python")
    world = Airfield(wind=0.0)
    world.reset(SEED)
    yield world
    world.close()


def at(seconds: float) -> Time:
    return Time(round(seconds * SECOND))


def test_every_seed_draws_boards_that_lie_apart_and_off_the_pad() -> None:
    for seed in range(SEED, SEED + 200):
        field = draw(seed, 6)
        places = [(board.x, board.y) for board in field.boards]
        assert len({board.label for board in field.boards}) == 6
        assert field.target in {board.label for board in field.boards}
        assert all(
            max(map(abs, place)) <= BOARD_REACH < FENCE_SIDE and math.hypot(*place) >= BOARD_CLEARANCE
            for place in places
        )
        assert all(math.dist(one, other) >= BOARD_SPACING for one, other in itertools.combinations(places, 2))


def test_wind_is_never_stronger_than_stated_and_blows_as_its_seed_says() -> None:
    winds = [Wind(5.0, 300.0, generator(seed, "wind")) for seed in (1, 1, 2)]
    speeds = []
    for _ in range(6000):
        for wind in winds:
            wind.step()
        speeds.append([float(np.linalg.norm(wind.velocity)) for wind in winds])
    assert np.max(speeds) <= 5.0 + 1e-9
    assert np.std(speeds, axis=0).min() > 0.2
    first, same, other = np.array(speeds).T
    np.testing.assert_array_equal(first, same)
    assert not np.array_equal(first, other)


def test_it_stands_still_until_its_rotors_turn(airfield: Airfield) -> None:
    airfield.advance(at(1.0))
    np.testing.assert_allclose(airfield.drone().position, [0.0, 0.0, HEIGHT / 2], atol=0.002)


def test_thrust_beyond_its_weight_lifts_it_as_newton_says_after_lag_and_delay(airfield: Airfield) -> None:
    body = airfield.drone()
    given = body.thrust(np.full(4, 1.2 * WEIGHT / 4))
    np.testing.assert_allclose(given.sum(), 1.2 * WEIGHT)
    airfield.advance(at(0.010))
    assert body.velocity[2] == pytest.approx(0.0, abs=0.01)
    airfield.advance(at(0.51))
    before = body.velocity[2]
    airfield.advance(at(1.01))
    # Air drags a little.
    assert body.velocity[2] - before == pytest.approx(0.5 * 0.2 * 9.81, rel=0.05)


def test_a_rotor_gives_no_more_than_it_has_and_no_number_gives_nothing(airfield: Airfield) -> None:
    most = airfield.drone().quadrotor.most
    given = airfield.drone().thrust(np.array([1e9, -1.0, math.nan, math.inf]))
    np.testing.assert_array_equal(given, [most, 0.0, 0.0, most])


@pytest.mark.parametrize(("axis", "thrusts"), [(0, (4, 6, 6, 4)), (1, (4, 6, 4, 6)), (2, (4, 4, 6, 6))])
def test_it_turns_as_its_mixer_expects(airfield: Airfield, axis: int, thrusts: tuple[float, ...]) -> None:
    body, frame = airfield.drone(), airfield.drone().quadrotor
    airfield._run.bullet.resetBasePositionAndOrientation(body.body, (0, 0, 3), (0, 0, 0, 1))
    body.read_pose()
    body.thrust(np.array(thrusts, dtype=float))
    airfield.advance(at(0.3))
    turning = body.read().angular_velocity
    x, y = frame.rotors.T
    torque = np.array([y @ thrusts, -x @ thrusts, -frame.moment * (frame.spins @ thrusts)])
    assert int(np.argmax(np.abs(torque))) == axis
    assert np.sign(turning[axis]) == np.sign(torque[axis])
    # Lag and delay take 40 ms off.
    assert turning[axis] == pytest.approx(torque[axis] / frame.inertia[axis] * 0.26, rel=0.15)


def test_its_sensors_are_as_wrong_as_stated_and_a_fix_is_told_once(airfield: Airfield) -> None:
    body, errors = airfield.drone(), FlightErrors()
    assert body.read().position is not None
    samples = [body.read() for _ in range(2000)]
    assert all(sample.position is None for sample in samples)
    assert np.std([sample.altitude for sample in samples]) == pytest.approx(errors.altitude, rel=0.1)
    assert np.std([sample.heading for sample in samples]) == pytest.approx(errors.heading, rel=0.1)
    turning = np.array([sample.angular_velocity for sample in samples])
    np.testing.assert_allclose(turning.std(axis=0), errors.angular_velocity, rtol=0.1)
    assert np.abs(turning.mean(axis=0)).max() < 5 * errors.gyroscope
    force = np.array([sample.specific_force for sample in samples])
    np.testing.assert_allclose(force.std(axis=0), errors.specific_force, rtol=0.1)
    np.testing.assert_allclose(force.mean(axis=0), [0.0, 0.0, 9.81], atol=5 * errors.accelerometer)
    fixes = []
    for count in range(1, 31):
        airfield.advance(at(count / 30))
        fixes.append(body.read().position is not None)
    assert sum(fixes) == 10


def test_a_hover_drains_the_battery_in_the_stated_time_and_an_empty_one_gives_nothing(airfield: Airfield) -> None:
    body = airfield.drone()
    body.thrust(np.full(4, WEIGHT / 4))
    airfield.advance(at(1.0))
    before = body.charge
    airfield.advance(at(3.0))
    assert before - body.charge == pytest.approx(2.0 / 720.0, rel=0.01)
    assert body.read().voltage < 4 * 4.2
    empty = Airfield(charge=1e-9)
    empty.reset(SEED)
    empty.drone().thrust(np.full(4, 5.0))
    empty.advance(at(1.0))
    assert empty.drone().thrust(np.full(4, 5.0)).max() == 0.0
    empty.close()


def test_the_camera_that_looks_down_reads_the_marker_that_the_seed_wants(airfield: Airfield) -> None:
    body, true = airfield.drone(), airfield.truth()[airfield.target]
    airfield._run.bullet.resetBasePositionAndOrientation(
        body.body, (true.position + np.array([0.2, 0.1, 2.0])).tolist(), (0, 0, 0, 1)
    )
    body.read_pose()
    camera = airfield.camera("down")
    seen, info = camera.render().rgb, camera.info()
    assert seen is not None
    assert info.frame == "drone"
    dictionary = cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50)
    corners, numbers, _ = cv2.aruco.ArucoDetector(dictionary).detectMarkers(cv2.cvtColor(seen, cv2.COLOR_RGB2GRAY))
    assert [f"marker{number}" for number in numbers.ravel()] == [airfield.target]
    centre = corners[0][0].mean(axis=0)
    local = rotation(info.orientation).T @ (true.position - body.position - info.position)
    np.testing.assert_allclose(centre, (info.matrix @ (local / local[2]))[:2], atol=1.0)
    edge = corners[0][0][1] - corners[0][0][0]
    # Image right is the body's right, which is south: the yaw counts against the clock from east.
    east, north = -edge[1], -edge[0]
    assert math.remainder(math.atan2(north, east) - true.yaw, math.tau) == pytest.approx(0.0, abs=0.05)


def test_a_snapshot_shown_in_a_copy_gives_the_same_picture(airfield: Airfield) -> None:
    body = airfield.drone()
    body.thrust(np.full(4, 6.0))
    airfield.advance(at(0.8))
    copy = Airfield(wind=0.0)
    copy.reset(SEED)
    copy.show(airfield.snapshot())
    one, other = (world.camera("down", width=64, height=48).render().rgb for world in (airfield, copy))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one, other)
    copy.close()


def test_what_is_not_there_is_refused_by_name(airfield: Airfield) -> None:
    with pytest.raises(WorldFailed, match="no drone 'dron' on the airfield"):
        drone(airfield, "dron")
    with pytest.raises(WorldFailed, match="no camera 'up' on the airfield"):
        airfield.camera("up")
    with pytest.raises(WorldFailed, match="Airfield has no arms"):
        arm(airfield, "arm")
    with pytest.raises(WorldFailed, match="reset"):
        Airfield().drone()


@pytest.mark.parametrize(
    "wrong", [{"boards": 0}, {"boards": 7}, {"wind": -1.0}, {"charge": 0.0}, {"rate": 100.0}, {"time_limit": 0.0}]
)
def test_settings_that_make_no_field_are_refused(wrong: dict[str, float]) -> None:
    (problem,) = Airfield(**wrong).check()  # type: ignore[arg-type]
    assert problem.startswith(next(iter(wrong)))
    assert not list(Airfield().check())
