"""Model files (URDF) of arms with simplified meshes: same links, joints and collision shapes, drawn with few triangles.

A link that is drawn without a mesh stays as it is.

A stock Panda has 102 000 triangles and a stock xArm6 gripper 41 000; drawing the collision shapes instead, and small
parts on a coarse grid, makes a camera frame several times cheaper.
"""

from __future__ import annotations

import copy
import importlib.util
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import Vector
from sims.bodies.model import ArmModel
from sims.bullet import Bullet
from sims.rendering.mesh import Mesh
from sims.rendering.mesh_files import parse_obj, triangles

WHITE = (0.82, 0.82, 0.81, 1.0)
"""Colour of links for which an arm states none (RGBA, 0 to 1)."""


def data() -> Path:
    """Return the folder of URDF model files that comes with pybullet.

    Raises:
        WorldFailed: it is not there.
    """
    package = importlib.util.find_spec("pybullet_data")
    if package is None or package.origin is None:
        raise WorldFailed("the model files of the simulated arms are missing: there is no package pybullet_data")
    return Path(package.origin).parent


def load(bullet: Bullet, name: str, model: ArmModel) -> int:
    """Load the simplified model file of an arm, its base fixed at the origin.

    Args:
        bullet: the simulator.
        name: name of the arm.
        model: model file, and how its links are drawn.

    Returns:
        number of the body.
    """
    # The files are gone once they are read, so that a process that is killed leaves nothing behind.
    with tempfile.TemporaryDirectory(prefix=f"embodied-{name}-") as folder:
        for file, text in _simplified(name, model).items():
            Path(folder, file).write_text(text)
        return int(bullet.loadURDF(str(Path(folder, f"{name}.urdf")), useFixedBase=True))


@cache
def redrawn(name: str, model: ArmModel) -> Mapping[str, Mesh]:
    """Return the simplified meshes of an arm, which no file holds, by link."""
    texts = {Path(file): text for file, text in _simplified(name, model).items()}
    return {path.stem: parse_obj(text) for path, text in texts.items() if path.suffix == ".obj"}


@cache
def _simplified(name: str, model: ArmModel) -> dict[str, str]:
    """Return the simplified model file of an arm and its redrawn meshes, as texts by file name."""
    root = ET.parse(data() / model.urdf).getroot()
    # Contact softness and anchors of the file are left out: a grasp holds by friction alone.
    for parent in (root, *root.iter("link")):
        for tag in ("gazebo", "transmission", "contact"):
            for element in parent.findall(tag):
                parent.remove(element)
    packages = data() / model.packages
    for mesh in root.iter("mesh"):
        mesh.set("filename", mesh.get("filename", "").replace("package://", f"{packages}/"))
    files: dict[str, str] = {}
    for link in root.iter("link"):
        _redraw(link, model, files)
    files[f"{name}.urdf"] = ET.tostring(root, encoding="unicode")
    return files


def _redraw(link: ET.Element, model: ArmModel, files: dict[str, str]) -> None:
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
        colour = model.colours.get(name, WHITE)
        ET.SubElement(material, "color", rgba=" ".join(str(part) for part in colour))
        mesh = visual.find("geometry/mesh")
        if mesh is not None and name in model.coarse:
            files[f"{name}.obj"] = coarse(triangles(Path(mesh.get("filename", ""))), model.coarse[name])
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
