"""Airfield world: marker boards, a landing pad, wind and one quadrotor; the seed decides everything about it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.geometry import yaw_quaternion
from embodied.messages import Vector
from embodied.node.node import generator
from embodied.ranges import Range
from sims import scenery
from sims.airfield.judge import AirfieldJudge, Inspection
from sims.airfield.scene import BOARD_EDGE, BOARDS_MOST, PAD_EDGE, PAD_LABEL, AirfieldScene, draw, pad
from sims.bodies.camera_mounts import DOWN, DOWN_ASPECT, carried
from sims.bodies.quadrotor import QuadrotorBody
from sims.bullet import Bullet
from sims.judging import LOOKS, Flight
from sims.object_truth import ObjectTruth
from sims.rendering import Light, Renderer
from sims.rendering.cameras import Camera, Stage
from sims.rendering.mesh import Mesh, Pixels
from sims.rendering.view import ImageFormat, View
from sims.simulated_world import CHARGES, OVERVIEW, VEHICLE_RATES, WINDS, Run, SimulatedWorld, run_problems
from sims.wind import Wind

DRONE = "drone"
"""Name of the quadrotor, and of its frame."""

CAMERAS = ("down", OVERVIEW)
"""Names of the cameras."""

HOLD_HEIGHT = 2.0
"""Height to hold above the marker [m]."""

FENCE_SIDE = 9.0
"""Distance of the geofence from the middle of the pad, in each direction [m]."""

FENCE_TOP = 8.0
"""Height of the geofence above the ground [m]."""

GROUND_REACH = 40.0
"""Distance to the edge of the ground, west and south of the pad [m]."""

GROUND_FRICTION = 0.8
"""Friction of the ground; PyBullet multiplies those of the two bodies in contact."""

ITERATIONS = 50
"""Iterations of the contact solver."""

OVERVIEW_EYE = (-9.0, -11.0, 8.0)
"""Position of the camera for people [m]."""

OVERVIEW_TARGET = (0.0, 0.0, 0.5)
"""Point in the middle of its image [m]."""

OVERVIEW_SPAN = 11.0
"""Height of its field of view at that point [m]."""


@dataclass
class Airfield(SimulatedWorld["_AirfieldRun"]):
    """Airfield world: its frame is east, north, up of the middle of the landing pad.

    Its cameras are `down`, on the quadrotor, whose pose is given in the quadrotor's frame, and `overview`, for people.
    Cameras and bodies belong to the run in which they were requested; a reset makes new ones.

    Attributes:
        boards: number of marker boards, 1 to 6.
        wind: strongest wind, gusts included [m/s].
        charge: state of charge of the battery at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: longest duration of a run [s].
    """

    boards: int = 4
    wind: float = 5.0
    charge: float = 1.0
    rate: float = 300.0
    time_limit: float = 120.0

    where = "on the airfield"
    views = CAMERAS
    far = 60.0

    def check(self) -> Iterable[str]:
        """Check the settings; yield one sentence a problem."""
        yield from Range(1, BOARDS_MOST).problems(boards=self.boards)
        yield from WINDS.problems(wind=self.wind)
        yield from CHARGES.problems(charge=self.charge)
        yield from run_problems(VEHICLE_RATES, self.rate, self.time_limit)

    def build(self, bullet: Bullet, seed: int) -> _AirfieldRun:
        """Build the bodies of a seed; time is 0."""
        return _AirfieldRun(self, bullet, seed)

    def drone(self, name: str = DRONE) -> QuadrotorBody:
        """Return the quadrotor, whose name is `drone`."""
        self.require("drone", name, DRONE)
        return self._run.drone

    def sees(self, point: Vector) -> bool:
        """Test whether a point, shape (3,) [m], is in the image of the downward camera, with sides of 4 to 3."""
        return DOWN.sees(self._run.drone, point, DOWN_ASPECT)

    @property
    def target(self) -> str:
        """Label of the board that this seed wants inspected."""
        return self._run.scene.target

    @property
    def scene(self) -> AirfieldScene:
        """Scene that the seed drew."""
        return self._run.scene

    @property
    def air(self) -> Vector:
        """Velocity of the air now, shape (3,) [m/s]."""
        return self._run.wind.velocity

    def truth(self) -> Mapping[str, ObjectTruth]:
        """Return the true pose of every marker board and the pad, by label."""
        return self._run.truth


class _AirfieldRun(Run):
    """One run of the airfield: the bodies of one seed, and how far their physics has come."""

    judge: AirfieldJudge

    def __init__(self, world: Airfield, bullet: Bullet, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.scene = scene = draw(seed, world.boards)
        self.light = Light(scene.light)
        scenery.start(bullet, world.rate, ITERATIONS)
        plane = bullet.createCollisionShape(bullet.GEOM_PLANE)
        grass = _grass(scene.ground())
        self._ground = int(bullet.createMultiBody(0, plane, scenery.visual(bullet, grass)))
        bullet.changeDynamics(self._ground, -1, lateralFriction=GROUND_FRICTION, restitution=0.0)
        markings = {
            board.label: scenery.marking(bullet, BOARD_EDGE, board.picture(), (board.x, board.y, board.yaw))
            for board in scene.boards
        }
        markings[PAD_LABEL] = scenery.marking(bullet, PAD_EDGE, pad(), (0.0, 0.0, 0.0))
        self.truth = _truth(scene, {label: body for label, (body, _) in markings.items()})
        self.wind = Wind(world.wind, world.rate, generator(seed, "field", "wind"))
        self.drone = QuadrotorBody(
            bullet,
            (0.0, 0.0, scene.yaw),
            world.rate,
            self.now,
            lambda: self.wind.velocity,
            generator(seed, "field", "sensors"),
            world.charge,
        )
        self.pushes = (self.wind.step, self.drone.step)
        self.sensors, self.carriers = (self.drone.after_step,), (self.drone.read_pose,)
        self.stage = Stage(bullet, {(body, -1): mesh for body, mesh in ((self._ground, grass), *markings.values())})
        self.judge = AirfieldJudge(_goal(scene, world.time_limit), LOOKS)

    def look(self, now: float) -> None:
        """Give the judge the state of the flight at a time [s]."""
        self.judge.look(now, Flight.of(self.bullet, self.drone, self._ground))

    def camera(self, name: str, images: ImageFormat, renderer: Renderer) -> Camera:
        """Build one of the cameras of `Airfield`."""
        if name == OVERVIEW:
            view = View.towards(OVERVIEW_EYE, OVERVIEW_TARGET, images, OVERVIEW_SPAN)
            return Camera(self.stage, renderer, lambda: view)
        lens = DOWN.lens(images, DRONE)
        return Camera(self.stage, renderer, lambda: carried(self.drone, lens), mount=lens)


def _truth(scene: AirfieldScene, bodies: Mapping[str, int]) -> dict[str, ObjectTruth]:
    places = {board.label: (board.x, board.y, board.yaw, BOARD_EDGE) for board in scene.boards}
    places[PAD_LABEL] = (0.0, 0.0, 0.0, PAD_EDGE)
    return {
        label: ObjectTruth(
            label,
            np.array([x, y, 0.0]),
            np.array(yaw_quaternion(yaw)),
            yaw,
            np.array([edge, edge, 0.0]),
            bodies[label],
        )
        for label, (x, y, yaw, edge) in places.items()
    }


def _goal(scene: AirfieldScene, limit: float) -> Inspection:
    board = next(board for board in scene.boards if board.label == scene.target)
    return Inspection(
        marker=board.label,
        hold=np.array([board.x, board.y, HOLD_HEIGHT]),
        pad=np.zeros(2),
        low=np.array([-FENCE_SIDE, -FENCE_SIDE, -0.5]),
        high=np.array([FENCE_SIDE, FENCE_SIDE, FENCE_TOP]),
        limit=limit,
    )


def _grass(texture: Pixels) -> Mesh:
    """Build the ground as one triangle: where two met, an image from above would show the seam."""
    corners = GROUND_REACH * np.array([[(-1.0, -1.0, 0.0), (3.0, -1.0, 0.0), (-1.0, 3.0, 0.0)]])
    return Mesh.flat(corners, np.array([[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]]), texture)
