"""A factory: an arm at its table, a shuttle that it loads, a lane to a second station, a drone that inspects there."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.clock import SECOND, Time
from embodied.errors import WorldFailed, nearest
from embodied.geometry import rotation
from embodied.messages import Vector
from embodied.node.node import generator
from embodied.robot import Robot
from sims import scenery
from sims.airfield import scene as field
from sims.airfield.judge import Flight
from sims.bodies import ARMS, ArmModel, car
from sims.bodies.arm import Arm
from sims.bodies.car import Shuttle
from sims.bodies.quadrotor import QuadrotorBody
from sims.bullet import Bullet
from sims.factory import scene as floorplan
from sims.factory.judge import Judge, Order, Shop
from sims.factory.scene import GROUND, Floorplan
from sims.rendering import Light, Renderer, downward, forward
from sims.rendering.cameras import Camera, Stage
from sims.rendering.forward import Ahead
from sims.rendering.mesh import Mesh, rectangle
from sims.rendering.view import Sheet, View
from sims.simulated_world import LOOKS, Run, SimulatedWorld, flown
from sims.tabletop.judge import Motion
from sims.tabletop.scene import COLOURS
from sims.tabletop.world import ARM
from sims.wind import Wind

CAR, DRONE = "car", "drone"
CAMERAS = ("overhead", "front", "down", "overview")
HOLD = 1.0  # above the load [m]
TELE = math.radians(40.0)  # across the picture of the camera that looks down: at a load, not at a field [rad]
OVERVIEW = ((-2.2, -5.0, 3.5), (3.5, 1.1, -0.1), 5.6)  # from where people look, at what, and how much of it [m]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something truly is.

    Attributes:
        label: the colour of a block, `grey0`, `grey1`, … of a distractor, or `pad`.
        position: of its middle in the world's frame, shape (3,) [m].
        orientation: quaternion (x, y, z, w) in the world's frame, shape (4,).
    """

    label: str
    position: Vector
    orientation: Vector


@dataclass
class Factory(SimulatedWorld["_Run"]):
    """The world of a delivery: its frame is the base of the arm, which stands on the table top.

    Its cameras are `overhead`, above the blocks; `front`, on the shuttle, and `down`, on the drone, whose poses are
    told in the frames of those; and `overview`, for people. Cameras and bodies belong to the run they were asked for;
    a reset makes new ones.

    Attributes:
        robot: the arm.
        objects: how many coloured blocks, 1 to 4.
        wind: it is never stronger, gusts included [m/s].
        charge: of both batteries at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: how long a run may take [s].
    """

    robot: Robot
    objects: int = len(COLOURS)
    wind: float = 3.0
    charge: float = 1.0
    rate: float = 300.0
    time_limit: float = 120.0

    where = "in the factory"
    views = CAMERAS
    far = 60.0

    def check(self) -> Iterable[str]:
        """Problems with the settings, one sentence each."""
        model = ARMS.get(self.robot.name)
        if model is None:
            yield f"there is no simulated arm '{self.robot.name}'; {', '.join(nearest(self.robot.name, ARMS))}"
        elif model.base != self.robot.base:
            yield f"the simulated '{self.robot.name}' stands on '{model.base}', and the robot on '{self.robot.base}'"
        if not 1 <= self.objects <= len(COLOURS):
            yield f"objects is {self.objects}, and there are 1 to {len(COLOURS)} blocks"
        yield from flown(self.wind, self.charge, self.rate, self.time_limit)

    def build(self, bullet: Bullet, seed: int) -> _Run:
        """Build everything anew from the seed; time is 0."""
        model = ARMS.get(self.robot.name)
        if model is None:
            raise WorldFailed("; ".join(self.check()))
        return _Run(self, bullet, model, seed)

    def arm(self, name: str = ARM) -> Arm:
        """The arm; its name is `arm`."""
        self.named("arm", name, ARM)
        return self._now.arm

    def car(self, name: str = CAR) -> Shuttle:
        """The shuttle; its name is `car`."""
        self.named("car", name, CAR)
        return self._now.shuttle

    def drone(self, name: str = DRONE) -> QuadrotorBody:
        """The quadrotor; its name is `drone`."""
        self.named("drone", name, DRONE)
        return self._now.drone

    @property
    def target(self) -> str:
        """Label of the block that this seed wants delivered."""
        return self._now.plan.scene.target

    @property
    def plan(self) -> Floorplan:
        """What the seed drew."""
        return self._now.plan

    def truth(self) -> Mapping[str, Place]:
        """Where every block, every distractor and the pad truly are, by label."""
        return self._now.truth()

    def ahead(self) -> Ahead:
        """How the shuttle truly is in its lane, and what its camera has in view of that."""
        return forward.ahead(self._now.shuttle, self._now.plan.lane)

    def sees(self, point: Vector) -> bool:
        """Whether a point, shape (3,) [m], is in the picture of the camera that looks down, four wide to three high."""
        return downward.sees(self._now.drone, point, TELE)

    def photographed(self, acquired: Time) -> None:
        """The drone has handed in a photograph that it took at a time [ns]."""
        self._now.judge.photographed(acquired / SECOND)


class _Run(Run):
    """One run of the world: the bodies of one seed, and how far their physics has come."""

    judge: Judge

    def __init__(self, world: Factory, bullet: Bullet, model: ArmModel, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.plan = plan = floorplan.draw(seed, model.bench, world.objects)
        light, road = plan.scene.look.light, plan.lane.look
        self.lamp = Light(light)
        # The same sun; how much of it the air scatters is what the model behind each camera was trained on.
        self.lamps = {"front": Light(light, road.ambient, 1.0 - road.ambient)}
        scenery.start(bullet, world.rate, model.iterations)
        self._floor, ground = scenery.road(bullet, plan.lane, GROUND)
        table, surface = scenery.table(bullet, plan.scene.look, floorplan.TABLE)
        scenery.legs(bullet, floorplan.TABLE, GROUND)
        pad, ring = _pad(bullet)
        things = scenery.things(bullet, plan.scene)
        self._bodies = {label: body for label, (body, _) in things.items()}
        self.arm = Arm(bullet, world.robot, model, world.rate, self.now)
        self.shuttle = Shuttle(
            bullet, plan.shuttle, GROUND, world.rate, self.now, generator(seed, "factory", "wheels"), world.charge
        )
        self.wind = Wind(world.wind, world.rate, generator(seed, "factory", "wind"))
        self.drone = QuadrotorBody(
            bullet,
            (*floorplan.PAD, plan.yaw),
            world.rate,
            self.now,
            lambda: self.wind.velocity,
            generator(seed, "factory", "sensors"),
            world.charge,
            ground=GROUND,
        )
        self.pushes = (self.arm.step, self.shuttle.step, self.wind.step, self.drone.step)
        self.sensors = (self.shuttle.stepped, self.drone.stepped)
        self.carriers = (self.shuttle.look, self.drone.look)
        given = {(body, -1): mesh for body, mesh in things.values() if mesh is not None}
        given |= ground | {(table, -1): surface, (pad, -1): ring}
        self.stage = Stage(bullet, given | dict(self.arm.meshes()) | self.shuttle.meshes())
        self._half = plan.scene.bench.block / 2
        self.judge = Judge(_order(plan, world.time_limit), self._shop(), LOOKS)

    def look(self, now: float) -> None:
        """Let the judge see how everything is at a time [s]."""
        self.judge.look(now, self._shop())

    def camera(self, name: str, sheet: Sheet, drawn: Renderer) -> Camera:
        """One of those that `Factory` has."""
        look, road, sight = self.plan.scene.look, self.plan.lane.look, self.plan.scene.bench.overhead
        if name == "front":
            # Calibration says where it should be; where it is, the seed strays from that a little.
            ahead = forward.lens(sheet, CAR)
            strayed = ahead.disturbed(road.shift, road.tilt)
            return Camera(
                self.stage, drawn, lambda: forward.carried(self.shuttle, strayed), road.brightness, mount=ahead
            )
        if name == "down":
            below = downward.lens(sheet, DRONE, TELE)
            return Camera(self.stage, drawn, lambda: downward.carried(self.drone, below), mount=below)
        eye, target, span = OVERVIEW if name == "overview" else (sight.eye, sight.target, sight.span)
        view = View.towards(eye, target, sheet.width, sheet.height, span, near=sheet.near, far=sheet.far)
        if name == "overview":
            return Camera(self.stage, drawn, lambda: view)
        mounting = view.disturbed(look.shift, look.tilt)
        return Camera(self.stage, drawn, lambda: mounting, look.brightness)

    def _shop(self) -> Shop:
        load = self.plan.scene.target
        blocks = {block.label: self._motion(block.label) for block in self.plan.scene.blocks}
        drone, shuttle = self.drone, self.shuttle
        for name, position in (("drone", drone.position), ("shuttle", shuttle.position)):
            if not np.isfinite(position).all():
                raise WorldFailed(f"the physics broke: the {name} is at {position.tolist()}")
        flight = Flight(
            position=drone.position,
            speed=float(np.linalg.norm(drone.velocity)),
            tilt=math.acos(max(-1.0, min(1.0, float(drone.attitude[2, 2])))),
            grounded=bool(self.bullet.getContactPoints(drone.body, self._floor)),
            off=drone.turned_off,
        )
        edges = self._half * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        return Shop(
            blocks=blocks,
            held=self.arm.touches(self._bodies[load]),
            position=shuttle.position,
            attitude=shuttle.attitude,
            speed=shuttle.speed,
            flight=flight,
            sight=all(
                downward.sees(drone, blocks[load].position + blocks[load].rotation @ edge, TELE) for edge in edges
            ),
        )

    def _motion(self, label: str) -> Motion:
        body = self._bodies[label]
        position, orientation = self.bullet.getBasePositionAndOrientation(body)
        linear, angular = self.bullet.getBaseVelocity(body)
        if not all(map(math.isfinite, position)):
            raise WorldFailed(f"the physics broke: the {label} block is at {position}")
        return Motion(np.array(position), rotation(np.array(orientation)), math.hypot(*linear), math.hypot(*angular))

    def truth(self) -> dict[str, Place]:
        found = {"pad": Place("pad", np.array([*floorplan.PAD, GROUND]), np.array([0.0, 0.0, 0.0, 1.0]))}
        for label, body in self._bodies.items():
            position, orientation = self.bullet.getBasePositionAndOrientation(body)
            found[label] = Place(label, np.array(position), np.array(orientation))
        return found


def _order(plan: Floorplan, limit: float) -> Order:
    along, inside, across = car.BED
    stop = plan.lane.pose(plan.lane.stop)
    return Order(
        load=plan.scene.target,
        size=plan.scene.bench.block,
        bed=np.array([along, 0.0, car.FLOOR]),
        inside=(inside / 2, across / 2),
        nose=car.NOSE,
        line=(np.array(stop[:2]), np.array([math.cos(stop[2]), math.sin(stop[2])])),
        hold=HOLD,
        pad=np.array(floorplan.PAD),
        low=np.array(floorplan.LOW),
        high=np.array(floorplan.HIGH),
        limit=limit,
    )


def _pad(bullet: Bullet) -> tuple[int, Mesh]:
    """The landing pad, to be seen and not to be touched: its number, and how it is drawn."""
    half = field.PAD / 2
    mesh = rectangle((-half, half), (-half, half), 0.0, field.pad())
    return int(bullet.createMultiBody(0, -1, scenery.surface(bullet, mesh), (*floorplan.PAD, GROUND + 0.004))), mesh
