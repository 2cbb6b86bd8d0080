"""A table with a tray, coloured blocks, grey distractors and one arm; the seed decides everything about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.errors import WorldFailed, nearest
from embodied.geometry import rotation
from embodied.messages import Vector
from embodied.robot import Robot
from sims import scenery
from sims.bodies import ARMS, ArmModel
from sims.bodies.arm import Arm
from sims.bullet import Bullet
from sims.rendering import Light, Renderer
from sims.rendering.cameras import Camera, Stage, mounted, wrist
from sims.rendering.view import Sheet, View
from sims.simulated_world import Run, SimulatedWorld
from sims.tabletop.judge import Judge, Motion
from sims.tabletop.scene import COLOURS, Scene, draw

ARM = "arm"
CAMERAS = ("overhead", "overview", "wrist")


@dataclass(frozen=True, slots=True)
class ObjectTruth:
    """The true state of one object.

    Attributes:
        label: `red`, `green`, `blue`, `yellow`, or `grey0`, `grey1`, … for distractors.
        position: of its centre in the base frame, shape (3,) [m].
        orientation: quaternion (x, y, z, w) in the base frame, shape (4,).
        size: full extents, shape (3,) [m].
        body: its number in a segmentation.
    """

    label: str
    position: Vector
    orientation: Vector
    size: Vector
    body: int


@dataclass
class Tabletop(SimulatedWorld["_Run"]):
    """The world of pick-and-place: its frame is the base of the robot, which stands on the table top.

    Its cameras are `overhead`, above the blocks; `wrist`, on the arm; and `overview`, a three-quarter view for people.
    Cameras and arms belong to the run they were asked for in; a reset makes new ones.

    Attributes:
        robot: the arm.
        objects: how many coloured blocks, 1 to 4.
        rate: physics steps per second [Hz].
        iterations: of the contact solver; 0 means what a firm grasp of this arm needs.
        time_limit: how long a run may take [s].
        spread: how far light, table and the mounting of cameras stray, as a multiple of what the models that ship were
            trained on; above 1 they see what they have never seen.
    """

    robot: Robot
    objects: int = len(COLOURS)
    rate: float = 300.0
    iterations: int = 0
    time_limit: float = 20.0
    spread: float = 1.0

    where = "at the table"
    views = CAMERAS

    def check(self) -> Iterable[str]:
        """Problems with the settings, one sentence each."""
        model = ARMS.get(self.robot.name)
        if model is None:
            yield f"there is no simulated arm '{self.robot.name}'; {', '.join(nearest(self.robot.name, ARMS))}"
        elif model.base != self.robot.base:
            yield f"the simulated '{self.robot.name}' stands on '{model.base}', and the robot on '{self.robot.base}'"
        if not 1 <= self.objects <= len(COLOURS):
            yield f"objects is {self.objects}, and there are 1 to {len(COLOURS)} blocks"
        if not (math.isfinite(self.rate) and 60 <= self.rate <= 10_000):
            yield f"rate is {self.rate} Hz, and contacts need 60 to 10000"
        if not 0 <= self.iterations <= 1000:
            yield f"iterations is {self.iterations}; it may be 1 to 1000, or 0 for the arm's own"
        if not 0 < self.time_limit < math.inf:
            yield f"time_limit is {self.time_limit} s, and it must be above 0"
        if not 0.0 <= self.spread <= 3.0:
            yield f"spread is {self.spread}; 0 is no variation, 1 what was trained on, and 3 the most"

    def build(self, bullet: Bullet, seed: int) -> _Run:
        """Build everything anew from the seed; time is 0."""
        model = ARMS.get(self.robot.name)
        if model is None:
            raise WorldFailed("; ".join(self.check()))
        return _Run(self, bullet, model, draw(seed, model.bench, self.objects, self.spread))

    def arm(self, name: str = ARM) -> Arm:
        """The arm; its name is `arm`."""
        self.named("arm", name, ARM)
        return self._now.arm

    @property
    def target(self) -> str:
        """Label of the block that this seed wants in the tray."""
        return self._now.scene.target

    @property
    def scene(self) -> Scene:
        """What the seed drew."""
        return self._now.scene

    def truth(self) -> Mapping[str, ObjectTruth]:
        """The true state of every block and distractor, by label."""
        return self._now.truth()

    def place(self, label: str, position: Vector, orientation: Vector) -> None:
        """Put an object somewhere at once, at rest, as only a simulator can; for making data and for tests.

        Args:
            label: as in `truth`.
            position: of its centre in the base frame, shape (3,) [m].
            orientation: quaternion (x, y, z, w), shape (4,).

        Raises:
            WorldFailed: there is no object of that label.
        """
        run = self._now
        self.named("object", label, *run.bodies)
        run.bullet.resetBasePositionAndOrientation(run.bodies[label], list(position), list(orientation))
        run.bullet.resetBaseVelocity(run.bodies[label], (0, 0, 0), (0, 0, 0))


class _Run(Run):
    """One run of the world: the bodies of one seed, and how far their physics has come."""

    judge: Judge

    def __init__(self, world: Tabletop, bullet: Bullet, model: ArmModel, scene: Scene) -> None:
        super().__init__(bullet, world.rate)
        bench = scene.bench
        self.scene = scene
        self.lamp = Light(scene.look.light)
        scenery.start(bullet, world.rate, world.iterations or model.iterations)
        table, surface = scenery.table(bullet, scene.look)
        scenery.tray(bullet, bench.tray)
        things = scenery.things(bullet, scene)
        self.bodies = {label: body for label, (body, _) in things.items()}
        self.arm = Arm(bullet, world.robot, model, world.rate, self.now)
        self.pushes = (self.arm.step,)
        floor, ground = scenery.floor(bullet)
        given = {(body, -1): mesh for body, mesh in things.values() if mesh is not None}
        given |= {(table, -1): surface, (floor, -1): ground, **self.arm.meshes()}
        self.stage = Stage(bullet, given)
        self._sizes = {thing.label: np.array(thing.size) for thing in (*scene.blocks, *scene.distractors)}
        self._blocks = {block.label: self.bodies[block.label] for block in scene.blocks}
        start = {label: motion.position for label, motion in self._motions().items()}
        held = self.bodies[scene.target]
        self.judge = Judge(
            scene.target, bench.block, start, bench.tray, world.time_limit, lambda: self.arm.touches(held)
        )

    def look(self, now: float) -> None:
        """Let the judge see the blocks at a time [s]."""
        self.judge.look(now, self._motions())

    def camera(self, name: str, sheet: Sheet, drawn: Renderer) -> Camera:
        """One of those that `Tabletop` has."""
        look, bench = self.scene.look, self.scene.bench
        if name == "wrist":
            lens = wrist(sheet.width, sheet.height, sheet.near, sheet.far)
            return Camera(self.stage, drawn, lambda: mounted(self.arm.wrist(), lens), look.brightness)
        sight = bench.overhead if name == "overhead" else bench.overview
        view = View.towards(
            sight.eye, sight.target, sheet.width, sheet.height, sight.span, near=sheet.near, far=sheet.far
        )
        if name == "overview":
            return Camera(self.stage, drawn, lambda: view)
        mounting = view.disturbed(look.shift, look.tilt)
        return Camera(self.stage, drawn, lambda: mounting, look.brightness)

    def _motions(self) -> dict[str, Motion]:
        motions = {}
        for label, body in self._blocks.items():
            position, orientation = self.bullet.getBasePositionAndOrientation(body)
            linear, angular = self.bullet.getBaseVelocity(body)
            if not all(map(math.isfinite, position)):
                raise WorldFailed(f"the physics broke: the {label} block is at {position}")
            motions[label] = Motion(
                np.array(position), rotation(np.array(orientation)), math.hypot(*linear), math.hypot(*angular)
            )
        return motions

    def truth(self) -> dict[str, ObjectTruth]:
        found = {}
        for label, body in self.bodies.items():
            position, orientation = self.bullet.getBasePositionAndOrientation(body)
            found[label] = ObjectTruth(label, np.array(position), np.array(orientation), self._sizes[label], body)
        return found
