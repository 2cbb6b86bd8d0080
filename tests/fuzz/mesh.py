"""Fuzzer of mesh files, OBJ and STL, as the renderer reads them; what is taken is finite."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from embodied.errors import WorldFailed
from sims.rendering.mesh_files import read as read_mesh
from tests.fuzz.harness import Kind


def read(data: bytes, folder: Path) -> str:
    """Read a mesh; the first byte says of which kind."""
    path = folder / ("part.obj" if data[:1] == b"o" else "part.stl")
    path.write_bytes(data[1:])
    try:
        mesh = read_mesh(path)
    except WorldFailed as error:
        return str(error)
    assert np.isfinite(mesh.corners).all()
    assert np.isfinite(mesh.normals).all()
    assert len(mesh.faces) == 0 or mesh.faces.max() < len(mesh.corners)
    return ""


def examples() -> list[bytes]:
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], "<f4")
    binary = b"s" + b"made".ljust(80) + (1).to_bytes(4, "little") + bytes(12) + corners.tobytes() + b"\0\0"
    facet = "facet normal 0 0 1\nouter loop\nvertex 0 0 0\nvertex 1 0 0\nvertex 0 1 0\nendloop\nendfacet\n"
    text = f"ssolid part\n{facet * 3}endsolid part\n".encode()
    wavefront = b"omtllib a.mtl\nv 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nvn 0 0 1\nf 1/1/1 2/1/1 3/1/1\nf -1 -2 -3\n"
    return [binary, text, wavefront]


KIND = Kind(
    name="mesh",
    examples=examples,
    words=(b"v ", b"vn ", b"vt ", b"f ", b"mtllib ", b"/", b"//", b"vertex ", b"endfacet\n", b"solid ", b"1e300"),
    read=read,
    modules=("sims.rendering",),
)
