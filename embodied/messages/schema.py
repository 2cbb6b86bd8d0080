"""Schema of messages: frozen values whose fields declare shape, dtype and unit.

A message type is a frozen dataclass that derives from `Message`. Arrays are annotated with `Array`, scalars with
`Unit`:

    @dataclass(frozen=True, slots=True, kw_only=True)
    class Wrench(Message):
        force: Annotated[Vector, Array("3", "N")]

A letter in a shape is a dimension that must agree across the fields of one message; ports may fix its size.
"""

from __future__ import annotations

import types
from dataclasses import dataclass, fields
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
"""Array of float64; its shape is declared beside it."""

Dimension = int | str
"""Size of a dimension, or the letter that stands for it."""


class Message:
    """Base of every message. Values are frozen; arrays become read-only the moment they are published."""

    __slots__ = ()


class Command(Message):
    """Base of every message that moves an actuator: only a guard may pass one to a driver."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, init=False)
class Array:
    """Shape, unit and dtype of an array field.

    Args:
        shape: sizes and letters, separated by spaces: `"n"`, `"k 3"`, `"h w 3"`.
        unit: SI unit, empty when there is none.
        dtype: numpy's name of the element type.
    """

    shape: tuple[Dimension, ...]
    unit: str
    dtype: str

    def __init__(self, shape: str, unit: str = "", dtype: str = "float64") -> None:
        sizes = tuple(int(word) if word.isdigit() else word for word in shape.split())
        object.__setattr__(self, "shape", sizes)
        object.__setattr__(self, "unit", unit)
        object.__setattr__(self, "dtype", dtype)


@dataclass(frozen=True, slots=True)
class Unit:
    """Unit of a scalar field, as an annotation."""

    unit: str


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a message type, as read from its annotation.

    Attributes:
        name: of the field.
        kind: `array`, `float`, `int`, `bool`, `str` or `strings` (a tuple of str).
        optional: whether it may be None.
        array: shape, unit and dtype, for arrays.
        unit: SI unit, empty when there is none.
    """

    name: str
    kind: str
    optional: bool
    array: Array | None
    unit: str


_SCALARS: dict[object, str] = {float: "float", int: "int", bool: "bool", str: "str"}


def without_none(annotation: Any) -> tuple[Any, bool]:
    """Split `T | None` into (T, True); any other annotation into (itself, False)."""
    if get_origin(annotation) in (Union, types.UnionType):
        rest = [arg for arg in get_args(annotation) if arg is not type(None)]
        if len(rest) < len(get_args(annotation)):
            return (rest[0] if len(rest) == 1 else Union[tuple(rest)]), True  # noqa: UP007
    return annotation, False


_schemas: dict[type[Message], tuple[Field, ...]] = {}


def schema(kind: type[Message]) -> tuple[Field, ...]:
    """Read the fields of a message type, in order.

    Raises:
        TypeError: the type is not a frozen dataclass, or a field has a type that cannot be encoded.
    """
    if kind in _schemas:
        return _schemas[kind]
    params = getattr(kind, "__dataclass_params__", None)
    if params is None or not params.frozen:
        raise TypeError(f"{kind.__name__} must be a frozen dataclass")
    hints = get_type_hints(kind, include_extras=True)
    found = tuple(_field(kind, entry.name, hints[entry.name]) for entry in fields(kind))  # type: ignore[arg-type]
    _schemas[kind] = found
    return found


def _field(owner: type, name: str, annotation: Any) -> Field:
    annotation, optional = without_none(annotation)
    notes: tuple[Any, ...] = ()
    if get_origin(annotation) is Annotated:
        annotation, *rest = get_args(annotation)
        notes = tuple(rest)
        annotation, inner = without_none(annotation)
        optional = optional or inner
    for note in notes:
        if isinstance(note, Array):
            return Field(name, "array", optional, note, note.unit)
    unit = next((note.unit for note in notes if isinstance(note, Unit)), "")
    # A NewType such as Time is encoded as the type it wraps.
    annotation = getattr(annotation, "__supertype__", annotation)
    if annotation in _SCALARS:
        return Field(name, _SCALARS[annotation], optional, None, unit)
    if get_origin(annotation) is tuple and get_args(annotation) == (str, ...):
        return Field(name, "strings", optional, None, unit)
    raise TypeError(
        f"{owner.__name__}.{name}: a message field is an array annotated with Array(...), a float, int, bool, str "
        f"or tuple[str, ...], not {annotation}"
    )
