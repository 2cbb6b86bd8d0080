"""A winding lane with a stop line, an obstacle that is drawn aside, and one shuttle; the seed decides everything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.errors import WorldFailed
from embodied.geometry import yaw_quaternion
from embodied.messages import Vector
from embodied.node.node import generator
from sims import scenery
from sims.bodies.car import NOSE, WIDTH, Shuttle
from sims.bullet import Bullet
from sims.rendering import Light, Renderer, forward
from sims.rendering.cameras import Camera, Stage
from sims.rendering.forward import Ahead
from sims.rendering.mesh import Mesh, cylinder
from sims.rendering.view import Sheet, View
from sims.road import scene as course
from sims.road.judge import RESTING, STILL, Judge, Moment, Route
from sims.road.scene import ASIDE, LANE, Course, Obstacle
from sims.simulated_world import LOOKS, Run, SimulatedWorld

CAR = "car"
CAMERAS = ("front", "overview")
HEED = 3.0  # who stands within so much of what stands in the lane has it drawn aside [m]
HAUL = 0.5  # at which speed that is done [m/s]


@dataclass
class Road(SimulatedWorld["_Run"]):
    """The world of a ride: its frame lies on the ground where the lane begins, x along it, y to the left.

    What stands in the lane is drawn aside as soon as the car has stood before it for three seconds. Its cameras are
    `front`, on the car, whose pose is told in the frame of that, and `overview`, behind it, for people. Cameras and the
    car belong to the run they were asked for in; a reset makes new ones.

    Attributes:
        charge: of the battery at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: how long a run may take [s].
        spread: how far light, paint and the camera's mounting stray, as a multiple of what the model that ships was
            trained on; above 1 it sees what it has never seen.
    """

    charge: float = 1.0
    rate: float = 300.0
    time_limit: float = 120.0
    spread: float = 1.0

    where = "on the road"
    views = CAMERAS
    far = 60.0

    def check(self) -> Iterable[str]:
        """Problems with the settings, one sentence each."""
        if not 0.0 < self.charge <= 1.0:
            yield f"charge is {self.charge}; a battery has above 0 and up to 1"
        if not (math.isfinite(self.rate) and 200 <= self.rate <= 10_000):
            yield f"rate is {self.rate} Hz, and the wheels need 200 to 10000"
        if not 0 < self.time_limit < math.inf:
            yield f"time_limit is {self.time_limit} s, and it must be above 0"
        if not 0.0 <= self.spread <= 3.0:
            yield f"spread is {self.spread}; 0 is no variation, 1 what was trained on, and 3 the most"

    def build(self, bullet: Bullet, seed: int) -> _Run:
        """Build everything anew from the seed; time is 0."""
        return _Run(self, bullet, seed)

    def car(self, name: str = CAR) -> Shuttle:
        """The shuttle; its name is `car`."""
        self.named("car", name, CAR)
        return self._now.car

    def ahead(self) -> Ahead:
        """How the car truly is in its lane, and what its camera has in view of it."""
        return self._now.ahead()

    def place(self, along: float, offset: float, heading: float) -> None:
        """Put the car somewhere at once, at rest, as only a simulator can; for making data and for tests.

        Args:
            along: of its reference point along the lane [m].
            offset: of that from the middle of the lane, left is positive [m].
            heading: from the direction of the lane there [rad].
        """
        x, y, yaw = self._now.course.pose(along, offset)
        self._now.car.place(x, y, yaw + heading)

    def haul(self, way: float) -> None:
        """Draw what stands in the lane so far aside at once [m]; for making data and for tests."""
        self._now.haul(way)

    @property
    def course(self) -> Course:
        """What the seed drew."""
        return self._now.course

    def truth(self) -> Mapping[str, Ahead]:
        """How the car is in its lane, by its name."""
        return {CAR: self._now.ahead()}


class _Run(Run):
    """One run of the world: the bodies of one seed, and how far their physics has come."""

    judge: Judge

    def __init__(self, world: Road, bullet: Bullet, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.course = course.draw(seed, world.spread)
        look = self.course.look
        self.lamp = Light(look.light, look.ambient, 1.0 - look.ambient)
        scenery.start(bullet, world.rate, 50)
        _, given = scenery.road(bullet, self.course, 0.0)
        self.stood: int | None = None
        if self.course.obstacle is not None:
            self.stood, drawn = _stands(bullet, self.course, self.course.obstacle)
            given |= drawn
        self._beside = set()
        for thing in self.course.beside:
            body, drawn = _stands(bullet, self.course, thing)
            self._beside.add(body)
            given |= drawn
        x, y, yaw = self.course.pose(0.0, self.course.start[0])
        place = (x, y, yaw + self.course.start[1])
        self.car = Shuttle(bullet, place, 0.0, world.rate, self.now, generator(seed, "road", "sensors"), world.charge)
        self.pushes, self.sensors, self.carriers = (
            (self._draw_aside, self.car.step),
            (self.car.stepped,),
            (self.car.look,),
        )
        self.stage = Stage(bullet, {**given, **self.car.meshes()})
        self._hauled, self._hauling, self._waited = 0.0, False, 0.0
        self.judge = Judge(Route(self.course.stop, self._near_side(), world.time_limit))

    def look(self, now: float) -> None:
        """Let the judge, and whoever draws aside what stands in the lane, see how the car is at a time [s]."""
        moment = self._moment()
        self._heed(moment)
        self.judge.look(now, moment)

    def camera(self, name: str, sheet: Sheet, drawn: Renderer) -> Camera:
        """One of those that `Road` has."""
        if name == "overview":
            return Camera(self.stage, drawn, lambda: self.behind(sheet))
        look, lens = self.course.look, forward.lens(sheet, CAR)
        # Calibration says where it should be; where it is, the seed strays from that a little.
        strayed = lens.disturbed(look.shift, look.tilt)
        return Camera(self.stage, drawn, lambda: forward.carried(self.car, strayed), look.brightness, mount=lens)

    def _draw_aside(self) -> None:
        if self._hauling:
            self.haul(min(self._hauled + HAUL / float(self._rate), ASIDE))

    def haul(self, way: float) -> None:
        stands = self.course.obstacle
        if stands is None or self.stood is None:
            return
        self._hauled = way
        self._hauling = self._hauling and way < ASIDE
        self.bullet.resetBasePositionAndOrientation(self.stood, *_pose(self.course, stands, way))

    def ahead(self) -> Ahead:
        return forward.ahead(self.car, self.course, self._stands())

    def behind(self, sheet: Sheet) -> View:
        """What a follower sees who looks over the car."""
        eye, target = (self.car.position + self.car.attitude @ np.array(at) for at in ((-2.6, -1.4, 2.0), (1.2, 0, 0)))
        x, y, z = eye.tolist()
        a, b, c = target.tolist()
        return View.towards((x, y, z), (a, b, c), sheet.width, sheet.height, 4.0, near=sheet.near, far=sheet.far)

    def _near_side(self) -> float | None:
        stands = self.course.obstacle
        return None if stands is None else stands.along - stands.reach()[0]

    def _stands(self) -> tuple[float, Vector] | None:
        """What stands in the lane now: how far along its near side is [m], and its middle, shape (3,) [m]."""
        stands, near = self.course.obstacle, self._near_side()
        if stands is None or near is None:
            return None
        offset = stands.offset + stands.side * self._hauled
        if abs(offset) - stands.reach()[1] >= LANE / 2:
            return None
        return near, np.array([*self.course.pose(stands.along, offset)[:2], stands.size[2] / 2])

    def _moment(self) -> Moment:
        car = self.car
        if not np.isfinite(car.position).all():
            raise WorldFailed(f"the physics broke: the car is at {car.position.tolist()}")
        x, y, _ = car.position.tolist()
        along, offset, _ = self.course.locate(x, y)
        corners = [car.position + car.attitude @ np.array([NOSE, side * WIDTH / 2, 0.0]) for side in (-1, 1)]
        nose = max(self.course.locate(float(corner[0]), float(corner[1]))[0] for corner in corners)
        met = {contact[2] for contact in self.bullet.getContactPoints(car.body)}
        met |= {contact[1] for contact in self.bullet.getContactPoints(bodyB=car.body)}
        touched = "obstacle" if self.stood in met else "things beside the lane" if met & self._beside else ""
        return Moment(along, offset, nose, car.speed, touched, car.braked)

    def _heed(self, moment: Moment) -> None:
        """Have what stands in the lane drawn aside for who has stood before it."""
        near = self._near_side()
        stands = near is not None and abs(moment.speed) < STILL and near - moment.nose < HEED
        self._waited = self._waited + 1.0 / LOOKS if stands else 0.0
        if self._waited >= RESTING and self._hauled == 0.0 and not self._hauling:
            self._hauling = True
            self.judge.cleared()


def _stands(bullet: Bullet, lane: Course, thing: Obstacle) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """A box or a barrel where it stands at first: its number, and how it is drawn where PyBullet does not tell."""
    half = [extent / 2 for extent in thing.size]
    if thing.shape == "box":
        shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half)
        picture = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=half, rgbaColor=(*thing.colour, 1.0))
        return int(bullet.createMultiBody(0, shape, picture, *_pose(lane, thing))), {}
    mesh = cylinder(half[0], thing.size[2])
    shape = bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=half[0], height=thing.size[2])
    body = int(bullet.createMultiBody(0, shape, scenery.surface(bullet, mesh, thing.colour), *_pose(lane, thing)))
    return body, {(body, -1): mesh}


def _pose(lane: Course, thing: Obstacle, aside: float = 0.0) -> tuple[list[float], tuple[float, ...]]:
    """Where something stands that was drawn so far aside: position [m] and quaternion."""
    x, y, yaw = lane.pose(thing.along, thing.offset + thing.side * aside)
    return [x, y, thing.size[2] / 2], yaw_quaternion(yaw + thing.yaw)
