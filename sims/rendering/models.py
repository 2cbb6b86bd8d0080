"""Models of all bodies as plain data, which can go to another process: surfaces, and the poses of their frames."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from embodied.errors import WorldFailed
from embodied.geometry import pose_matrices, pose_matrix
from embodied.messages import Vector
from sims.bullet import Bullet
from sims.rendering import mesh_files
from sims.rendering.mesh import Mesh, box, capsule, cylinder, rectangle

PLANE_REACH = 100.0
"""Half the edge of the square that stands for an endless plane [m]."""

Key = tuple[int, int]
"""Number of a body, and of its link; -1 is its base."""


@dataclass(frozen=True, eq=False, slots=True)
class Shape:
    """One visible surface of a body's model.

    Attributes:
        frame: row of the snapshot that moves it.
        mesh: triangles of the surface.
        local: pose of the mesh in its frame, shape (4, 4).
        colour: RGB, 0 to 1; times the texture where there is one.
        body: number of its body.
        still: whether it never moves.
    """

    frame: int
    mesh: Mesh
    local: Vector
    colour: tuple[float, float, float]
    body: int
    still: bool


@dataclass(frozen=True, eq=False, slots=True)
class Models:
    """Models of all bodies: their surfaces, and the frames that move them.

    Attributes:
        shapes: visible surfaces.
        frames: frames of the surfaces, in the order of a snapshot's rows.
        inertial: pose of each frame in the frame that PyBullet reports, that of the centre of mass, (k, 4, 4).
    """

    shapes: tuple[Shape, ...]
    frames: tuple[Key, ...]
    inertial: Vector

    @classmethod
    def read(cls, bullet: Bullet, meshes: Mapping[Key, Mesh]) -> Models:
        """Read the models of all bodies in a simulator.

        Args:
            bullet: the simulator.
            meshes: meshes that PyBullet got as arrays or from deleted files, and does not report.

        Raises:
            WorldFailed: a mesh or a texture cannot be read.
        """
        shapes: list[Shape] = []
        rows: dict[Key, int] = {}
        inertial: list[Vector] = []
        for body in (bullet.getBodyUniqueId(index) for index in range(bullet.getNumBodies())):
            still = bullet.getNumJoints(body) == 0 and bullet.getDynamicsInfo(body, -1)[0] == 0.0
            for _, link, kind, size, file, place, turn, colour, *_ in bullet.getVisualShapeData(body):
                mesh = _mesh(bullet, (body, link), kind, np.array(size), file.decode(), meshes)
                if mesh is None or colour[3] == 0.0:
                    continue
                if (body, link) not in rows:
                    rows[body, link] = len(rows)
                    inertial.append(_from_centre_of_mass(bullet, body) if link < 0 else np.eye(4))
                local = pose_matrix(np.array(place), np.array(turn))
                shapes.append(Shape(rows[body, link], mesh, local, (colour[0], colour[1], colour[2]), body, still))
        return cls(tuple(shapes), tuple(rows), np.array(inertial).reshape(-1, 4, 4))

    def snapshot(self, bullet: Bullet) -> Vector:
        """Return the poses of the frames now, shape (k, 4, 4) [m]."""
        poses: list[tuple[Any, Any]] = []
        links: dict[int, list[int]] = {}
        for body, link in self.frames:
            links.setdefault(body, []).append(link)
        for body, numbers in links.items():
            if numbers[0] < 0:
                poses.append(bullet.getBasePositionAndOrientation(body))
                numbers = numbers[1:]
            if numbers:
                states = bullet.getLinkStates(body, numbers, computeForwardKinematics=1)
                poses += [(state[4], state[5]) for state in states]
        positions, turns = (np.array(part) for part in zip(*poses, strict=True)) if poses else (np.empty((0, 3)),) * 2
        placed: Vector = pose_matrices(positions, turns.reshape(-1, 4)) @ self.inertial
        return placed


def _from_centre_of_mass(bullet: Bullet, body: int) -> Vector:
    info = bullet.getDynamicsInfo(body, -1)
    return np.linalg.inv(pose_matrix(np.array(info[3]), np.array(info[4]))).astype(np.float64)


def _mesh(bullet: Bullet, key: Key, kind: int, size: Vector, file: str, meshes: Mapping[Key, Mesh]) -> Mesh | None:
    if key in meshes:
        return meshes[key]
    if kind == bullet.GEOM_MESH:
        if not file:
            raise WorldFailed(f"cannot draw link {key[1]} of body {key[0]}: PyBullet does not report its mesh")
        return mesh_files.read(Path(file)).scaled(size)
    names = {getattr(bullet, f"GEOM_{name}"): name for name in ("SPHERE", "BOX", "CYLINDER", "CAPSULE", "PLANE")}
    if kind not in names:
        raise WorldFailed(f"cannot draw a visual shape of PyBullet's kind {kind}")
    return _primitive(names[kind], tuple(size.tolist()))


@lru_cache(maxsize=256)
def _primitive(name: str, size: tuple[float, ...]) -> Mesh:
    match name:
        case "SPHERE":
            return capsule(size[0], 0.0)
        case "BOX":
            return box(np.array(size))
        case "CYLINDER":
            return cylinder(size[1], size[0], sides=32)
        case "CAPSULE":
            return capsule(size[1], size[0])
    return rectangle((-PLANE_REACH, PLANE_REACH), (-PLANE_REACH, PLANE_REACH), 0.0)
