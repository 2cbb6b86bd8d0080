"""Meshes that a user brings are read as they are meant, or are one sentence with their path; in bounded time."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import numpy as np
import pytest

from embodied.errors import WorldFailed
from sims.rendering.mesh_files import read, triangles

CORNERS = np.array([[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 0, 1], [0, 1, 1]]], dtype=np.float64)


def binary(corners: np.ndarray, header: bytes = b"made by hand", more: bytes = b"") -> bytes:
    content = header.ljust(80) + struct.pack("<I", len(corners))
    for triangle in corners:
        content += struct.pack("<12fH", 0, 0, 1, *triangle.reshape(-1), 0)
    return content + more


def ascii_text(corners: np.ndarray, name: str = "part") -> str:
    facets = "".join(
        "  facet normal 0 0 1\n    outer loop\n"
        + "".join(f"      vertex {x:g} {y:.3e} {z}\n" for x, y, z in triangle)
        + "    endloop\n  endfacet\n"
        for triangle in corners
    )
    return f"solid {name}\n{facets}endsolid {name}\n"


@pytest.mark.parametrize(
    "content",
    [
        binary(CORNERS),
        binary(CORNERS, header=b"solid but binary"),
        binary(CORNERS, more=b"\0" * 7),
        binary(CORNERS, more=b"made by a CAD system " * 9),
        ascii_text(CORNERS).encode(),
        ascii_text(CORNERS).upper().replace("SOLID", "solid").lower().encode(),
        ascii_text(CORNERS, "Gehäuse 机").encode(),
        ascii_text(CORNERS).replace("\n", "\r\n").encode(),
        b"\n  " + ascii_text(CORNERS).encode(),
    ],
)
def test_an_stl_is_read_in_either_form_and_what_stands_behind_it_is_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "part.stl"
    path.write_bytes(content)
    assert np.array_equal(triangles(path), CORNERS)
    assert len(read(path).faces) == 2


OBJ = "v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"


@pytest.mark.parametrize(
    "line", ["mtllib", "mtllib ", "mtllib none.mtl", "mtllib .", "# mtllib", "usemtl", "o", "vt 0 0"]
)
def test_an_obj_with_a_line_that_is_not_needed_is_read(tmp_path: Path, line: str) -> None:
    path = tmp_path / "part.obj"
    path.write_text(f"{line}\n{OBJ}")
    assert len(read(path).faces) == 1


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("a.stl", binary(CORNERS)[:-3], "it is cut: 2 triangles take 184 bytes, got 181"),
        ("b.stl", binary(CORNERS[:0]), "no triangles"),
        ("c.stl", b"short", "not an STL file"),
        ("d.stl", binary(CORNERS * np.nan), "a corner is not finite"),
        ("e.stl", ascii_text(CORNERS).replace("1.000e+00", "1e300", 1).encode(), "a corner is not finite"),
        ("f.stl", ascii_text(CORNERS).replace("vertex", "vortex", 1).encode(), "must have 6 corners of three numbers"),
        ("g.stl", ascii_text(CORNERS).replace("1.000e+00", "one", 1).encode(), "could not convert"),
        ("h.stl", b"solid nothing\nendsolid\n", "0 facets must have"),
        ("a.obj", b"v 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "each v must have 3 finite numbers"),
        ("b.obj", b"v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "each v must have 3 finite numbers"),
        ("c.obj", b"v 0 0 1e300\nv 1 0 0\nv 0 1 0\nf 1 2 3\n", "a corner is not finite"),
        ("d.obj", OBJ.encode() + b"vn 0 0 inf\n", "each vn must have 3 finite numbers"),
        ("e.obj", b"f 1 2 3\n", "a face names the corner 1, and there are 0"),
        ("f.obj", b"v 0 0 0\nf 1 1 99999999999999999999\n", "a face names the corner"),
        ("g.obj", b"", "no triangles"),
        ("h.ply", b"ply", "'.ply' is not .obj or .stl"),
    ],
)
def test_a_mesh_that_is_none_is_one_sentence(tmp_path: Path, name: str, content: bytes, problem: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(WorldFailed, match="cannot read the mesh") as caught:
        read(path)
    assert problem in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", [".obj", ".stl"])
def test_what_is_no_file_with_an_end_is_refused_at_once(tmp_path: Path, suffix: str) -> None:
    pipe, huge = tmp_path / f"pipe{suffix}", tmp_path / f"huge{suffix}"
    os.mkfifo(pipe)
    huge.touch()
    os.truncate(huge, 1 << 40)
    began = time.monotonic()
    for path in (pipe, huge, tmp_path / f"missing{suffix}"):
        with pytest.raises(WorldFailed, match="cannot read the mesh"):
            read(path)
    assert time.monotonic() - began < 1.0
