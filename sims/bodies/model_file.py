"""Model files (URDF) of arms with simplified meshes: same links, joints and collision shapes, drawn with few triangles.

A link that is drawn without a mesh stays as it is.

A stock Panda has 102 000 triangles and a stock xArm6 gripper 41 000; drawing the collision shapes instead, and small
parts on a coarse grid, makes a camera frame several times cheaper.
"""

from __future__ import annotations

import copy
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from embodied.errors import nearest
from embodied.geometry import quaternion, transform
from embodied.messages import Vector
from embodied.robot import Body, Robot, urdf
from embodied.robot.body import Colour
from embodied.robot.urdf import ChainJoint
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh
from sims.rendering.mesh_files import parse_obj, triangles

MODEL = "arm.urdf"
"""File name of the simplified model file."""

WHITE = (0.82, 0.82, 0.81, 1.0)
"""Colour of links for which an arm states none (RGBA, 0 to 1)."""


def problems(robot: Robot, body: Body) -> Iterator[str]:
    """Check that a robot's body fits it: base, joints, fingers, camera and meshes; yield one sentence a problem."""
    try:
        root = urdf.read(body.model)
    except ValueError as error:
        yield str(error)
        return
    file, links, joints = body.model.name, _names(root, "link"), _names(root, "joint")
    if robot.base not in links:
        yield f"{file} has no link '{robot.base}', on which the robot stands; {', '.join(nearest(robot.base, links))}"
    elif moving := [joint.name for joint in _below(body.model, robot.base) if joint.kind != "fixed"]:
        yield f"{file} moves {moving} below the robot's base '{robot.base}'"
    gripper = body.gripper
    for what, known, names in (
        ("joint", joints, (*robot.joints, *gripper.drives, *gripper.followers)),
        ("link", links, (*gripper.fingers, body.wrist.link, *body.colours, *body.coarse)),
    ):
        for name in names:
            if name not in known:
                yield f"{file} has no {what} '{name}'; {', '.join(nearest(name, known))}"
    for mesh in root.iter("mesh"):
        try:
            found = _mesh(body.model, mesh).is_file()
        except OSError as error:
            yield f"{file}: {error.strerror}"
            continue
        if not found:
            yield f"{file} names the mesh {mesh.get('filename')}, and there is none at {_mesh(body.model, mesh)}"


def _below(model: Path, base: str) -> list[ChainJoint]:
    """Read the joints of a model file from its outermost link to the robot's base; none where that is the base."""
    root = urdf.read(model)
    children = {child.get("link", "") for child in root.findall("joint/child")}
    outermost = next((link for link in _names(root, "link") if link not in children), base)
    return urdf.chain(model, outermost, base)


def _names(root: ET.Element, tag: str) -> list[str]:
    return [element.get("name", "") for element in root.findall(tag)]


def _mesh(model: Path, mesh: ET.Element) -> Path:
    """Return the file of a mesh of a model file.

    Raises:
        OSError: it is in a package that is not there.
    """
    return urdf.locate(urdf.locate(model).parent / mesh.get("filename", ""))


def load(bullet: Bullet, robot: Robot, body: Body) -> int:
    """Load the simplified model file of an arm, its base fixed at the origin.

    Args:
        bullet: the simulator.
        robot: the arm.
        body: model file, and how its links are drawn.

    Returns:
        number of the body.
    """
    placed: dict[str, Any] = {}
    base: Vector = np.eye(4)
    for joint in _below(body.model, robot.base):
        base = base @ transform(joint.xyz, joint.rpy)
    if not np.array_equal(base, np.eye(4)):
        outermost = np.asarray(np.linalg.inv(base), np.float64)
        placed = {"basePosition": outermost[:3, 3].tolist(), "baseOrientation": quaternion(outermost[:3, :3]).tolist()}
    # The files are gone once they are read, so that a process that is killed leaves nothing behind.
    with tempfile.TemporaryDirectory(prefix="embodied-") as folder:
        for file, text in _texts(body).items():
            Path(folder, file).write_text(text)
        return int(bullet.loadURDF(str(Path(folder, MODEL)), useFixedBase=True, **placed))


def redrawn(body: Body) -> Mapping[str, Mesh]:
    """Return the simplified meshes of an arm, which no file holds, by link."""
    texts = {Path(file): text for file, text in _texts(body).items()}
    return {path.stem: parse_obj(text) for path, text in texts.items() if path.suffix == ".obj"}


def _texts(body: Body) -> Mapping[str, str]:
    """Return the simplified model file of an arm and its redrawn meshes, as texts by file name."""
    return _simplified(body.model, tuple(body.colours.items()), tuple(body.coarse.items()))


@cache
def _simplified(
    model: Path, colours: tuple[tuple[str, Colour], ...], cells: tuple[tuple[str, float], ...]
) -> Mapping[str, str]:
    root = ET.parse(urdf.locate(model)).getroot()
    # Contact softness and anchors of the file are left out: a grasp holds by friction alone.
    for parent in (root, *root.iter("link")):
        for tag in ("gazebo", "transmission", "contact"):
            for element in parent.findall(tag):
                parent.remove(element)
    for mesh in root.iter("mesh"):
        mesh.set("filename", str(_mesh(model, mesh)))
    files: dict[str, str] = {}
    for link in root.iter("link"):
        _redraw(link, dict(colours), dict(cells), files)
    files[MODEL] = ET.tostring(root, encoding="unicode")
    return files


def _redraw(link: ET.Element, colours: Mapping[str, Colour], cells: Mapping[str, float], files: dict[str, str]) -> None:
    name = link.get("name", "")
    visuals = link.findall("visual")
    if visuals and all(visual.find("geometry/mesh") is None for visual in visuals):
        return
    for visual in visuals:
        link.remove(visual)
    for collision in link.findall("collision"):
        visual = copy.deepcopy(collision)
        visual.tag = "visual"
        for material in visual.findall("material"):
            visual.remove(material)
        material = ET.SubElement(visual, "material", name=f"{name}_paint")
        colour = colours.get(name, WHITE)
        ET.SubElement(material, "color", rgba=" ".join(str(part) for part in colour))
        mesh = visual.find("geometry/mesh")
        if mesh is not None and name in cells:
            files[f"{name}.obj"] = coarse(triangles(Path(mesh.get("filename", ""))), cells[name])
            mesh.set("filename", f"{name}.obj")
        link.append(visual)


def coarse(mesh: Vector, cell: float) -> str:
    """Simplify a mesh of a model file on a grid, as the text of an OBJ file: the corners in a cell become their mean.

    Args:
        mesh: triangles, shape (n, 3, 3) [m].
        cell: edge of a cell of the grid [m].
    """
    corners = mesh.reshape(-1, 3)
    _, index, count = np.unique(np.floor(corners / cell), axis=0, return_inverse=True, return_counts=True)
    index = index.reshape(-1)
    means = np.stack([np.bincount(index, corners[:, i]) / count for i in range(3)], axis=1)
    faces = index.reshape(-1, 3)
    kept = (faces[:, 0] != faces[:, 1]) & (faces[:, 1] != faces[:, 2]) & (faces[:, 2] != faces[:, 0])
    # The same face in another turn is the same face.
    turn = np.argmin(faces, axis=1)
    faces = np.unique(faces[np.arange(len(faces))[:, None], (turn[:, None] + np.arange(3)) % 3][kept], axis=0)
    lines = [f"v {x:.6f} {y:.6f} {z:.6f}" for x, y, z in means.tolist()]
    return "\n".join([*lines, *(f"f {a} {b} {c}" for a, b, c in (faces + 1).tolist()), ""])
