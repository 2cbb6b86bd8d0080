"""A drawn scene made into bodies with mass, friction and colour."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sims.bullet import Bullet
from sims.scene import TABLE, Scene, Thing, Tray

GRAVITY = 9.81  # [m/s²]
FRICTION = 0.8  # of blocks and distractors; PyBullet multiplies those of the two that touch
TABLE_FRICTION = 0.7
THICK = 0.05  # table top [m]
UNSEEN = (0.0, 0.0, -50.0)  # where the picture of the table goes: the cameras draw it themselves [m]


def start(bullet: Bullet, rate: float, iterations: int) -> None:
    """Empty the simulator and set its engine.

    Args:
        bullet: the simulator.
        rate: physics steps per second [Hz].
        iterations: of the contact solver.
    """
    bullet.resetSimulation()
    bullet.setPhysicsEngineParameter(
        fixedTimeStep=1 / rate,
        numSolverIterations=iterations,
        numSubSteps=0,
        # Contacts in an order of their own make a run differ from its twin (bullet3 #4722).
        deterministicOverlappingPairs=1,
        # A cached mesh survives resetSimulation, and a new file of the same name then shows the old one.
        enableFileCaching=0,
    )
    bullet.setGravity(0, 0, -GRAVITY)


def table(bullet: Bullet) -> int:
    """The table top, whose surface is at z = 0; returns its number."""
    (x0, x1), (y0, y1) = TABLE
    shape = bullet.createCollisionShape(
        bullet.GEOM_BOX, halfExtents=((x1 - x0) / 2, (y1 - y0) / 2, THICK / 2), collisionFramePosition=(0, 0, 0)
    )
    picture = bullet.createVisualShape(bullet.GEOM_SPHERE, radius=0.001, visualFramePosition=UNSEEN)
    body = bullet.createMultiBody(0, shape, picture, ((x0 + x1) / 2, (y0 + y1) / 2, -THICK / 2))
    bullet.changeDynamics(body, -1, lateralFriction=TABLE_FRICTION)
    return int(body)


def tray(bullet: Bullet, tray: Tray) -> int:
    """The tray, one body of a floor and four walls; returns its number."""
    half, wall, tall = tray.inner / 2, tray.wall / 2, tray.height / 2
    boxes = [((half, half, tray.floor / 2), (0.0, 0.0, tray.floor / 2))]
    for sign in (-1, 1):
        boxes.append(((half + 2 * wall, wall, tall), (0.0, sign * (half + wall), tall)))
        boxes.append(((wall, half, tall), (sign * (half + wall), 0.0, tall)))
    extents, places = [list(parts) for parts in zip(*boxes, strict=True)]
    kinds = [bullet.GEOM_BOX] * len(boxes)
    shape = bullet.createCollisionShapeArray(kinds, halfExtents=extents, collisionFramePositions=places)
    picture = bullet.createVisualShapeArray(
        kinds,
        halfExtents=extents,
        visualFramePositions=places,
        rgbaColors=[(0.42, 0.30, 0.22, 1.0)] * len(boxes),
    )
    body = bullet.createMultiBody(0, shape, picture, (tray.x, tray.y, 0))
    bullet.changeDynamics(body, -1, lateralFriction=TABLE_FRICTION)
    return int(body)


def thing(bullet: Bullet, thing: Thing) -> int:
    """A block or a distractor, at rest; returns its number."""
    wide, deep, tall = thing.size
    colour = (*thing.colour, 1.0)
    if thing.shape == "box":
        half = (wide / 2, deep / 2, tall / 2)
        shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half)
        picture = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=half, rgbaColor=colour)
    else:
        # A picture of its own: TinyRenderer draws PyBullet's cylinder as a capsule.
        mesh = prism(wide / 2, tall)
        shape = bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=wide / 2, height=tall)
        picture = bullet.createVisualShape(
            bullet.GEOM_MESH, vertices=mesh.corners, normals=mesh.normals, indices=mesh.faces, rgbaColor=colour
        )
    turn = (0.0, 0.0, math.sin(thing.yaw / 2), math.cos(thing.yaw / 2))
    body = bullet.createMultiBody(thing.mass, shape, picture, (thing.x, thing.y, tall / 2), turn)
    bullet.changeDynamics(body, -1, lateralFriction=FRICTION, linearDamping=0, angularDamping=0)
    return int(body)


@dataclass(frozen=True, slots=True)
class Prism:
    """A mesh: corners [m], the unit normal at each, and triangles as indices of corners."""

    corners: list[tuple[float, float, float]]
    normals: list[tuple[float, float, float]]
    faces: list[int]


def prism(radius: float, height: float, sides: int = 20) -> Prism:
    """A cylinder as an upright prism about the origin; side and ends have corners of their own, for a sharp edge."""
    turns = [(math.cos(turn), math.sin(turn)) for turn in (2 * math.pi * k / sides for k in range(sides))]
    levels = (-height / 2, height / 2)
    corners = [(radius * x, radius * y, z) for z in levels * 2 for x, y in turns]
    normals = [(x, y, 0.0) for _ in levels for x, y in turns] + [
        (0.0, 0.0, sign) for sign in (-1.0, 1.0) for _ in turns
    ]
    faces: list[int] = []
    for k in range(sides):
        here, there = k, (k + 1) % sides
        faces += [here, there, sides + there, here, sides + there, sides + here]
    for k in range(1, sides - 1):
        faces += [2 * sides, 2 * sides + k + 1, 2 * sides + k, 3 * sides, 3 * sides + k, 3 * sides + k + 1]
    return Prism(corners, normals, faces)


def things(bullet: Bullet, scene: Scene) -> dict[str, int]:
    """Every block and distractor; returns their numbers by label."""
    return {entry.label: thing(bullet, entry) for entry in (*scene.blocks, *scene.distractors)}
