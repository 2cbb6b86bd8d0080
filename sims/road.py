"""A winding lane with a stop line, an obstacle that is drawn aside, and one shuttle; the seed decides everything."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.bodies import WORLD
from embodied.clock import Time, rate_of, tick, ticks_by
from embodied.errors import WorldFailed, nearest
from embodied.messages import Vector
from embodied.node import generator
from embodied.robot import transform
from embodied.world import ArmBody, Verdict
from sims import build, course, paint
from sims.bodies.car import EYE, LOOKS_DOWN, NOSE, WIDTH, Shuttle
from sims.bullet import Bullet
from sims.course import ASIDE, LANE, Course, Obstacle
from sims.render import Camera, Stage
from sims.renderers import AUTO, Light, choose
from sims.renderers.mesh import Mesh, cylinder, rectangle
from sims.ride import RESTING, STILL, Judge, Moment, Route
from sims.snapshot import show, snapshot
from sims.view import View, problems

CAR = "car"
CAMERAS = ("front", "overview")
LOOKS = 20  # of the judge, per second
NEAR, FAR = 0.05, 60.0  # [m]
GRIP = 0.9  # friction of the ground
WIDE = math.radians(90.0)  # across the picture of the camera on the car [rad]
SIGHT, LINE_SIGHT = 6.0, 5.0  # how far what stands in the lane and the stop line are told from [m]
HEED = 3.0  # who stands within so much of what stands in the lane has it drawn aside [m]
HAUL = 0.5  # at which speed that is done [m/s]
MOUNT = transform(tuple(EYE.tolist()), (-math.pi / 2 - LOOKS_DOWN, 0.0, -math.pi / 2))
"""The optical frame of the camera on the car, in the car's: it looks ahead and down."""


@dataclass(frozen=True, slots=True)
class Ahead:
    """How a car truly is in its lane, and what lies ahead in it, as far as its camera has that in view.

    Attributes:
        offset: of its reference point from the middle of the lane, left is positive [m].
        heading: of its forward axis from the direction of the lane there [rad].
        curvature: of the lane's middle ahead, left is positive [1/m].
        obstacle: along the lane to the near side of what stands in it [m].
        stop_line: along the lane to the near edge of the stop line [m].
    """

    offset: float
    heading: float
    curvature: float
    obstacle: float | None
    stop_line: float | None


@dataclass
class Road:
    """The world of a ride: its frame lies on the ground where the lane begins, x along it, y to the left.

    What stands in the lane is drawn aside as soon as the car has stood before it for three seconds. Cameras and the
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

    views = CAMERAS

    def __post_init__(self) -> None:
        self._bullet: Bullet | None = None
        self._run: _Run | None = None

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

    def reset(self, seed: int) -> None:
        """Build everything anew from the seed; time is 0."""
        if self._bullet is None:
            self._bullet = Bullet()
        self._run = _Run(self, self._bullet, seed)

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""
        self._now.advance(to)

    def arm(self, name: str) -> ArmBody:
        """There is none.

        Raises:
            WorldFailed: always.
        """
        raise WorldFailed(f"there is no arm '{name}' on the road, and no other")

    def car(self, name: str = CAR) -> Shuttle:
        """The shuttle; its name is `car`."""
        if name != CAR:
            raise WorldFailed(f"there is no car '{name}' on the road; {', '.join(nearest(name, [CAR]))}")
        return self._now.car

    def camera(
        self,
        name: str,
        *,
        width: int = 320,
        height: int = 240,
        near: float = NEAR,
        far: float = FAR,
        renderer: str = AUTO,
        shadows: bool | None = None,
    ) -> Camera:
        """A camera.

        Args:
            name: `front`, on the car, whose pose is told in the frame of that; `overview`, behind it, for people.
            width: of its images [px].
            height: of its images [px].
            near: what is nearer is not seen [m].
            far: what is farther is not seen [m].
            renderer: what draws its images, one of `sims.renderers.VERSIONS`, or `auto`.
            shadows: whether things throw them; by default in pictures for people, `overview`, alone.

        Raises:
            WorldFailed: there is no such camera or renderer, or its images cannot be so.
        """
        run = self._now
        if name not in CAMERAS:
            raise WorldFailed(f"there is no camera '{name}' on the road; {', '.join(nearest(name, CAMERAS))}")
        for problem in problems(width, height, near, far):
            raise WorldFailed(problem)
        look = run.course.look
        shaded = name == "overview" if shadows is None else shadows
        drawn = run.stage.renderer(renderer, Light(look.light, look.ambient, 1.0 - look.ambient, shadows=shaded))
        if name == "overview":
            return Camera(run.stage, drawn, lambda: run.behind(width, height, near, far))
        lens = _lens(width, height, near, far)
        # Calibration says where it should be; where it is, the seed strays from that a little.
        strayed = lens.disturbed(look.shift, look.tilt)
        return Camera(run.stage, drawn, lambda: carried(run.car, strayed), look.brightness, mount=lens)

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

    def about(self) -> Mapping[str, str]:
        """Name and version of each renderer that draws a camera of this run."""
        names = sorted(self._now.stage.renderers)
        return {"renderer": ", ".join(" ".join(choose(name)) for name in names)} if names else {}

    @property
    def course(self) -> Course:
        """What the seed drew."""
        return self._now.course

    def truth(self) -> Mapping[str, Ahead]:
        """How the car is in its lane, by its name."""
        return {CAR: self._now.ahead()}

    def snapshot(self) -> Vector:
        """Where everything is, as `show` of a road from the same seed takes it."""
        return snapshot(self._now.bullet)

    def show(self, state: Vector) -> None:
        """Put everything where a snapshot says; for cameras in another process than the physics.

        Raises:
            WorldFailed: the snapshot is of another world.
        """
        show(self._now.bullet, state)
        self._now.car.look()

    def verdict(self) -> Verdict | None:
        """How the run is judged, as soon as that is decided; None before."""
        return self._now.judge.verdict

    def close(self) -> None:
        """Give everything back."""
        if self._bullet is not None:
            self._bullet.close()
        self._bullet = self._run = None

    @property
    def _now(self) -> _Run:
        if self._run is None:
            raise WorldFailed("the road is bare: reset(seed) builds the world")
        return self._run


class _Run:
    """One run of the world: the bodies of one seed, and how far their physics has come."""

    def __init__(self, world: Road, bullet: Bullet, seed: int) -> None:
        self.bullet = bullet
        self.course = course.draw(seed, world.spread)
        self._rate = rate_of(world.rate)
        self._steps = 0
        self._look_every = max(1, round(world.rate / LOOKS))
        build.start(bullet, world.rate, 50)
        given = _ground(bullet, self.course)
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
        self.stage = Stage(bullet, {**given, **self.car.meshes()})
        self._hauled, self._hauling, self._waited = 0.0, False, 0.0
        self.judge = Judge(Route(self.course.stop, self._near_side(), world.time_limit))

    def now(self) -> Time:
        return tick(self._steps, self._rate)

    def advance(self, to: Time) -> None:
        car, step = self.car, self.bullet.stepSimulation
        for count in range(self._steps + 1, ticks_by(to, self._rate) + 1):
            if self._hauling:
                self.haul(min(self._hauled + HAUL / float(self._rate), ASIDE))
            car.step()
            step()
            self._steps = count
            car.stepped()
            if count % self._look_every == 0:
                moment = self._moment()
                self._heed(moment)
                self.judge.look(count / float(self._rate), moment)

    def haul(self, way: float) -> None:
        stands = self.course.obstacle
        if stands is None or self.stood is None:
            return
        self._hauled = way
        self._hauling = self._hauling and way < ASIDE
        self.bullet.resetBasePositionAndOrientation(self.stood, *_pose(self.course, stands, way))

    def ahead(self) -> Ahead:
        car, lane = self.car, self.course
        x, y, _ = car.position.tolist()
        along, offset, yaw = lane.locate(x, y)
        view = carried(car, _lens(320, 240, NEAR, FAR))
        near, line = self._near_side(), lane.stop - along
        stands = near is not None and 0.0 < near - along <= SIGHT and self._in_lane() and self._seen(view)
        marked = NOSE < line <= LINE_SIGHT and _sees(view, np.array([*lane.pose(lane.stop)[:2], 0.0]))
        return Ahead(
            offset=offset,
            heading=math.remainder(car.yaw - yaw, math.tau),
            curvature=lane.curvature(along),
            obstacle=near - along if stands and near is not None else None,
            stop_line=line if marked else None,
        )

    def behind(self, width: int, height: int, near: float, far: float) -> View:
        """What a follower sees who looks over the car."""
        eye, target = (self.car.position + self.car.attitude @ np.array(at) for at in ((-2.6, -1.4, 2.0), (1.2, 0, 0)))
        x, y, z = eye.tolist()
        a, b, c = target.tolist()
        return View.towards((x, y, z), (a, b, c), width, height, 4.0, near=near, far=far)

    def _near_side(self) -> float | None:
        stands = self.course.obstacle
        return None if stands is None else stands.along - stands.reach()[0]

    def _in_lane(self) -> bool:
        stands = self.course.obstacle
        if stands is None:
            return False
        return abs(stands.offset + stands.side * self._hauled) - stands.reach()[1] < LANE / 2

    def _seen(self, view: View) -> bool:
        stands = self.course.obstacle
        if stands is None:
            return False
        x, y, _ = self.course.pose(stands.along, stands.offset + stands.side * self._hauled)
        return _sees(view, np.array([x, y, stands.size[2] / 2]))

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


def carried(car: Shuttle, lens: View) -> View:
    """A view that is mounted on a car, where the car is now."""
    return lens.moved(car.position, car.attitude, WORLD)


def _lens(width: int, height: int, near: float, far: float) -> View:
    focal = width / 2 / math.tan(WIDE / 2)
    return View(MOUNT[:3, 3], MOUNT[:3, :3], width, height, focal, near, far, frame=CAR)


def _sees(view: View, point: Vector) -> bool:
    """Whether a point, shape (3,) [m], is between the left and the right edge of a picture."""
    across, _, ahead = ((point - view.position) @ view.rotation).tolist()
    return bool(ahead > 0.0 and abs(across) < ahead * math.tan(WIDE / 2))


def _ground(bullet: Bullet, lane: Course) -> dict[tuple[int, int], Mesh]:
    """The ground, which is touched as one plane: the painted part of it, and what lies around; how they are drawn."""
    plane = bullet.createCollisionShape(bullet.GEOM_PLANE)
    painted = paint.surface(lane)
    body = int(bullet.createMultiBody(0, plane, build.surface(bullet, painted)))
    bullet.changeDynamics(body, -1, lateralFriction=GRIP, restitution=0.0)
    around = rectangle((-80.0, 120.0), (-100.0, 100.0), 0.0)
    rest = int(bullet.createMultiBody(0, -1, build.surface(bullet, around, lane.look.ground), (0.0, 0.0, -0.01)))
    return {(body, -1): painted, (rest, -1): around}


def _stands(bullet: Bullet, lane: Course, thing: Obstacle) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """A box or a barrel where it stands at first: its number, and how it is drawn where PyBullet does not tell."""
    half = [extent / 2 for extent in thing.size]
    if thing.shape == "box":
        shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half)
        picture = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=half, rgbaColor=(*thing.colour, 1.0))
        return int(bullet.createMultiBody(0, shape, picture, *_pose(lane, thing))), {}
    mesh = cylinder(half[0], thing.size[2])
    shape = bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=half[0], height=thing.size[2])
    body = int(bullet.createMultiBody(0, shape, build.surface(bullet, mesh, thing.colour), *_pose(lane, thing)))
    return body, {(body, -1): mesh}


def _pose(lane: Course, thing: Obstacle, aside: float = 0.0) -> tuple[list[float], list[float]]:
    """Where something stands that was drawn so far aside: position [m] and quaternion."""
    x, y, yaw = lane.pose(thing.along, thing.offset + thing.side * aside)
    turn = (yaw + thing.yaw) / 2
    return [x, y, thing.size[2] / 2], [0.0, 0.0, math.sin(turn), math.cos(turn)]
