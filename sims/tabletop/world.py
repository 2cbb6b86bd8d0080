"""Tabletop world: a table with a tray, coloured blocks, grey distractors and one arm; the seed decides everything."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import Vector
from embodied.ranges import Range
from embodied.robot import Body, Robot
from embodied.robot.worktable import Tray
from sims import scenery
from sims.bodies.arm import Arm
from sims.bodies.camera_mounts import at_wrist, wrist_lens
from sims.bullet import Bullet
from sims.judging import BlockMotion
from sims.object_truth import ObjectTruth, quarter_turn
from sims.rendering import Light, Renderer
from sims.rendering.cameras import Camera, Stage
from sims.rendering.mesh import Mesh
from sims.rendering.view import ImageFormat, View
from sims.simulated_world import CONTACT_RATES, OVERVIEW, SPREADS, Run, SimulatedWorld, arm_problems, run_problems
from sims.tabletop.judge import TabletopJudge
from sims.tabletop.scene import COLOURS, TABLE, TabletopScene, draw

ARM = "arm"
"""Name of the arm."""

CAMERAS = ("overhead", OVERVIEW, "wrist")
"""Names of the cameras."""

OBJECT_FRICTION = 0.8
"""Friction of blocks and distractors; PyBullet multiplies those of the two bodies in contact."""

TRAY_COLOUR = (0.42, 0.30, 0.22, 1.0)
"""Colour of the tray (RGBA, 0 to 1)."""


@dataclass
class Tabletop(SimulatedWorld["_TabletopRun"]):
    """Tabletop world: its frame is the base of the robot, which stands on the table top.

    Its cameras are `overhead`, above the blocks; `wrist`, on the arm; and `overview`, a three-quarter view for people.
    Cameras and arms belong to the run in which they were requested; a reset makes new ones.

    Attributes:
        robot: the arm.
        objects: number of coloured blocks, 1 to 4.
        rate: physics steps per second [Hz].
        iterations: iterations of the contact solver; 0: what a firm grasp of this arm needs.
        time_limit: longest duration of a run [s].
        spread: variation of light, table and camera mounting, as a multiple of that in the training data; above 1 the
            models that ship see what they were never trained on.
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
        """Check the settings; yield one sentence a problem."""
        yield from arm_problems(self.robot)
        yield from Range(1, len(COLOURS)).problems(objects=self.objects)
        yield from Range(0, 1000).problems(iterations=self.iterations)
        yield from run_problems(CONTACT_RATES, self.rate, self.time_limit)
        yield from SPREADS.problems(spread=self.spread)

    def build(self, bullet: Bullet, seed: int) -> _TabletopRun:
        """Build the bodies of a seed; time is 0."""
        body = self.robot.body
        if body is None:
            raise WorldFailed("; ".join(self.check()))
        return _TabletopRun(self, bullet, body, draw(seed, body.worktable, self.objects, self.spread))

    def arm(self, name: str = ARM) -> Arm:
        """Return the arm, whose name is `arm`."""
        self.require("arm", name, ARM)
        return self._run.arm

    @property
    def target(self) -> str:
        """Label of the block that this seed wants in the tray."""
        return self._run.scene.target

    @property
    def scene(self) -> TabletopScene:
        """Scene that the seed drew."""
        return self._run.scene

    def truth(self) -> Mapping[str, ObjectTruth]:
        """Return the true state of every block and distractor, by label."""
        return self._run.truth()

    def place(self, label: str, position: Vector, orientation: Vector) -> None:
        """Move an object at once, at rest, as only a simulator can; for making data and for tests.

        Args:
            label: label of the object, as in `truth`.
            position: position of its centre in the base frame, shape (3,) [m].
            orientation: quaternion (x, y, z, w), shape (4,).

        Raises:
            WorldFailed: there is no object of that label.
        """
        run = self._run
        self.require("object", label, *run.bodies)
        run.bullet.resetBasePositionAndOrientation(run.bodies[label], list(position), list(orientation))
        run.bullet.resetBaseVelocity(run.bodies[label], (0, 0, 0), (0, 0, 0))


class _TabletopRun(Run):
    """One run of the tabletop: the bodies of one seed, and how far their physics has come."""

    judge: TabletopJudge

    def __init__(self, world: Tabletop, bullet: Bullet, body: Body, scene: TabletopScene) -> None:
        super().__init__(bullet, world.rate)
        worktable = scene.worktable
        self.scene = scene
        self.light = Light(scene.look.light)
        scenery.start(bullet, world.rate, world.iterations or body.iterations)
        table, surface = scenery.table(bullet, TABLE, scene.look.texture(TABLE))
        build_tray(bullet, worktable.tray)
        self.bodies, meshes = build_objects(bullet, scene)
        self.arm = Arm(bullet, world.robot, body, world.rate, self.now)
        self.pushes, self.sensors = (self.arm.step,), self.arm.sensors
        floor, ground = scenery.floor(bullet)
        self.stage = Stage(bullet, meshes | {(table, -1): surface, (floor, -1): ground, **self.arm.meshes()})
        start = {label: motion.position for label, motion in self._motions().items()}
        target = self.bodies[scene.target]
        self.judge = TabletopJudge(
            scene.target, worktable.block, start, worktable.tray, world.time_limit, lambda: self.arm.touches(target)
        )

    def look(self, now: float) -> None:
        """Give the judge the blocks at a time [s]."""
        self.judge.look(now, self._motions())

    def camera(self, name: str, images: ImageFormat, renderer: Renderer) -> Camera:
        """Build one of the cameras of `Tabletop`."""
        look, worktable = self.scene.look, self.scene.worktable
        if name == "wrist":
            lens = wrist_lens(images)
            return Camera(self.stage, renderer, lambda: at_wrist(self.arm.wrist(), lens), look.brightness)
        sight = worktable.overhead if name == "overhead" else worktable.overview
        view = View.towards(sight.eye, sight.target, images, sight.span)
        if name == OVERVIEW:
            return Camera(self.stage, renderer, lambda: view)
        mounted = view.disturbed(look.shift, look.tilt)
        return Camera(self.stage, renderer, lambda: mounted, look.brightness)

    def _motions(self) -> dict[str, BlockMotion]:
        labels = [block.label for block in self.scene.blocks]
        return {label: BlockMotion.of(self.bullet, self.bodies[label], label) for label in labels}

    def truth(self) -> dict[str, ObjectTruth]:
        """Read the true state of every object from the simulator, by label."""
        return object_truths(self.bullet, self.scene, self.bodies)


def build_objects(bullet: Bullet, scene: TabletopScene) -> tuple[dict[str, int], dict[tuple[int, int], Mesh]]:
    """Build every block and distractor of the tabletop world in the simulator, at rest.

    Returns:
        numbers of the bodies by label, and the meshes that PyBullet does not report.
    """
    bodies: dict[str, int] = {}
    meshes: dict[tuple[int, int], Mesh] = {}
    for thing in (*scene.blocks, *scene.distractors):
        centre = (thing.x, thing.y, thing.size[2] / 2)
        body, mesh = scenery.solid(
            bullet, thing.size, thing.colour, centre, thing.yaw, round_=thing.shape == "cylinder", mass=thing.mass
        )
        bullet.changeDynamics(body, -1, lateralFriction=OBJECT_FRICTION, linearDamping=0, angularDamping=0)
        bodies[thing.label] = body
        if mesh is not None:
            meshes[body, -1] = mesh
    return bodies, meshes


def object_truths(bullet: Bullet, scene: TabletopScene, bodies: Mapping[str, int]) -> dict[str, ObjectTruth]:
    """Read the true state of every block and distractor of the tabletop world from the simulator, by label."""
    truths = {}
    for thing in (*scene.blocks, *scene.distractors):
        body = bodies[thing.label]
        position, orientation = map(np.array, bullet.getBasePositionAndOrientation(body))
        yaw = quarter_turn(orientation)
        truths[thing.label] = ObjectTruth(thing.label, position, orientation, yaw, np.array(thing.size), body)
    return truths


def build_tray(bullet: Bullet, tray: Tray) -> int:
    """Build the tray of the tabletop world, one body of a floor and four walls; return its number."""
    half, wall, tall = tray.inner / 2, tray.wall / 2, tray.height / 2
    parts = [((half, half, tray.floor / 2), (0.0, 0.0, tray.floor / 2))]
    for sign in (-1, 1):
        parts.append(((half + 2 * wall, wall, tall), (0.0, sign * (half + wall), tall)))
        parts.append(((wall, half, tall), (sign * (half + wall), 0.0, tall)))
    extents, centres = zip(*parts, strict=True)
    shapes = scenery.boxes(bullet, extents, centres, [TRAY_COLOUR] * len(parts))
    body = bullet.createMultiBody(0, *shapes, (tray.x, tray.y, 0))
    bullet.changeDynamics(body, -1, lateralFriction=scenery.TABLE_FRICTION)
    return int(body)
