"""Factory world: an arm at its table, a shuttle that it loads, a lane to a second station, a drone that inspects."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from embodied.clock import SECOND, Time
from embodied.errors import WorldFailed
from embodied.messages import Vector
from embodied.node.node import generator
from embodied.ranges import Range
from embodied.robot import Body, Robot
from sims import road_surface, scenery
from sims.airfield.scene import PAD_EDGE, PAD_LABEL, pad
from sims.bodies import car_model
from sims.bodies.arm import Arm
from sims.bodies.camera_mounts import DOWN, DOWN_ASPECT, FRONT, carried
from sims.bodies.car import Shuttle
from sims.bodies.quadrotor import QuadrotorBody
from sims.bullet import Bullet
from sims.factory.judge import Delivery, FactoryJudge, FactoryState
from sims.factory.scene import FENCE_HIGH, FENCE_LOW, GROUND, PAD, TABLE, FactoryScene, draw
from sims.judging import LOOKS, BlockMotion, Flight, require_finite
from sims.lane_truth import LaneTruth, lane_truth
from sims.object_truth import ObjectTruth
from sims.rendering import Light, Renderer
from sims.rendering.cameras import Camera, Stage
from sims.rendering.view import ImageFormat, View
from sims.simulated_world import (
    CHARGES,
    OVERVIEW,
    VEHICLE_RATES,
    WINDS,
    Run,
    SimulatedWorld,
    arm_problems,
    run_problems,
)
from sims.tabletop.scene import COLOURS
from sims.tabletop.world import ARM, build_objects, object_truths
from sims.wind import Wind

CAR = "car"
"""Name of the shuttle, and of its frame."""

DRONE = "drone"
"""Name of the quadrotor, and of its frame."""

CAMERAS = ("overhead", "front", "down", OVERVIEW)
"""Names of the cameras."""

HOLD_HEIGHT = 1.0
"""Height to hold above the load [m]."""

TELE = replace(DOWN, angle=math.radians(40.0))
"""Camera under the drone, with a narrower field of view: it looks at a load, not at a field."""

OVERVIEW_EYE = (-2.2, -5.0, 3.5)
"""Position of the camera for people [m]."""

OVERVIEW_TARGET = (3.5, 1.1, -0.1)
"""Point in the middle of its image [m]."""

OVERVIEW_SPAN = 5.6
"""Height of its field of view at that point [m]."""


@dataclass
class Factory(SimulatedWorld["_FactoryRun"]):
    """Factory world: its frame is the base of the arm, which stands on the table top.

    Its cameras are `overhead`, above the blocks; `front`, on the shuttle, and `down`, on the drone, whose poses are
    given in the frames of these bodies; and `overview`, for people. Cameras and bodies belong to the run in which they
    were requested; a reset makes new ones.

    Attributes:
        robot: the arm.
        objects: number of coloured blocks, 1 to 4.
        wind: strongest wind, gusts included [m/s].
        charge: state of charge of both batteries at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: longest duration of a run [s].
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
        """Check the settings; yield one sentence a problem."""
        yield from arm_problems(self.robot)
        yield from Range(1, len(COLOURS)).problems(objects=self.objects)
        yield from WINDS.problems(wind=self.wind)
        yield from CHARGES.problems(charge=self.charge)
        yield from run_problems(VEHICLE_RATES, self.rate, self.time_limit)

    def build(self, bullet: Bullet, seed: int) -> _FactoryRun:
        """Build the bodies of a seed; time is 0."""
        body = self.robot.body
        if body is None:
            raise WorldFailed("; ".join(self.check()))
        return _FactoryRun(self, bullet, body, seed)

    def arm(self, name: str = ARM) -> Arm:
        """Return the arm, whose name is `arm`."""
        self.require("arm", name, ARM)
        return self._run.arm

    def car(self, name: str = CAR) -> Shuttle:
        """Return the shuttle, whose name is `car`."""
        self.require("car", name, CAR)
        return self._run.shuttle

    def drone(self, name: str = DRONE) -> QuadrotorBody:
        """Return the quadrotor, whose name is `drone`."""
        self.require("drone", name, DRONE)
        return self._run.drone

    @property
    def target(self) -> str:
        """Label of the block that this seed wants delivered."""
        return self._run.scene.table.target

    @property
    def scene(self) -> FactoryScene:
        """Scene that the seed drew."""
        return self._run.scene

    def truth(self) -> Mapping[str, ObjectTruth]:
        """Return the true state of every block, every distractor and the pad, by label."""
        return self._run.truth()

    def lane_truth(self) -> LaneTruth:
        """Return the true pose of the shuttle in its lane, and what its camera has in view ahead."""
        return lane_truth(self._run.shuttle, self._run.scene.lane)

    def sees(self, point: Vector) -> bool:
        """Test whether a point, shape (3,) [m], is in the image of the downward camera, with sides of 4 to 3."""
        return TELE.sees(self._run.drone, point, DOWN_ASPECT)

    def archive(self, acquired: Time) -> None:
        """Record that the drone delivered a photograph that it took at a time [ns]."""
        self._run.judge.photographed(acquired / SECOND)


class _FactoryRun(Run):
    """One run of the factory: the bodies of one seed, and how far their physics has come."""

    judge: FactoryJudge

    def __init__(self, world: Factory, bullet: Bullet, body: Body, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.scene = scene = draw(seed, body.worktable, world.objects)
        light, ambient = scene.table.look.light, scene.look.ambient
        self.light = Light(light)
        # The same sun; the share of it that the air scatters is what the model behind each camera was trained on.
        self.lights = {"front": Light(light, ambient, 1.0 - ambient)}
        scenery.start(bullet, world.rate, body.iterations)
        self._floor, ground = road_surface.build(bullet, scene.lane, scene.look, GROUND)
        table, surface = scenery.table(bullet, TABLE, scene.table.look.texture(TABLE))
        scenery.legs(bullet, TABLE, GROUND)
        self._pad, marking = scenery.marking(bullet, PAD_EDGE, pad(), (*PAD, 0.0), GROUND)
        self._bodies, meshes = build_objects(bullet, scene.table)
        self.arm = Arm(bullet, world.robot, body, world.rate, self.now)
        self.shuttle = Shuttle(
            bullet, scene.shuttle, GROUND, world.rate, self.now, generator(seed, "factory", "wheels"), world.charge
        )
        self.wind = Wind(world.wind, world.rate, generator(seed, "factory", "wind"))
        self.drone = QuadrotorBody(
            bullet,
            (*PAD, scene.yaw),
            world.rate,
            self.now,
            lambda: self.wind.velocity,
            generator(seed, "factory", "sensors"),
            world.charge,
            ground=GROUND,
        )
        self.pushes = (self.arm.step, self.shuttle.step, self.wind.step, self.drone.step)
        self.sensors = (*self.arm.sensors, self.shuttle.after_step, self.drone.after_step)
        self.carriers = (self.shuttle.read_pose, self.drone.read_pose)
        meshes |= ground | {(table, -1): surface, (self._pad, -1): marking}
        self.stage = Stage(bullet, meshes | dict(self.arm.meshes()) | self.shuttle.meshes())
        half = scene.table.worktable.block / 2
        self._corners = half * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        self.judge = FactoryJudge(_goal(scene, world.time_limit), self._state(), LOOKS)

    def look(self, now: float) -> None:
        """Give the judge the state of the factory at a time [s]."""
        self.judge.look(now, self._state())

    def camera(self, name: str, images: ImageFormat, renderer: Renderer) -> Camera:
        """Build one of the cameras of `Factory`."""
        table, road = self.scene.table, self.scene.look
        if name == "front":
            # Calibration states where the camera should be; the seed adds a small error of its mounting.
            ahead = FRONT.lens(images, CAR)
            erring = ahead.disturbed(road.shift, road.tilt)
            return Camera(self.stage, renderer, lambda: carried(self.shuttle, erring), road.brightness, mount=ahead)
        if name == "down":
            below = TELE.lens(images, DRONE)
            return Camera(self.stage, renderer, lambda: carried(self.drone, below), mount=below)
        if name == OVERVIEW:
            view = View.towards(OVERVIEW_EYE, OVERVIEW_TARGET, images, OVERVIEW_SPAN)
            return Camera(self.stage, renderer, lambda: view)
        sight = table.worktable.overhead
        above = View.towards(sight.eye, sight.target, images, sight.span).disturbed(table.look.shift, table.look.tilt)
        return Camera(self.stage, renderer, lambda: above, table.look.brightness)

    def _state(self) -> FactoryState:
        load = self.scene.table.target
        labels = [block.label for block in self.scene.table.blocks]
        blocks = {label: BlockMotion.of(self.bullet, self._bodies[label], label) for label in labels}
        drone, shuttle = self.drone, self.shuttle
        require_finite("shuttle", shuttle.position)
        return FactoryState(
            blocks=blocks,
            held=self.arm.touches(self._bodies[load]),
            position=shuttle.position,
            attitude=shuttle.attitude,
            speed=shuttle.speed,
            flight=Flight.of(self.bullet, drone, self._floor),
            sight=all(
                TELE.sees(drone, blocks[load].position + blocks[load].rotation @ corner, DOWN_ASPECT)
                for corner in self._corners
            ),
        )

    def truth(self) -> dict[str, ObjectTruth]:
        """Read the true state of every object from the simulator, by label."""
        level = np.array([0.0, 0.0, 0.0, 1.0])
        flat = np.array([PAD_EDGE, PAD_EDGE, 0.0])
        landing = ObjectTruth(PAD_LABEL, np.array([*PAD, GROUND]), level, 0.0, flat, self._pad)
        return {PAD_LABEL: landing, **object_truths(self.bullet, self.scene.table, self._bodies)}


def _goal(scene: FactoryScene, limit: float) -> Delivery:
    along, inside, across = car_model.BED
    stop = scene.lane.pose(scene.lane.stop)
    return Delivery(
        load=scene.table.target,
        size=scene.table.worktable.block,
        bed=np.array([along, 0.0, car_model.FLOOR]),
        inside=(inside / 2, across / 2),
        nose=car_model.NOSE,
        line=(np.array(stop[:2]), np.array([math.cos(stop[2]), math.sin(stop[2])])),
        hold=HOLD_HEIGHT,
        pad=np.array(PAD),
        low=np.array(FENCE_LOW),
        high=np.array(FENCE_HIGH),
        limit=limit,
    )
