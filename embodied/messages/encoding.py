"""Encoding of messages as bytes, with a check of every field; the arrays become read-only.

Each topic has an encoder generated for its message type and the constraints of its port. The layout is fixed per type,
little endian: presence bits, dimensions and scalars by `struct`, then the arrays row by row, then the text as
MessagePack. Equal messages give equal bytes, so the digest of a run is taken over them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgpack
import numpy as np

from embodied.errors import WireError
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Array, Field, Message, schema

Encoder = Callable[[Any], bytes]
"""Function that checks a message and returns its bytes."""

_PACK = {"float": "d", "int": "q", "bool": "?"}


def encoder(kind: type[Message], topic: str = "", refined: Refinement | None = None) -> Encoder:
    """Generate a function that checks a message, makes its arrays read-only and returns its bytes.

    Args:
        kind: message type of the topic.
        topic: `node.port`, for errors.
        refined: constraints of the port.

    Returns:
        an encoder; it raises WireError with the field, what is expected and what it got.
    """
    refined = refined or Refinement()
    checked = Checked.of(kind, refined)
    names = {**checked.names, "join": b"".join, "packb": msgpack.packb, "pack": checked.head("").pack}
    arrays = [f"{v} if {v} is not None else b''" if field.optional else v for v, field in checked.arrays]
    texts = [f"packb(({', '.join(checked.texts)},))"] if checked.texts else []
    parts = [f"pack({', '.join(checked.first)})", *arrays, *texts]
    body = [*checked.lines, "try:", f"    return join(({', '.join(parts)},))", "except Exception: return mend(m)"]
    encode: Encoder = mended(kind, topic, refined, "m", body, names)
    return encode


def sealer(kind: type[Message], topic: str = "", refined: Refinement | None = None) -> Callable[[Any], None]:
    """Generate a function that checks a message and makes its arrays read-only, for subscribers in the same process.

    Args:
        kind: message type of the topic.
        topic: `node.port`, for errors.
        refined: constraints of the port.
    """
    refined = refined or Refinement()
    checked = Checked.of(kind, refined)
    seal: Callable[[Any], None] = mended(kind, topic, refined, "m", checked.lines, checked.names)
    return seal


@dataclass(slots=True)
class Checked:
    """Source, generated for the encoding, that checks the fields of a message `m`; anything unusual goes to `mend`.

    Attributes:
        lines: of the checks; after them `v0`, `v1`, … are the values of the fields.
        names: globals of the source.
        first: variables in the head of a layout: presence bits, dimensions, scalars.
        code: format of the scalars for `struct`.
        letters: variables of the dimensions that a letter stands for.
        arrays: array fields, with their variables.
        texts: variables of the text fields.
    """

    lines: list[str]
    names: dict[str, Any]
    first: list[str]
    code: str
    letters: list[str]
    arrays: list[tuple[str, Field]]
    texts: list[str]

    def head(self, more: str) -> struct.Struct:
        """Return the format of a layout's head, little endian and without gaps, with more fields behind it."""
        return struct.Struct(f"<I{len(self.letters)}i{self.code}{more}")

    @classmethod
    def of(cls, kind: type[Message], refined: Refinement, *, views: bool = False, arguments: str = "m") -> Checked:
        """Generate the checks of a message type.

        Args:
            kind: message type.
            refined: constraints of the port.
            views: whether arrays may be views of others, since they are copied at once.
            arguments: of `mend`.
        """
        mend = f"return mend({arguments})"
        names: dict[str, Any] = {"kind": kind, "ndarray": np.ndarray}
        sizes = dict.fromkeys(d for f in schema(kind) if f.array for d in f.array.shape if isinstance(d, str))
        letters = [dimension(size) for size in sizes]
        checked = cls([f"if m.__class__ is not kind: {mend}", "present = 0"], names, [], "", letters, [], [])
        checked.lines += [f"{dimension(size)} = {refined.sizes.get(size, -1)}" for size in sizes]
        scalars: list[str] = []
        for index, field in enumerate(schema(kind)):
            v = f"v{index}"
            checked.lines.append(f"{v} = m.{field.name}")
            lines: list[str] = []
            if field.array is not None:
                names[f"d{index}"] = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
                lines += _array_lines(v, index, field.array, mend, views)
                checked.arrays.append((v, field))
            elif field.kind in _PACK:
                if field.kind == "bool":
                    lines.append(f"if {v}.__class__ is not bool: {mend}")
                checked.code += _PACK[field.kind]
                scalars.append(f"0 if {v} is None else {v}" if field.optional else v)
            else:
                of = "str" if field.kind == "str" else "tuple"
                lines.append(f"if {v}.__class__ is not {of}: {mend}")
                if field.kind == "strings":
                    lines += [f"for text in {v}:", f"    if text.__class__ is not str: {mend}"]
                if field.name == "frame" and refined.frame is not None:
                    lines.append(f"if {v} != {refined.frame!r}: {mend}")
                checked.texts.append(v)
            if field.optional:
                checked.lines.append(f"if {v} is not None:")
                checked.lines.append(f"    present |= {1 << index}")
                lines = [f"    {line}" for line in lines]
            checked.lines += lines
        checked.first = ["present", *letters, *scalars]
        return checked


def dimension(letter: str) -> str:
    """Return the variable of the size that a letter stands for, in the generated source of an encoding."""
    return f"size_{letter}"


def mended(
    kind: type[Message], topic: str, refined: Refinement, arguments: str, body: list[str], names: dict[str, Any]
) -> Callable[..., Any]:
    """Compile a function of a message `m` whose `mend` copies unsuitable arrays and raises for wrong values."""
    strict = _compile(kind, arguments, body, {**names, "mend": partial(_give_up, topic)})
    return _compile(kind, arguments, body, {**names, "mend": partial(_mend, kind, topic, refined, strict)})


def _compile(kind: type[Message], arguments: str, body: list[str], names: dict[str, Any]) -> Callable[..., Any]:
    source = f"def generated({arguments}):\n" + "\n".join(f"    {line}" for line in body)
    exec(compile(source, f"<wire of {kind.__name__}>", "exec"), names)
    generated: Callable[..., Any] = names["generated"]
    return generated


def _array_lines(v: str, index: int, array: Array, mend: str, views: bool) -> list[str]:
    base = "" if views else f" or {v}.base is not None"
    lines = [
        f"if {v}.__class__ is not ndarray or {v}.dtype is not d{index}{base}: {mend}",
        f"shape = {v}.shape",
        f"if len(shape) != {len(array.shape)}: {mend}",
    ]
    for axis, size in enumerate(array.shape):
        if isinstance(size, int):
            lines.append(f"if shape[{axis}] != {size}: {mend}")
        else:
            name = dimension(size)
            lines.append(f"if {name} < 0: {name} = shape[{axis}]")
            lines.append(f"elif shape[{axis}] != {name}: {mend}")
    return [*lines, f"{v}.setflags(write=False)"]


def _mend(
    kind: type[Message], topic: str, refined: Refinement, strict: Callable[..., Any], message: Any, *where: Any
) -> Any:
    """Raise for a wrong value; where only the memory is unsuitable (a view, another order), copy it and go on."""
    named = f"{topic}: " if topic else ""
    if type(message) is not kind:
        raise WireError(f"{named}expected {kind.__name__}, got {type(message).__name__}")
    sizes = dict(refined.sizes)
    for field in schema(kind):
        value = getattr(message, field.name)
        wrong = _wrong(field, value, refined, sizes)
        if wrong:
            raise WireError(f"{named}{kind.__name__}.{field.name}: {wrong}")
        if field.array is not None and value is not None:
            # A view could still be written through its base; a copy cannot.
            dtype = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
            object.__setattr__(message, field.name, np.array(value, dtype=dtype, order="C", copy=True, subok=False))
    return strict(message, *where)


def _give_up(topic: str, message: Any, *_: Any) -> Any:
    raise WireError(f"{topic}: cannot encode {summary(message)}")


def _wrong(field: Field, value: Any, refined: Refinement, sizes: dict[str, int]) -> str:
    """Explain what is wrong with a value; empty where nothing is."""
    if value is None:
        return "" if field.optional else "expected a value, got None"
    if field.array is None:
        return _wrong_scalar(field, value, refined)
    dtype = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
    unit = f" [{field.unit}]" if field.unit else ""
    shape = "(" + ", ".join(str(sizes.get(d, d)) if isinstance(d, str) else str(d) for d in field.array.shape) + ")"
    expected = f"expected an array of {dtype.name} of shape {shape}{unit}, got "
    if not isinstance(value, np.ndarray):
        return f"{expected}{_short(value)}; make it one with np.array(…)"
    fits = value.ndim == len(field.array.shape) and bool(value.dtype == dtype)
    for size, length in zip(field.array.shape, value.shape, strict=False):
        want = sizes.setdefault(size, length) if isinstance(size, str) else size
        fits = fits and want == length
    return "" if fits else f"{expected}{value.dtype.name} of shape {value.shape}"


def _wrong_scalar(field: Field, value: Any, refined: Refinement) -> str:
    if field.kind == "strings":
        fits = type(value) is tuple and all(type(text) is str for text in value)
        return "" if fits else f"expected a tuple of str, got {_short(value)}"
    if field.name == "frame" and refined.frame is not None and value != refined.frame:
        return f"expected the frame '{refined.frame}', got {_short(value)}"
    if field.kind == "float":
        fits = isinstance(value, int | float | np.floating) and not isinstance(value, bool)
    elif field.kind == "int":
        whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
        fits = whole and -(2**63) <= int(value) < 2**63
    else:
        fits = type(value).__name__ == field.kind
    return "" if fits else f"expected {field.kind}, got {_short(value)}"


def _short(value: object) -> str:
    text = repr(value)
    return f"{type(value).__name__} {text if len(text) <= 60 else text[:57] + '…'}"


def summary(message: object) -> str:
    """Format a message in one line, for people: small arrays in full, large ones by shape and range."""
    if message is None or not isinstance(message, Message):
        return _short(message) if message is not None else "None"
    parts = [f"{field.name}={shown(getattr(message, field.name))}" for field in schema(type(message))]
    return f"{type(message).__name__}({', '.join(parts)})"


def shown(value: object, most: int = 8) -> str:
    """Format the value of a message's field, for people.

    Args:
        value: of the field.
        most: number of elements above which an array is shown by shape and range.
    """
    if isinstance(value, np.ndarray):
        if value.size <= most:
            return np.array2string(value, precision=4, suppress_small=True, separator=", ").replace("\n", "")
        return f"{value.dtype.name}{value.shape}, {value.min():.4g} to {value.max():.4g}"
    if isinstance(value, np.generic):
        value = value.item()
    return f"{value:.6g}" if isinstance(value, float) else repr(value)
