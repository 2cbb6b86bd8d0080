"""A field with marker boards and a landing pad, wind, and one quadrotor; the seed decides everything about it."""

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
from sims.airfield import scene as field
from sims.airfield.judge import Errand, Flight, Judge
from sims.airfield.scene import Board, Field
from sims.bodies.quadrotor import QuadrotorBody
from sims.bullet import Bullet
from sims.rendering import Light, Renderer, downward
from sims.rendering.cameras import Camera, Stage
from sims.rendering.mesh import Mesh, Pixels, rectangle
from sims.rendering.view import Sheet, View
from sims.simulated_world import LOOKS, Run, SimulatedWorld, flown
from sims.wind import Wind

DRONE = "drone"
CAMERAS = ("down", "overview")
HOLD = 2.0  # above the marker [m]
SIDE, TOP = 9.0, 8.0  # of the fence: from the middle, and above the ground [m]
GRASS = 40.0  # how far the ground reaches at least, west and south [m]


@dataclass(frozen=True, slots=True)
class BoardTruth:
    """Where a marker board or the pad truly is.

    Attributes:
        label: `marker` and its number, or `pad`.
        position: of its middle, shape (3,) [m].
        yaw: [rad].
    """

    label: str
    position: Vector
    yaw: float


@dataclass
class Airfield(SimulatedWorld["_Run"]):
    """The world of an inspection from the air: its frame is east, north, up of the middle of the landing pad.

    Its cameras are `down`, on the quadrotor, whose pose is told in the frame of that, and `overview`, for people.
    Cameras and bodies belong to the run they were asked for in; a reset makes new ones.

    Attributes:
        boards: how many marker boards lie there, 1 to 6.
        wind: it is never stronger, gusts included [m/s].
        charge: of the battery at the start, 0 to 1.
        rate: physics steps per second [Hz].
        time_limit: how long a run may take [s].
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
        """Problems with the settings, one sentence each."""
        if not 1 <= self.boards <= 6:
            yield f"boards is {self.boards}, and the field has room for 1 to 6"
        yield from flown(self.wind, self.charge, self.rate, self.time_limit)

    def build(self, bullet: Bullet, seed: int) -> _Run:
        """Build everything anew from the seed; time is 0."""
        return _Run(self, bullet, seed)

    def drone(self, name: str = DRONE) -> QuadrotorBody:
        """The quadrotor; its name is `drone`."""
        self.named("drone", name, DRONE)
        return self._now.drone

    def sees(self, point: Vector) -> bool:
        """Whether a point, shape (3,) [m], is in the picture of the camera that looks down, four wide to three high."""
        return downward.sees(self._now.drone, point)

    @property
    def target(self) -> str:
        """Label of the board that this seed wants inspected."""
        return self._now.field.target

    @property
    def air(self) -> Vector:
        """Velocity of the air now, shape (3,) [m/s]."""
        return self._now.wind.velocity

    def truth(self) -> Mapping[str, BoardTruth]:
        """Where every marker board and the pad truly are, by label."""
        boards = [
            BoardTruth(board.label, np.array([board.x, board.y, 0.0]), board.yaw) for board in self._now.field.boards
        ]
        return {true.label: true for true in (*boards, BoardTruth("pad", np.zeros(3), 0.0))}


class _Run(Run):
    """One run of the world: the bodies of one seed, and how far their physics has come."""

    judge: Judge

    def __init__(self, world: Airfield, bullet: Bullet, seed: int) -> None:
        super().__init__(bullet, world.rate)
        self.field: Field = field.draw(seed, world.boards)
        self.lamp = Light(self.field.light)
        scenery.start(bullet, world.rate, 50)
        plane = bullet.createCollisionShape(bullet.GEOM_PLANE)
        grass = _grass(self.field.ground())
        self._ground = int(bullet.createMultiBody(0, plane, scenery.surface(bullet, grass)))
        bullet.changeDynamics(self._ground, -1, lateralFriction=0.8, restitution=0.0)
        boards = [
            _flat(bullet, field.BOARD, board.picture(), board.x, board.y, board.yaw) for board in self.field.boards
        ]
        flat = [(self._ground, grass), _flat(bullet, field.PAD, field.pad(), 0.0, 0.0, 0.0), *boards]
        self.wind = Wind(world.wind, world.rate, generator(seed, "field", "wind"))
        self.drone = QuadrotorBody(
            bullet,
            (0.0, 0.0, self.field.yaw),
            world.rate,
            self.now,
            lambda: self.wind.velocity,
            generator(seed, "field", "sensors"),
            world.charge,
        )
        self.pushes = (self.wind.step, self.drone.step)
        self.sensors, self.carriers = (self.drone.stepped,), (self.drone.look,)
        self.stage = Stage(bullet, {(body, -1): mesh for body, mesh in flat})
        self.judge = Judge(_errand(self.field, world.time_limit), LOOKS)

    def look(self, now: float) -> None:
        """Let the judge see how the drone flies at a time [s]."""
        self.judge.look(now, self._flight())

    def camera(self, name: str, sheet: Sheet, drawn: Renderer) -> Camera:
        """One of those that `Airfield` has."""
        if name == "overview":
            eye, target = (-9.0, -11.0, 8.0), (0.0, 0.0, 0.5)
            view = View.towards(eye, target, sheet.width, sheet.height, 11.0, near=sheet.near, far=sheet.far)
            return Camera(self.stage, drawn, lambda: view)
        lens = downward.lens(sheet, DRONE)
        return Camera(self.stage, drawn, lambda: downward.carried(self.drone, lens), mount=lens)

    def _flight(self) -> Flight:
        drone = self.drone
        if not np.isfinite(drone.position).all():
            raise WorldFailed(f"the physics broke: the drone is at {drone.position.tolist()}")
        return Flight(
            position=drone.position,
            speed=float(np.linalg.norm(drone.velocity)),
            tilt=math.acos(max(-1.0, min(1.0, float(drone.attitude[2, 2])))),
            grounded=bool(self.bullet.getContactPoints(drone.body, self._ground)),
            off=drone.turned_off,
        )


def _errand(drawn: Field, limit: float) -> Errand:
    board: Board = next(board for board in drawn.boards if board.label == drawn.target)
    return Errand(
        marker=board.label,
        hold=np.array([board.x, board.y, HOLD]),
        pad=np.zeros(2),
        low=np.array([-SIDE, -SIDE, -0.5]),
        high=np.array([SIDE, SIDE, TOP]),
        limit=limit,
    )


def _grass(texture: Pixels) -> Mesh:
    """The ground, as one triangle: where two met, a picture from above would show the seam."""
    corners = GRASS * np.array([[(-1.0, -1.0, 0.0), (3.0, -1.0, 0.0), (-1.0, 3.0, 0.0)]])
    return Mesh.flat(corners, np.array([[(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]]), texture)


def _flat(bullet: Bullet, edge: float, texture: Pixels, x: float, y: float, yaw: float) -> tuple[int, Mesh]:
    """A square picture on the ground, to be seen and not to be touched: its number, and how it is drawn."""
    mesh = rectangle((-edge / 2, edge / 2), (-edge / 2, edge / 2), 0.0, texture)
    turn = yaw_quaternion(yaw)
    return int(bullet.createMultiBody(0, -1, scenery.surface(bullet, mesh), (x, y, 0.004), turn)), mesh
