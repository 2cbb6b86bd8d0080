"""Sample messages for the inputs of a node: valid for their type and the constraints of their port, from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np

from embodied.clock import Time
from embodied.geometry import BASE
from embodied.messages.constraints import UNCONSTRAINED, Refinement
from embodied.messages.schema import Field, Message, schema

SIZE = 2
"""Size of a dimension that the port leaves open."""

IMAGE_SIZES = {"h": 48, "w": 64}
"""Size of an image that the port leaves open [px]."""

WORDS = {"frame": BASE, "gear": "D", "label": "red", "state": "ready"}
"""Values of text fields, by name."""

LABELS = ("red", "green")
"""Values of a field of several texts."""

FOCAL = 60.0
"""Focal length of a sample camera [px]."""


def sample(kind: type[Message], rng: np.random.Generator, now: Time, refined: Refinement = UNCONSTRAINED) -> Message:
    """Draw a sample message of a type for an input.

    Args:
        kind: message type.
        rng: random numbers of its values.
        now: value of a field `acquired` [ns].
        refined: constraints of the port.
    """
    sizes = {**IMAGE_SIZES, **refined.sizes}
    values = {field.name: _value(field, rng, now, refined, sizes) for field in schema(kind)}
    return kind(**values)


def _value(field: Field, rng: np.random.Generator, now: Time, refined: Refinement, sizes: dict[str, int]) -> Any:
    if refined.modes is not None and field.optional and field.array is not None and field.name not in refined.modes:
        return None
    if field.array is not None:
        return _array(field, rng, refined, sizes)
    if field.name == "acquired":
        return now
    match field.kind:
        case "float":
            return float(rng.uniform(0.0, 1.0))
        case "int":
            return sizes.get(field.name[0], 1)
        case "bool":
            return bool(rng.random() < 0.5)
        case "strings":
            return LABELS
    return refined.frame if field.name == "frame" and refined.frame is not None else WORDS.get(field.name, "")


def _array(field: Field, rng: np.random.Generator, refined: Refinement, sizes: dict[str, int]) -> Any:
    assert field.array is not None
    shape = tuple(sizes.get(size, SIZE) if isinstance(size, str) else size for size in field.array.shape)
    dtype = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
    if np.issubdtype(dtype, np.integer):
        return rng.integers(0, 100, shape).astype(dtype)
    if field.name == "matrix":
        width, height = sizes["w"], sizes["h"]
        return np.array([(FOCAL, 0.0, width / 2), (0.0, FOCAL, height / 2), (0.0, 0.0, 1.0)], dtype)
    values = rng.normal(0.0, 0.3, shape)
    if field.name in ("orientation", "approach"):
        # Rotations and directions have unit length.
        values /= np.linalg.norm(values, axis=-1, keepdims=True)
    return values.astype(dtype)
