"""Mesh files as triangles: Wavefront OBJ with its material's picture, and binary STL."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import Vector
from sims.rendering.mesh import Mesh, Pixels

LARGEST = 256 << 20  # of a mesh or picture file [bytes]
MOST = 2_000_000  # triangles of one mesh


def read(path: Path) -> Mesh:
    """The surface in a file.

    Args:
        path: ends in .obj or .stl.

    Raises:
        WorldFailed: it is missing, too large, of another kind, or broken; the sentence says which.
    """
    try:
        stamp = path.stat()
    except OSError as error:
        raise WorldFailed(f"cannot draw the mesh {path}: {error.strerror}") from None
    if stamp.st_size > LARGEST:
        raise WorldFailed(f"cannot draw the mesh {path}: {stamp.st_size >> 20} MiB, and {LARGEST >> 20} are the most")
    return _read(path, stamp.st_mtime_ns)


@lru_cache(maxsize=256)
def _read(path: Path, _: int) -> Mesh:
    kind = path.suffix.lower()
    try:
        if kind == ".obj":
            mesh = parse_obj(path.read_text(errors="replace"), path.parent)
        elif kind == ".stl":
            mesh = Mesh.flat(triangles(path))
        else:
            raise ValueError(f"'{kind}' is not .obj or .stl; the renderer 'tiny' may know it")
        if len(mesh.faces) > MOST:
            raise ValueError(f"{len(mesh.faces)} triangles, and {MOST} are the most")
        if not len(mesh.faces):
            raise ValueError("no triangles")
    except (OSError, ValueError, IndexError) as error:
        raise WorldFailed(f"cannot draw the mesh {path}: {error}") from None
    return mesh


def triangles(stl: Path) -> Vector:
    """The triangles of a binary STL file, shape (m, 3, 3) [m].

    Raises:
        ValueError: it is not one.
    """
    content = stl.read_bytes()
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    if len(content) < 84 or len(content) != 84 + record.itemsize * int.from_bytes(content[80:84], "little"):
        raise ValueError("not a binary STL file")
    corners: Vector = np.frombuffer(content, dtype=record, offset=84)["corners"].astype(np.float64)
    return corners


def parse_obj(text: str, folder: Path | None = None) -> Mesh:
    """The surface in the text of an OBJ file; flat where it gives no normals.

    Args:
        text: of the file.
        folder: where its material file is; without one it has no picture.

    Raises:
        ValueError, IndexError: it is broken.
        WorldFailed: its picture is.
    """
    found: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    keys: list[tuple[int, int, int]] = []
    texture = None
    for line in text.splitlines():
        word, *values = line.split() or [""]
        if word in found:
            found[word].append([float(value) for value in values[: 2 if word == "vt" else 3]])
        elif word == "f":
            corner = [_indices(value, found) for value in values]
            for k in range(1, len(corner) - 1):
                keys += [corner[0], corner[k], corner[k + 1]]
        elif word == "mtllib" and folder is not None and texture is None:
            texture = _texture(folder / line.split(maxsplit=1)[1].strip())
    if not keys:
        raise ValueError("no triangles")
    v, vt, vn = np.array(keys, dtype=np.int64).T
    corners = np.array(found["v"])[v]
    if not np.isfinite(corners).all():
        raise ValueError("a corner is not finite")
    places = np.array(found["vt"])[vt] if texture is not None and found["vt"] and (vt >= 0).all() else None
    texture = None if places is None else texture
    if found["vn"] and (vn >= 0).all():
        normals = np.array(found["vn"])[vn]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        faces = np.arange(len(keys), dtype=np.int32).reshape(-1, 3)
        flat = None if places is None else places.astype(np.float32)
        return Mesh(corners.astype(np.float32), normals.astype(np.float32), faces, flat, texture)
    return Mesh.flat(corners.reshape(-1, 3, 3), None if places is None else places.reshape(-1, 3, 2), texture)


def _indices(value: str, found: dict[str, list[list[float]]]) -> tuple[int, int, int]:
    """Numbers of corner, place and normal, from 0; -1 for one that is not given."""
    numbers = [int(part) if part else 0 for part in value.split("/")]
    v, vt, vn = [*numbers, 0, 0][:3]
    if v == 0 or abs(v) > len(found["v"]):
        raise ValueError(f"a face names the corner {v}, and there are {len(found['v'])}")
    # Counted from 1, or from the end when negative.
    return tuple(  # type: ignore[return-value]
        n - 1 if n > 0 else (len(found[kind]) + n if n < 0 else -1) for n, kind in ((v, "v"), (vt, "vt"), (vn, "vn"))
    )


def _texture(material: Path) -> Pixels | None:
    if not material.is_file():
        return None
    for line in material.read_text(errors="replace").splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and words[0] == "map_Kd":
            path = material.parent / words[1].strip()
            # Many models name pictures that were left on their maker's disk; PyBullet draws them plain too.
            return picture(path) if path.is_file() else None
    return None


def picture(path: Path) -> Pixels:
    """An image file, shape (h, w, 3), RGB.

    Raises:
        WorldFailed: it is too large, or no image.
    """
    if path.stat().st_size > LARGEST:
        raise WorldFailed(f"cannot read the texture {path}: {path.stat().st_size >> 20} MiB are too many")
    try:
        found = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):
        found = None
    if found is None:
        raise WorldFailed(f"cannot read the texture {path}: it is not an image")
    return np.ascontiguousarray(found[..., ::-1], dtype=np.uint8)
