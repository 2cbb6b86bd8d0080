"""Readers of mesh files: Wavefront OBJ with its texture, and STL, binary or text; bounded in time and memory."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from embodied.errors import WorldFailed
from embodied.messages import Vector
from embodied.untrusted.files import read_bytes
from sims.rendering.mesh import Mesh, Pixels

FILE_SIZE_MOST = 256 << 20
"""Largest mesh or texture file [bytes]."""

TEXT_SIZE_MOST = 32 << 20
"""Largest mesh file that is text: a number takes hundreds of times as long to read there [bytes]."""

TRIANGLES_MOST = 2_000_000
"""Largest number of triangles of one mesh."""


def read(path: Path) -> Mesh:
    """Read the mesh in a file, OBJ or STL.

    Args:
        path: file whose name ends in .obj or .stl.

    Raises:
        WorldFailed: it is missing, too large, of another kind, or broken; the sentence states which.
    """
    try:
        stamp = path.stat()
    except OSError as error:
        raise WorldFailed(f"cannot read the mesh {path}: {error.strerror}") from None
    if stamp.st_size > FILE_SIZE_MOST:
        raise WorldFailed(
            f"cannot read the mesh {path}: size must be at most {FILE_SIZE_MOST >> 20} MiB, got {stamp.st_size >> 20}"
        )
    return _read(path, stamp.st_mtime_ns)


def _too_large(size: int) -> str:
    return f"size must be at most {FILE_SIZE_MOST >> 20} MiB, got {size >> 20}"


@lru_cache(maxsize=256)
def _read(path: Path, _: int) -> Mesh:
    kind = path.suffix.lower()
    try:
        if kind == ".obj":
            mesh = parse_obj(read_bytes(path, TEXT_SIZE_MOST).decode("utf-8", "replace"), path.parent)
        elif kind == ".stl":
            mesh = Mesh.flat(triangles(path))
        else:
            raise ValueError(f"'{kind}' is not .obj or .stl; the renderer 'tiny' may know it")
        if len(mesh.faces) > TRIANGLES_MOST:
            raise ValueError(f"triangles must be at most {TRIANGLES_MOST}, got {len(mesh.faces)}")
        if not len(mesh.faces):
            raise ValueError("no triangles")
    except OSError as error:
        raise WorldFailed(f"cannot read the mesh {path}: {error.strerror}") from None
    except (ValueError, IndexError, OverflowError) as error:
        raise WorldFailed(f"cannot read the mesh {path}: {error}") from None
    return mesh


def triangles(stl: Path) -> Vector:
    """Read the triangles of an STL file, shape (m, 3, 3) [m]; what stands behind the last one is left.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no STL file, or a corner is not finite.
    """
    content = read_bytes(stl, FILE_SIZE_MOST)
    record = np.dtype([("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    count = int.from_bytes(content[80:84], "little")
    # Four letters of a text stand for more triangles than any file has, so a text is never taken for binary.
    if len(content) >= 84 and len(content) >= 84 + record.itemsize * count:
        if count > TRIANGLES_MOST:
            raise ValueError(f"triangles must be at most {TRIANGLES_MOST}, got {count}")
        corners: Vector = np.frombuffer(content, record, count, 84)["corners"].astype(np.float64)
    elif content.lstrip()[:5].lower() == b"solid":
        corners = _ascii_triangles(content)
    elif len(content) >= 84:
        raise ValueError(f"it is cut: {count} triangles take {84 + record.itemsize * count} bytes, got {len(content)}")
    else:
        raise ValueError("not an STL file")
    return _finite(corners)


_CORNER = re.compile(rb"\bvertex[ \t]+(\S+)[ \t]+(\S+)[ \t]+(\S+)")


def _ascii_triangles(content: bytes) -> Vector:
    if len(content) > TEXT_SIZE_MOST:
        raise ValueError(f"size of a text must be at most {TEXT_SIZE_MOST >> 20} MiB, got {len(content) >> 20}")
    facets = len(re.findall(rb"\bendfacet\b", content))
    numbers = [float(number) for corner in _CORNER.findall(content) for number in corner]
    if len(numbers) != 9 * facets or not facets:
        raise ValueError(f"{facets} facets must have {3 * facets} corners of three numbers, got {len(numbers) // 3}")
    return np.array(numbers).reshape(-1, 3, 3)


def _finite(corners: Vector) -> Vector:
    # Meshes are drawn in single precision: what is infinite there is so here.
    with np.errstate(over="ignore"):
        if not np.isfinite(corners.astype(np.float32)).all():
            raise ValueError("a corner is not finite")
    return corners


def parse_obj(text: str, folder: Path | None = None) -> Mesh:
    """Parse the text of an OBJ file; without normals its faces are flat.

    Args:
        text: text of the file.
        folder: folder of its material file; without one the mesh has no texture.

    Raises:
        ValueError, IndexError: the text is malformed.
        WorldFailed: its texture cannot be read.
    """
    attributes: dict[str, list[list[float]]] = {"v": [], "vt": [], "vn": []}
    keys: list[tuple[int, int, int]] = []
    texture = None
    for line in text.splitlines():
        word, *values = line.split() or [""]
        if word in attributes:
            attributes[word].append([float(value) for value in values[: 2 if word == "vt" else 3]])
        elif word == "f":
            corner = [_indices(value, attributes) for value in values]
            for k in range(1, len(corner) - 1):
                keys += [corner[0], corner[k], corner[k + 1]]
        elif word == "mtllib" and values and folder is not None and texture is None:
            texture = _texture(folder / line.split(maxsplit=1)[1].strip())
    if not keys:
        raise ValueError("no triangles")
    v, vt, vn = np.array(keys, dtype=np.int64).T
    for name, length in (("v", 3), ("vn", 3), ("vt", 2)):
        if any(len(numbers) < length or not all(map(math.isfinite, numbers)) for numbers in attributes[name]):
            raise ValueError(f"each {name} must have {length} finite numbers")
    corners = _finite(np.array(attributes["v"])[v])
    places = np.array(attributes["vt"])[vt] if texture is not None and attributes["vt"] and (vt >= 0).all() else None
    texture = None if places is None else texture
    if attributes["vn"] and (vn >= 0).all():
        normals = np.array(attributes["vn"])[vn]
        normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
        faces = np.arange(len(keys), dtype=np.int32).reshape(-1, 3)
        flat = None if places is None else places.astype(np.float32)
        return Mesh(corners.astype(np.float32), normals.astype(np.float32), faces, flat, texture)
    return Mesh.flat(corners.reshape(-1, 3, 3), None if places is None else places.reshape(-1, 3, 2), texture)


def _indices(value: str, attributes: dict[str, list[list[float]]]) -> tuple[int, int, int]:
    """Return indices of corner, texture coordinate and normal, from 0; -1 for one that is not given."""
    numbers = [int(part) if part else 0 for part in value.split("/")]
    v, vt, vn = [*numbers, 0, 0][:3]
    if v == 0 or abs(v) > len(attributes["v"]):
        raise ValueError(f"a face names the corner {v}, and there are {len(attributes['v'])}")
    return _index(v, len(attributes["v"])), _index(vt, len(attributes["vt"])), _index(vn, len(attributes["vn"]))


def _index(number: int, length: int) -> int:
    # OBJ counts from 1, or from the end when negative; 0 stands for none.
    return number - 1 if number > 0 else length + number if number < 0 else -1


def _texture(material: Path) -> Pixels | None:
    try:
        text = read_bytes(material, TEXT_SIZE_MOST).decode("utf-8", "replace")
    except OSError:
        return None
    for line in text.splitlines():
        words = line.split(maxsplit=1)
        if len(words) == 2 and words[0] == "map_Kd":
            path = material.parent / words[1].strip()
            # Many models name textures that were never published; PyBullet draws them plain too.
            return read_texture(path) if path.is_file() else None
    return None


def read_texture(path: Path) -> Pixels:
    """Read the image file of a mesh's texture, shape (h, w, 3), RGB.

    Raises:
        WorldFailed: it is too large, or no image.
    """
    if path.stat().st_size > FILE_SIZE_MOST:
        raise WorldFailed(f"cannot read the texture {path}: {_too_large(path.stat().st_size)}")
    try:
        image = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    except (cv2.error, OSError):
        image = None
    if image is None:
        raise WorldFailed(f"cannot read the texture {path}: it is not an image")
    return np.ascontiguousarray(image[..., ::-1], dtype=np.uint8)
