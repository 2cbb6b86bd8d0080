"""Road world: a winding lane with a stop line, an obstacle that is drawn aside, and one shuttle, from the seed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.geometry import yaw_quaternion
from embodied.messages import Vector
from embodied.node.node import generator
from sims import road_surface, scenery
from sims.bodies.camera_mounts import FRONT, carried
from sims.bodies.car import Shuttle
from sims.bodies.car_model import NOSE, WIDTH
from sims.bullet import Bullet
from sims.judging import LOOKS, require_finite
from sims.lane import WIDTH as LANE_WIDTH
from sims.lane import Lane
from sims.lane_truth import LaneTruth, lane_truth
from sims.rendering import Light, Renderer
from sims.rendering.cameras import Camera, Stage
from sims.rendering.mesh import Mesh
from sims.rendering.view import ImageFormat, View
from sims.road.judge import RESTING, STILL, RoadJudge, Route, VehicleMotion
from sims.road.scene import ASIDE, Obstacle, RoadScene, draw
from sims.simulated_world import CHARGES, OVERVIEW, SPREADS, VEHICLE_RATES, Run, SimulatedWorld, run_problems

CAR = "car"
"""Name of the shuttle, and of its frame."""

CAMERAS = ("front", OVERVIEW)
"""Names of the cameras."""

YIELD_RANGE = 3.0
"""Distance before the obstacle within which a standing vehicle has it drawn aside [m]."""

YIELD_SPEED = 0.5
"""Speed at which the obstacle is drawn aside [m/s]."""

ITERATIONS = 50
"""Iterations of the contact solver."""

OVERVIEW_EYE = np.array([-2.6, -1.4, 2.0])
"""Position of the camera for people in the shuttle's frame [m]."""

OVERVIEW_TARGET = np.array([1.2, 0.0, 0.0])
"""Point in the middle of its image, in the shuttle's frame [m]."""

OVERVIEW_SPAN = 4.0
"""Height of its field of view at that point [m]."""


@dataclass
class Road(SimulatedWorld["_RoadRun"]):
    """Road world: its frame lies on the ground where the lane begins, x along it, y to the left.

    The obstacle in the lane is drawn aside as soon as the car has stood before it for three seconds. Its cameras are
    `front`, on the car, whose pose is given in the car's frame, and `overview`, behind it, for people. Cameras and the
    car belong to the run in which they were requested; a reset makes new ones.

    Attributes:
        charge: state of charge of the battery at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: longest duration of a run [s].
        spread: variation of light, paint and camera mounting, as a multiple of that in the training data; above 1 the
            model that ships sees what it was never trained on.
    """

    charge: float = 1.0
    rate: float = 300.0
    time_limit: float = 120.0
    spread: float = 1.0

    where = "on the road"
    views = CAMERAS
    far = 60.0

    def check(self) -> Iterable[str]:
        """Check the settings; yield one sentence a problem."""
        yield from CHARGES.problems(charge=self.charge)
        yield from run_problems(VEHICLE_RATES, self.rate, self.time_limit)
        yield from SPREADS.problems(spread=self.spread)

    def build(self, bullet: Bullet, seed: int) -> _RoadRun:
        """Build the bodies of a seed; time is 0."""
        return _RoadRun(self, bullet, seed)

    def car(self, name: str = CAR) -> Shuttle:
        """Return the shuttle, whose name is `car`."""
        self.require("car", name, CAR)
        return self._run.car

    def lane_truth(self) -> LaneTruth:
        """Return the true pose of the car in its lane, and what its camera has in view ahead."""
        return self._run.lane_truth()

    def place(self, along: float, offset: float, heading: float) -> None:
        """Move the car at once, at rest, as only a simulator can; for making data and for tests.

        Args:
            along: arc length of its reference point along the lane [m].
            offset: distance of that point from the middle of the lane, left is positive [m].
            heading: direction from that of the lane there [rad].
        """
        x, y, yaw = self._run.scene.lane.pose(along, offset)
        self._run.car.place(x, y, yaw + heading)

    def draw_aside(self, distance: float) -> None:
        """Draw the obstacle aside at once by a distance [m]; for making data and for tests."""
        self._run.draw_aside(distance)

    @property
    def scene(self) -> RoadScene:
        """Scene that the seed drew."""
        return self._run.scene

    def truth(self) -> Mapping[str, LaneTruth]:
        """Return the true pose of the car in its lane, by its name."""
        return {CAR: self._run.lane_truth()}


class _RoadRun(Run):
    """One run of the road: the bodies of one seed, and how far their physics has come."""

    judge: RoadJudge

    def __init__(self, world: Road, bullet: Bullet, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.scene = scene = draw(seed, world.spread)
        look, lane = scene.look, scene.lane
        self.light = Light(look.light, look.ambient, 1.0 - look.ambient)
        scenery.start(bullet, world.rate, ITERATIONS)
        _, meshes = road_surface.build(bullet, lane, look, 0.0)
        self._obstacle: int | None = None
        if scene.obstacle is not None:
            self._obstacle, mesh = _build_obstacle(bullet, lane, scene.obstacle)
            meshes |= mesh
        self._beside = set()
        for thing in scene.beside:
            body, mesh = _build_obstacle(bullet, lane, thing)
            self._beside.add(body)
            meshes |= mesh
        x, y, yaw = lane.pose(0.0, scene.start[0])
        start = (x, y, yaw + scene.start[1])
        self.car = Shuttle(bullet, start, 0.0, world.rate, self.now, generator(seed, "road", "sensors"), world.charge)
        self.pushes = (self._move_obstacle, self.car.step)
        self.sensors, self.carriers = (self.car.after_step,), (self.car.read_pose,)
        self.stage = Stage(bullet, {**meshes, **self.car.meshes()})
        self._aside, self._moving, self._waited = 0.0, False, 0.0
        self.judge = RoadJudge(Route(lane.stop, self._near_side(), world.time_limit))

    def look(self, now: float) -> None:
        """Give the judge the state of the car at a time [s], and have the obstacle drawn aside if it waits for that."""
        motion = self._motion()
        self._yield_to(motion)
        self.judge.look(now, motion)

    def camera(self, name: str, images: ImageFormat, renderer: Renderer) -> Camera:
        """Build one of the cameras of `Road`."""
        if name == OVERVIEW:
            return Camera(self.stage, renderer, lambda: self._behind(images))
        look, lens = self.scene.look, FRONT.lens(images, CAR)
        # Calibration states where the camera should be; the seed adds a small error of its mounting.
        mounted = lens.disturbed(look.shift, look.tilt)
        return Camera(self.stage, renderer, lambda: carried(self.car, mounted), look.brightness, mount=lens)

    def _move_obstacle(self) -> None:
        if self._moving:
            self.draw_aside(min(self._aside + YIELD_SPEED / float(self._rate), ASIDE))

    def draw_aside(self, distance: float) -> None:
        """Move the obstacle to a distance from where it stood [m]."""
        if self.scene.obstacle is None or self._obstacle is None:
            return
        self._aside = distance
        self._moving = self._moving and distance < ASIDE
        position, yaw = _obstacle_pose(self.scene.lane, self.scene.obstacle, distance)
        self.bullet.resetBasePositionAndOrientation(self._obstacle, position, yaw_quaternion(yaw))

    def lane_truth(self) -> LaneTruth:
        """Measure the true pose of the car in its lane, and what its camera has in view ahead."""
        return lane_truth(self.car, self.scene.lane, self._in_lane())

    def _behind(self, images: ImageFormat) -> View:
        """Build the view of a follower who looks over the car."""
        eye, target = (self.car.position + self.car.attitude @ at for at in (OVERVIEW_EYE, OVERVIEW_TARGET))
        x, y, z = eye.tolist()
        a, b, c = target.tolist()
        return View.towards((x, y, z), (a, b, c), images, OVERVIEW_SPAN)

    def _near_side(self) -> float | None:
        """Return the arc length of the near side of the obstacle [m]."""
        obstacle = self.scene.obstacle
        return None if obstacle is None else obstacle.along - obstacle.half_extents()[0]

    def _in_lane(self) -> tuple[float, Vector] | None:
        """Return the near side [m] and the centre, shape (3,) [m], of the obstacle while it is in the lane."""
        obstacle, near = self.scene.obstacle, self._near_side()
        if obstacle is None or near is None:
            return None
        offset = obstacle.offset + obstacle.side * self._aside
        if abs(offset) - obstacle.half_extents()[1] >= LANE_WIDTH / 2:
            return None
        return near, np.array([*self.scene.lane.pose(obstacle.along, offset)[:2], obstacle.size[2] / 2])

    def _motion(self) -> VehicleMotion:
        car, lane = self.car, self.scene.lane
        require_finite("car", car.position)
        x, y, _ = car.position.tolist()
        along, offset, _ = lane.locate(x, y)
        corners = [car.position + car.attitude @ np.array([NOSE, side * WIDTH / 2, 0.0]) for side in (-1, 1)]
        nose = max(lane.locate(float(corner[0]), float(corner[1]))[0] for corner in corners)
        contacts = {contact[2] for contact in self.bullet.getContactPoints(car.body)}
        contacts |= {contact[1] for contact in self.bullet.getContactPoints(bodyB=car.body)}
        touched = (
            "obstacle" if self._obstacle in contacts else "things beside the lane" if contacts & self._beside else ""
        )
        return VehicleMotion(along, offset, nose, car.speed, touched, car.braked)

    def _yield_to(self, motion: VehicleMotion) -> None:
        """Have the obstacle drawn aside once the car has stood before it for `RESTING`."""
        near = self._near_side()
        waits = near is not None and abs(motion.speed) < STILL and near - motion.nose < YIELD_RANGE
        self._waited = self._waited + 1.0 / LOOKS if waits else 0.0
        if self._waited >= RESTING and self._aside == 0.0 and not self._moving:
            self._moving = True
            self.judge.cleared()


def _build_obstacle(bullet: Bullet, lane: Lane, thing: Obstacle) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """Build a box or a barrel; return its number, and its mesh where PyBullet does not report it."""
    position, yaw = _obstacle_pose(lane, thing)
    body, mesh = scenery.solid(bullet, thing.size, thing.colour, position, yaw, round_=thing.shape == "barrel")
    return body, {} if mesh is None else {(body, -1): mesh}


def _obstacle_pose(lane: Lane, thing: Obstacle, aside: float = 0.0) -> tuple[list[float], float]:
    """Return centre [m] and yaw [rad] of an obstacle that was drawn aside by a distance [m]."""
    x, y, yaw = lane.pose(thing.along, thing.offset + thing.side * aside)
    return [x, y, thing.size[2] / 2], yaw + thing.yaw
