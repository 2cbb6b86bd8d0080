"""Building blocks of a scene in PyBullet: engine settings, table, floor, boxes, cylinders, markings on the ground."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.geometry import yaw_quaternion
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh, Pixels, cylinder, rectangle, slab

GRAVITY = 9.81
"""Acceleration of gravity [m/s²]."""

TABLE_FRICTION = 0.7
"""Friction of a table top; PyBullet multiplies those of the two bodies in contact."""

TABLE_THICKNESS = 0.05
"""Thickness of a table top [m]."""

LEG_WIDTH = 0.06
"""Edge of a leg of a table [m]."""

LEG_COLOUR = (0.30, 0.31, 0.33, 1.0)
"""Colour of the legs of a table (RGBA, 0 to 1)."""

FLOOR_HEIGHT = -0.75
"""Height of the floor below a table [m]."""

FLOOR_REACH = 8.0
"""Distance from the robot to the edges of the floor [m]."""

FLOOR_COLOUR = (0.55, 0.57, 0.60)
"""Colour of the floor below a table (RGB, 0 to 1)."""

MARKING_HEIGHT = 0.004
"""Height of a marking above the ground, so that it hides what it lies on [m]."""

Extent = tuple[tuple[float, float], tuple[float, float]]
"""Bounds of a level rectangle along x and along y [m]."""

Point = tuple[float, float, float]

Rgba = tuple[float, float, float, float]


def start(bullet: Bullet, rate: float, iterations: int) -> None:
    """Empty PyBullet and set its engine, before a scene is built.

    Args:
        bullet: the simulator.
        rate: physics steps per second [Hz].
        iterations: iterations of the contact solver.
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


def visual(bullet: Bullet, mesh: Mesh, colour: tuple[float, float, float] = (1.0, 1.0, 1.0)) -> int:
    """Create a visual shape in PyBullet from a mesh; return its number."""
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


def boxes(
    bullet: Bullet, half_extents: Sequence[Sequence[float]], centres: Sequence[Sequence[float]], colours: Sequence[Rgba]
) -> tuple[int, int]:
    """Create one PyBullet shape of several boxes; return numbers of the collision shape and of the visual shape.

    Args:
        bullet: the simulator.
        half_extents: half extents of each box [m].
        centres: centre of each box in the frame of the shape [m].
        colours: colour of each box (RGBA, 0 to 1).
    """
    kinds = [bullet.GEOM_BOX] * len(half_extents)
    collision = bullet.createCollisionShapeArray(
        kinds, halfExtents=list(half_extents), collisionFramePositions=list(centres)
    )
    picture = bullet.createVisualShapeArray(
        kinds, halfExtents=list(half_extents), visualFramePositions=list(centres), rgbaColors=list(colours)
    )
    return collision, picture


def solid(
    bullet: Bullet,
    size: Point,
    colour: tuple[float, float, float],
    position: Sequence[float],
    yaw: float,
    *,
    round_: bool,
    mass: float = 0.0,
) -> tuple[int, Mesh | None]:
    """Create a box or an upright cylinder of a scene in PyBullet, at rest.

    Args:
        bullet: the simulator.
        size: full extents [m]; of a cylinder the first is its diameter.
        colour: colour (RGB, 0 to 1).
        position: position of its centre [m].
        yaw: turn about the vertical axis [rad].
        round_: whether it is a cylinder.
        mass: its mass [kg]; 0: it never moves.

    Returns:
        number of the body, and its mesh where PyBullet does not report it.
    """
    half = [extent / 2 for extent in size]
    mesh = None
    if round_:
        # A mesh of its own: TinyRenderer draws PyBullet's cylinder as a capsule.
        mesh = cylinder(half[0], size[2])
        shape = bullet.createCollisionShape(bullet.GEOM_CYLINDER, radius=half[0], height=size[2])
        picture = visual(bullet, mesh, colour)
    else:
        shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half)
        picture = bullet.createVisualShape(bullet.GEOM_BOX, halfExtents=half, rgbaColor=(*colour, 1.0))
    return int(bullet.createMultiBody(mass, shape, picture, position, yaw_quaternion(yaw))), mesh


def table(bullet: Bullet, extent: Extent, texture: Pixels) -> tuple[int, Mesh]:
    """Create a table top of a scene, its upper side at z = 0; return its number and its mesh."""
    (x0, x1), (y0, y1) = extent
    half = ((x1 - x0) / 2, (y1 - y0) / 2, TABLE_THICKNESS / 2)
    shape = bullet.createCollisionShape(bullet.GEOM_BOX, halfExtents=half, collisionFramePosition=(0, 0, 0))
    mesh = slab((-half[0], half[0]), (-half[1], half[1]), half[2], TABLE_THICKNESS, texture)
    centre = ((x0 + x1) / 2, (y0 + y1) / 2, -TABLE_THICKNESS / 2)
    body = bullet.createMultiBody(0, shape, visual(bullet, mesh), centre)
    bullet.changeDynamics(body, -1, lateralFriction=TABLE_FRICTION)
    return int(body), mesh


def legs(bullet: Bullet, extent: Extent, ground: float) -> int:
    """Create four legs at the corners of a scene's table top, down to a height [m]; return their number."""
    half = (LEG_WIDTH / 2, LEG_WIDTH / 2, (-TABLE_THICKNESS - ground) / 2)
    centres = [
        (x + LEG_WIDTH * inwards, y + LEG_WIDTH * aside, ground + half[2])
        for x, inwards in zip(extent[0], (1, -1), strict=True)
        for y, aside in zip(extent[1], (1, -1), strict=True)
    ]
    return int(bullet.createMultiBody(0, *boxes(bullet, [half] * 4, centres, [LEG_COLOUR] * 4)))


def floor(bullet: Bullet) -> tuple[int, Mesh]:
    """Create the floor below a scene's table, which is seen and not touched; return its number and its mesh."""
    mesh = rectangle((-FLOOR_REACH, FLOOR_REACH), (-FLOOR_REACH, FLOOR_REACH), 0.0)
    picture = visual(bullet, mesh, FLOOR_COLOUR)
    return int(bullet.createMultiBody(0, -1, picture, (0, 0, FLOOR_HEIGHT))), mesh


def marking(bullet: Bullet, edge: float, texture: Pixels, place: Point, ground: float = 0.0) -> tuple[int, Mesh]:
    """Create a marking on the ground of a scene, a square that is seen and not touched; return its number and its mesh.

    Args:
        bullet: the simulator.
        edge: edge of the square [m].
        texture: the picture.
        place: x, y [m] and yaw [rad] of its middle.
        ground: height of the ground [m].
    """
    mesh = rectangle((-edge / 2, edge / 2), (-edge / 2, edge / 2), 0.0, texture)
    x, y, yaw = place
    centre = (x, y, ground + MARKING_HEIGHT)
    return int(bullet.createMultiBody(0, -1, visual(bullet, mesh), centre, yaw_quaternion(yaw))), mesh
