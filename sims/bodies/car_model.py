"""Model of the shuttle in PyBullet: its dimensions and masses, and its bodies made from primitives.

Its frame is forward, left, up of the point on the ground midway between the rear wheels.
"""

from __future__ import annotations

import math

import numpy as np

from embodied.geometry import rotation, yaw_quaternion
from embodied.messages import Vector
from sims import scenery
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh, cylinder

WHEELBASE = 0.60
"""Distance between the axles [m]."""

TRACK = 0.36
"""Distance between the middles of the wheels of one axle [m]."""

WHEEL_RADIUS = 0.10
"""Radius of a wheel [m]."""

TYRE_WIDTH = 0.05
"""Width of a tyre [m]."""

TAIL = -0.15
"""Rear end along the forward axis [m]."""

NOSE = 0.75
"""Front end along the forward axis [m]."""

WIDTH = 0.42
"""Width of the body [m]."""

BED = (0.12, 0.34, 0.28)
"""Middle of the bed along the forward axis, and its inside along and across [m]."""

FLOOR = 0.30
"""Height of the bed's floor [m]."""

WALL_HEIGHT = 0.04
"""Height of the bed's walls above its floor [m]."""

WALL_THICKNESS = 0.01
"""Thickness of the bed's walls [m]."""

FRAME_TOP = 0.20
"""Height of the upper side of the chassis, below the bed [m]."""

CENTRE_OF_MASS = np.array([0.28, 0.0, 0.17])
"""Centre of mass of the chassis [m]."""

CAMERA_POSITION = np.array([0.66, 0.0, 0.50])
"""Optical centre of the front camera [m]."""

CAMERA_PITCH = math.radians(30.0)
"""Angle of the front camera below the horizon [rad]."""

CHASSIS_MASS = 34.0
"""Mass of the chassis [kg]."""

WHEEL_MASS = 1.2
"""Mass of one wheel [kg]."""

KNUCKLE_MASS = 0.6
"""Mass of one steering knuckle [kg]."""

TYRE_FRICTION = 1.0
"""Friction of the tyres; PyBullet multiplies those of the two bodies in contact."""

BED_FRICTION = 0.8
"""Friction of the chassis and its bed."""

# PyBullet numbers what hangs on a link right after that link, whatever the order of the arguments.
KNUCKLES = (0, 2)
"""Links that turn the front wheels, left and right."""

WHEELS = (1, 3, 4, 5)
"""Links of the wheels: front left, front right, rear left, rear right."""

REAR_WHEELS = (4, 5)
"""Links of the rear wheels, which drive."""

_LEVEL = (0.0, 0.0, 0.0, 1.0)
_ACROSS = (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5))  # turns the axis of a cylinder from z to y


def wheel_inertia() -> float:
    """Return the moment of inertia of the shuttle's wheel about its axle [kg·m²]."""
    return WHEEL_MASS * WHEEL_RADIUS**2 / 2


def build(bullet: Bullet, place: tuple[float, float, float], ground: float) -> tuple[int, dict[tuple[int, int], Mesh]]:
    """Build the shuttle's bodies from primitives, at rest.

    Args:
        bullet: the simulator.
        place: x, y [m] and yaw [rad] of its frame.
        ground: height of the ground [m].

    Returns:
        number of the body, and the meshes of its wheels: PyBullet draws a cylinder as a capsule.
    """
    along, inside, across = BED
    tall = (FLOOR + WALL_HEIGHT - FRAME_TOP) / 2
    sides = [
        (
            (inside / 2 + WALL_THICKNESS, WALL_THICKNESS / 2, tall),
            (along, sign * (across + WALL_THICKNESS) / 2, FRAME_TOP + tall),
        )
        for sign in (-1, 1)
    ]
    ends = [
        ((WALL_THICKNESS / 2, across / 2, tall), (along + sign * (inside + WALL_THICKNESS) / 2, 0.0, FRAME_TOP + tall))
        for sign in (-1, 1)
    ]
    solid = [
        (((0.42 - TAIL) / 2, 0.14, 0.06), ((0.42 + TAIL) / 2, 0.0, 0.14)),
        (((NOSE - 0.42) / 2, 0.09, 0.06), ((NOSE + 0.42) / 2, 0.0, 0.14)),
        ((inside / 2, across / 2, (FLOOR - FRAME_TOP) / 2), (along, 0.0, FRAME_TOP + (FLOOR - FRAME_TOP) / 2)),
        *sides,
        *ends,
        ((0.02, WIDTH / 2, 0.04), (NOSE - 0.02, 0.0, 0.14)),
        ((0.02, 0.03, 0.14), (CAMERA_POSITION[0] - 0.08, 0.0, 0.34)),
        ((0.03, 0.05, 0.025), (CAMERA_POSITION[0] - 0.06, 0.0, CAMERA_POSITION[2])),
    ]
    paint, dark, wood = (0.93, 0.93, 0.95, 1.0), (0.16, 0.17, 0.19, 1.0), (0.20, 0.42, 0.62, 1.0)
    colours = [paint, paint, (0.55, 0.57, 0.60, 1.0), *[wood] * 4, dark, dark, dark]
    extents, places = ([list(part) for part in parts] for parts in zip(*solid, strict=True))
    centres = [(np.array(spot) - CENTRE_OF_MASS).tolist() for spot in places]
    shape, picture = scenery.boxes(bullet, extents, centres, colours)
    wheel = bullet.createCollisionShape(
        bullet.GEOM_CYLINDER, radius=WHEEL_RADIUS, height=TYRE_WIDTH, collisionFrameOrientation=_ACROSS
    )
    mesh = _tyre()
    tyre = scenery.visual(bullet, mesh, (0.10, 0.10, 0.11))
    x, y, z = (np.array([WHEELBASE, TRACK / 2, WHEEL_RADIUS]) - CENTRE_OF_MASS).tolist()
    rear = -float(CENTRE_OF_MASS[0])
    turn = yaw_quaternion(place[2])
    yaw = rotation(np.array(turn))
    body = int(
        bullet.createMultiBody(
            CHASSIS_MASS,
            shape,
            picture,
            (np.array([place[0], place[1], ground]) + yaw @ CENTRE_OF_MASS).tolist(),
            turn,
            linkMasses=[KNUCKLE_MASS, WHEEL_MASS, KNUCKLE_MASS, WHEEL_MASS, WHEEL_MASS, WHEEL_MASS],
            linkCollisionShapeIndices=[-1, wheel, -1, *[wheel] * 3],
            linkVisualShapeIndices=[-1, tyre, -1, *[tyre] * 3],
            linkPositions=[(x, y, z), (0, 0, 0), (x, -y, z), (0, 0, 0), (rear, y, z), (rear, -y, z)],
            linkOrientations=[_LEVEL] * 6,
            linkInertialFramePositions=[(0, 0, 0)] * 6,
            linkInertialFrameOrientations=[_LEVEL] * 6,
            linkParentIndices=[0, 1, 0, 3, 0, 0],
            linkJointTypes=[bullet.JOINT_REVOLUTE] * 6,
            linkJointAxis=[(0, 0, 1), (0, 1, 0), (0, 0, 1), *[(0, 1, 0)] * 3],
        )
    )
    common = {"linearDamping": 0, "angularDamping": 0, "jointDamping": 0, "restitution": 0.0}
    bullet.changeDynamics(
        body, -1, lateralFriction=BED_FRICTION, localInertiaDiagonal=_chassis_inertia().tolist(), **common
    )
    disc = WHEEL_MASS * (3 * WHEEL_RADIUS**2 + TYRE_WIDTH**2) / 12
    for link in WHEELS:
        # A wheel turns inside its arch: contacts between the two would brake it.
        bullet.setCollisionFilterPair(body, body, link, -1, 0)
        bullet.changeDynamics(
            body, link, lateralFriction=TYRE_FRICTION, localInertiaDiagonal=(disc, wheel_inertia(), disc), **common
        )
    for link in KNUCKLES:
        bullet.changeDynamics(body, link, localInertiaDiagonal=(0.002, 0.002, 0.002), **common)
    return body, {(body, link): mesh for link in WHEELS}


def _chassis_inertia() -> Vector:
    """Return the moments of inertia of a box as large as the chassis, shape (3,) [kg·m²]."""
    long, wide, tall = NOSE - TAIL, WIDTH, FRAME_TOP
    squares = np.array([wide**2 + tall**2, long**2 + tall**2, long**2 + wide**2])
    return CHASSIS_MASS * squares / 12


def _tyre() -> Mesh:
    upright = cylinder(WHEEL_RADIUS, TYRE_WIDTH, sides=28)
    lie = rotation(np.array(_ACROSS)).T.astype(np.float32)
    return Mesh(upright.corners @ lie, upright.normals @ lie, upright.faces)
