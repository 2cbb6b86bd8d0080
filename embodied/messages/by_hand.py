"""Composition of a message from plain data, as it is published by hand: refused where a number in it is none."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embodied.errors import nearest
from embodied.messages.schema import Array, Field, Message, schema
from embodied.untrusted.text import shown

LARGEST_ARRAY = 64 * 2**20
"""Size of the largest array that is published by hand [B]."""


def compose(kind: type[Message], fields: Mapping[str, Any], now: int) -> Message:
    """Build the message that is to be published by hand from plain data.

    Args:
        kind: type of the message.
        fields: by name; a list becomes an array, and so does `{shape: [480, 640, 3], fill: 128}`; without a time of
            acquisition it is now.
        now: time since the start of the run [ns].

    Raises:
        ValueError: a field is unknown or missing, its value does not fit, or a number in it is NaN or infinite.
    """
    known = {field.name: field for field in schema(kind)}
    for name in fields:
        if name not in known:
            raise ValueError(f"{kind.__name__} has no field '{name}'; {', '.join(nearest(name, known))}")
    values: dict[str, Any] = {}
    defaults = {entry.name for entry in dataclasses.fields(kind) if entry.default is not dataclasses.MISSING}  # type: ignore[arg-type]
    for name, field in known.items():
        if name in defaults and name not in fields:
            continue
        value = fields.get(name)
        if value is None:
            if name == "acquired" and name not in fields:
                value = now
            elif not field.optional:
                unit = f" [{field.unit}]" if field.unit else ""
                raise ValueError(f"{kind.__name__} needs the field '{name}'{unit}")
            values[name] = value
            continue
        try:
            values[name] = _value(field, value)
        except ValueError as error:
            raise ValueError(f"{kind.__name__}.{name} {error}") from None
    return kind(**values)


def _value(field: Field, value: Any) -> Any:
    """Return the value of a field of a message; texts and whole numbers are left to its encoder.

    Raises:
        ValueError: it does not fit; the text goes on after the field's name.
    """
    if field.array is not None:
        filled = isinstance(value, Mapping)
        return _filled(value, field.array) if filled else _numbers(value, field.array.dtype, field.unit)
    if field.kind == "float" and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise ValueError(f"must be finite{_in(field.unit)}, got {shown(value)}")
        return number
    if field.kind == "strings" and isinstance(value, list):
        return tuple(value)
    return value


def _numbers(value: Any, dtype: str, unit: str) -> NDArray[Any]:
    """Return plain numbers as an array of a type that can hold each of them.

    Raises:
        ValueError: one is no number, not finite, or does not fit the type.
    """
    try:
        numbers = np.asarray(value)
    except (ValueError, OverflowError):
        raise ValueError(f"must be an array whose rows are equally long, got {shown(value)}") from None
    if numbers.dtype.kind not in "iuf":
        raise ValueError(f"must be numbers{_in(unit)}, got {shown(value)}")
    if not (finite := np.isfinite(numbers)).all():
        raise ValueError(f"must be finite{_in(unit)}, got {numbers[~finite].flat[0]}")
    target = np.dtype(dtype)
    limits: Any = np.finfo(target) if target.kind == "f" else np.iinfo(target)
    fits = (numbers >= limits.min) & (numbers <= limits.max)
    if target.kind == "f":
        which = "numbers"
    else:
        which = "whole numbers"
        fits &= numbers == np.trunc(numbers)
    if not fits.all():
        low, high = (f"{limits.min:g}", f"{limits.max:g}") if target.kind == "f" else (limits.min, limits.max)
        raise ValueError(f"must be {which} from {low} to {high}{_in(unit)}, got {numbers[~fits].flat[0]}")
    return numbers.astype(target)


def _filled(about: Mapping[str, Any], array: Array) -> NDArray[Any]:
    """Build an array from its shape and the value of its elements; its size is checked before there is any memory.

    Raises:
        ValueError: the shape or the value is none, or the array too large.
    """
    shape = about.get("shape", ())
    if about.keys() - {"shape", "fill"} or not isinstance(shape, list | tuple):
        raise ValueError(f"must be a list or {{shape: [480, 640, 3], fill: 128}}, got {shown(dict(about))}")
    if len(shape) != len(array.shape) or not all(type(size) is int and size >= 0 for size in shape):
        raise ValueError(f"must have a shape of {len(array.shape)} whole numbers from 0, got {shown(list(shape))}")
    size = math.prod(shape) * np.dtype(array.dtype).itemsize
    if size > LARGEST_ARRAY:
        text = f"of shape {shown(list(shape))} has {shown(size)} B"
        raise ValueError(f"{text}, and at most {LARGEST_ARRAY} B are published by hand")
    fill = _numbers(about.get("fill", 0), array.dtype, array.unit)
    if fill.ndim:
        raise ValueError(f"must be filled with one number{_in(array.unit)}, got {shown(about['fill'])}")
    return np.full(shape, fill, dtype=array.dtype)


def _in(unit: str) -> str:
    return f" [{unit}]" if unit else ""
