"""Files of an ONNX model: the model itself, and those in which it keeps its weights; read bounded in memory."""

from __future__ import annotations

import hashlib
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

SIZE_MOST = 2 << 30
"""Size that no ONNX file exceeds, since protobuf does not [B]; larger weights are in a second file."""

_LOCATION = re.compile(rb"\x0a\x08location\x12([\x01-\x7f]|[\x80-\xff][\x01-\x1f])")
"""Entry `location` of a tensor's external data, as protobuf writes it, up to the length of its value."""

_OTHERS = (
    (b"version https://git-lfs", "is a Git LFS pointer, not the model itself: run `git lfs pull`"),
    (b"PK\x03\x04", "is a zip archive, as PyTorch writes its checkpoints: export it to ONNX"),
    (b"<!doctype html", "is a web page, not a model: download the file itself"),
    (b"<html", "is a web page, not a model: download the file itself"),
    (b"ORTM", "is a model in the format of ONNX Runtime: give the .onnx file"),
)
"""Beginnings of files that are often taken for an ONNX model, with what they are and the remedy."""


def problem(model: Path) -> str:
    """Return the reason why a file is no whole ONNX model, as far as its bytes tell; empty if it may be one.

    Args:
        model: path of a regular file.

    Raises:
        OSError: it cannot be read.
    """
    size = model.stat().st_size
    if not size:
        return "is empty: restore the file"
    if size > SIZE_MOST:
        return f"has {size} bytes, and no ONNX file has more than {SIZE_MOST}"
    with model.open("rb") as file:
        start = file.read(64)
    for mark, what in _OTHERS:
        # What begins with the bytes 4f 52 54 4d has its name after a length.
        if start.lower().startswith(mark.lower()) or start[4:8] == mark == b"ORTM":
            return what
    for name, path in weights(model).items():
        if not path.is_file():
            return f"keeps weights in '{name}', which is not beside it: bring both files"
    return ""


def weights(model: Path) -> dict[str, Path]:
    """Find the files in which a model keeps weights, by the names that it gives them.

    Raises:
        OSError: the model cannot be read.
    """
    with model.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        names = sorted(set(_names(content)))
    found = {}
    for name in names:
        path = model.parent / name
        # ONNX Runtime reads no weights from outside of the model's folder, and neither is anything hashed there.
        if path.resolve().is_relative_to(model.parent.resolve()):
            found[name] = path
    return found


def _names(content: mmap.mmap) -> Iterator[str]:
    for match in _LOCATION.finditer(content):
        length = match[1][0] if len(match[1]) == 1 else match[1][0] & 0x7F | match[1][1] << 7
        name = content[match.end() : match.end() + length]
        # The same bytes may stand in the weights themselves; a file name is text.
        if len(name) == length and b"\0" not in name:
            yield name.decode("utf-8", "replace")


def digest(model: Path) -> str:
    """Return the SHA-256 of a model for its card, over its file and those of its weights, in lower-case hexadecimal."""
    sha = hashlib.sha256()
    for path in (model, *weights(model).values()):
        with path.open("rb") as file:
            while part := file.read(1 << 20):
                sha.update(part)
    return sha.hexdigest()
