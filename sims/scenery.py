"""A drawn scene made into bodies with mass, friction and colour."""

from __future__ import annotations

import numpy as np

from embodied.geometry import yaw_quaternion
from sims.bodies.worktable import Tray
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh, Pixels, cylinder, rectangle, slab
from sims.road import surface as road_surface
from sims.road.scene import Course
from sims.tabletop.scene import TABLE, Look, Scene, Thing

GRAVITY = 9.81  # [m/s²]
FRICTION = 0.8  # of blocks and distractors; PyBullet multiplies those of the two that touch
TABLE_FRICTION = 0.7
ROAD_FRICTION = 0.9
THICK, LEG = 0.05, 0.06  # table top, and a leg of a table that has any [m]
FLOOR, ROOM = -0.75, 8.0  # height of the floor, and how far it reaches from the robot [m]
FLOOR_COLOUR = (0.55, 0.57, 0.60)
GRAIN = 0.012  # contrast of one wave across the table
TEXEL = 0.0025  # of the table's picture [m]

Extent = tuple[tuple[float, float], tuple[float, float]]
"""From where to where something level reaches, along x and along y [m]."""


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


def table(bullet: Bullet, look: Look, extent: Extent = TABLE) -> tuple[int, Mesh]:
    """The table top from x[0] to x[1] and y[0] to y[1] [m], at z = 0; returns its number, and how it is drawn."""
    (x0, x1), (y0, y1) = extent
    half = ((x1 - x0) / 2, (y1 - y0) / 2, THICK / 2)
    shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half, collisionFramePosition=(0, 0, 0))
    mesh = slab((-half[0], half[0]), (-half[1], half[1]), half[2], THICK, _grain(look, extent))
    body = bullet.createMultiBody(0, shape, surface(bullet, mesh), ((x0 + x1) / 2, (y0 + y1) / 2, -THICK / 2))
    bullet.changeDynamics(body, -1, lateralFriction=TABLE_FRICTION)
    return int(body), mesh


def legs(bullet: Bullet, extent: Extent, ground: float) -> int:
    """Four legs at the corners of a table top, down to a height [m]; returns their number."""
    half = (LEG / 2, LEG / 2, (-THICK - ground) / 2)
    places = [
        (x + LEG * inwards, y + LEG * aside, ground + half[2])
        for x, inwards in zip(extent[0], (1, -1), strict=True)
        for y, aside in zip(extent[1], (1, -1), strict=True)
    ]
    kinds = [bullet.GEOM_BOX] * len(places)
    shape = bullet.createCollisionShapeArray(kinds, halfExtents=[half] * 4, collisionFramePositions=places)
    picture = bullet.createVisualShapeArray(
        kinds, halfExtents=[half] * 4, visualFramePositions=places, rgbaColors=[(0.30, 0.31, 0.33, 1.0)] * 4
    )
    return int(bullet.createMultiBody(0, shape, picture))


def _grain(look: Look, extent: Extent) -> Pixels:
    # Waves across the table; a sine of a sum is a sum of products, so the picture is one product of two small matrices.
    (x0, x1), (y0, y1) = extent
    x = np.arange(x0 + TEXEL / 2, x1, TEXEL, dtype=np.float32)
    y = np.arange(y1 - TEXEL / 2, y0, -TEXEL, dtype=np.float32)
    fx, fy, phase = np.array(look.grain, dtype=np.float32).T[:, :, None]
    across, along = fx * x + phase, fy * y
    waves = np.sin(along).T @ np.cos(across) + np.cos(along).T @ np.sin(across)
    tone = np.float32(255) * (1 + np.float32(GRAIN) * waves)
    return np.stack([np.clip(tone * np.float32(part), 0, 255).astype(np.uint8) for part in look.table], axis=-1)


def floor(bullet: Bullet) -> tuple[int, Mesh]:
    """The floor, to be seen and not to be touched; returns its number, and how it is drawn."""
    mesh = rectangle((-ROOM, ROOM), (-ROOM, ROOM), 0.0)
    picture = surface(bullet, mesh, FLOOR_COLOUR)
    return int(bullet.createMultiBody(0, -1, picture, (0, 0, FLOOR))), mesh


def road(bullet: Bullet, lane: Course, height: float) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """The ground at a height [m], with a lane painted on it.

    Returns:
        its number, which is touched as one endless plane, and how it and what lies around it are drawn.
    """
    plane = bullet.createCollisionShape(bullet.GEOM_PLANE)
    painted = road_surface.surface(lane)
    body = int(bullet.createMultiBody(0, plane, surface(bullet, painted), (0.0, 0.0, height)))
    bullet.changeDynamics(body, -1, lateralFriction=ROAD_FRICTION, restitution=0.0)
    around = rectangle((-80.0, 120.0), (-100.0, 100.0), 0.0)
    rest = int(bullet.createMultiBody(0, -1, surface(bullet, around, lane.look.ground), (0.0, 0.0, height - 0.01)))
    return body, {(body, -1): painted, (rest, -1): around}


def surface(bullet: Bullet, mesh: Mesh, colour: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> int:
    """How PyBullet draws a mesh; returns the shape's number."""
    places = {} if mesh.places is None else {"uvs": mesh.places.tolist()}
    return int(
        bullet.createVisualShape(
            bullet.GEOM_MESH,
            vertices=mesh.corners.tolist(),
            normals=mesh.normals.tolist(),
            indices=mesh.faces.ravel().tolist(),
            rgbaColor=(*colour, 1.0),
            **places,
        )
    )


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


def thing(bullet: Bullet, thing: Thing) -> tuple[int, Mesh | None]:
    """A block or a distractor, at rest; returns its number, and how it is drawn where PyBullet does not tell."""
    wide, deep, tall = thing.size
    mesh = None
    if thing.shape == "box":
        half = (wide / 2, deep / 2, tall / 2)
        shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half)
        picture = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=half, rgbaColor=(*thing.colour, 1.0))
    else:
        # A picture of its own: TinyRenderer draws PyBullet's cylinder as a capsule.
        mesh = cylinder(wide / 2, tall)
        shape = bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=wide / 2, height=tall)
        picture = surface(bullet, mesh, thing.colour)
    turn = yaw_quaternion(thing.yaw)
    body = bullet.createMultiBody(thing.mass, shape, picture, (thing.x, thing.y, tall / 2), turn)
    bullet.changeDynamics(body, -1, lateralFriction=FRICTION, linearDamping=0, angularDamping=0)
    return int(body), mesh


def things(bullet: Bullet, scene: Scene) -> dict[str, tuple[int, Mesh | None]]:
    """Every block and distractor, as `thing` gives it, by label."""
    return {entry.label: thing(bullet, entry) for entry in (*scene.blocks, *scene.distractors)}
