"""The wire: a message becomes bytes, is checked, and its arrays become read-only.

Each topic has an encoder generated for its message type and what its port refines (sizes, frame, dtypes). The layout
is fixed per type, little endian: presence bits, dimensions and scalars by `struct`, then the arrays row by row, then
the text as MessagePack. Equal messages give equal bytes, so the digest of a run is taken over them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import partial
from typing import Any

import msgpack
import numpy as np

from embodied.errors import WireError
from embodied.messages.schema import Array, Field, Message, schema
from embodied.ports import Refinement

Encoder = Callable[[Any], bytes]

_PACK = {"float": "d", "int": "q", "bool": "?"}


def encoder(kind: type[Message], topic: str = "", refined: Refinement | None = None) -> Encoder:
    """A function that checks a message, seals its arrays and gives its bytes.

    Args:
        kind: the message type of the topic.
        topic: `node.port`, for its errors.
        refined: what the port fixes beyond the type.

    Returns:
        message -> bytes; raises WireError naming the field, what was expected and what came.
    """
    refined = refined or Refinement()
    strict = _compile(kind, refined, partial(_give_up, topic))
    return _compile(kind, refined, partial(_mend, kind, topic, refined, strict))


def _compile(kind: type[Message], refined: Refinement, mend: Encoder) -> Encoder:
    source, names = _generate(kind, refined)
    names["mend"] = mend
    exec(compile(source, f"<encoder of {kind.__name__}>", "exec"), names)
    encode: Encoder = names["encode"]
    return encode


def _generate(kind: type[Message], refined: Refinement) -> tuple[str, dict[str, Any]]:
    """Source of an encoder: one test per field, and anything unusual goes to `_mend`."""
    names: dict[str, Any] = {"kind": kind, "ndarray": np.ndarray, "join": b"".join, "packb": msgpack.packb}
    body: list[str] = ["if m.__class__ is not kind: return mend(m)", "present = 0"]
    letters: dict[str, None] = {}
    scalars: list[str] = []
    code = ""
    arrays: list[str] = []
    texts: list[str] = []
    fields = schema(kind)
    for letter in (d for f in fields if f.array for d in f.array.shape if isinstance(d, str)):
        letters.setdefault(letter)
    body += [f"{letter} = {refined.sizes.get(letter, -1)}" for letter in letters]
    for index, field in enumerate(fields):
        v = f"v{index}"
        body.append(f"{v} = m.{field.name}")
        lines: list[str] = []
        if field.array is not None:
            names[f"d{index}"] = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
            lines += _array_lines(v, index, field.array)
            arrays.append(f"{v} if {v} is not None else b''" if field.optional else v)
        elif field.kind in _PACK:
            if field.kind == "bool":
                lines.append(f"if {v}.__class__ is not bool: return mend(m)")
            code += _PACK[field.kind]
            scalars.append(f"0 if {v} is None else {v}" if field.optional else v)
        else:
            of = "str" if field.kind == "str" else "tuple"
            lines.append(f"if {v}.__class__ is not {of}: return mend(m)")
            if field.kind == "strings":
                lines += [f"for text in {v}:", "    if text.__class__ is not str: return mend(m)"]
            if field.name == "frame" and refined.frame is not None:
                lines.append(f"if {v} != {refined.frame!r}: return mend(m)")
            texts.append(v)
        if field.optional:
            body.append(f"if {v} is not None:")
            body.append(f"    present |= {1 << index}")
            lines = [f"    {line}" for line in lines]
        body += lines
    names["pack"] = struct.Struct(f"<I{len(letters)}i{code}").pack
    head = ", ".join(["present", *letters, *scalars])
    parts = [f"pack({head})", *arrays] + ([f"packb(({', '.join(texts)},))"] if texts else [])
    body += ["try:", f"    return join(({', '.join(parts)},))", "except Exception: return mend(m)"]
    return "def encode(m):\n" + "\n".join(f"    {line}" for line in body), names


def _array_lines(v: str, index: int, array: Array) -> list[str]:
    lines = [
        f"if {v}.__class__ is not ndarray or {v}.dtype is not d{index} or {v}.base is not None: return mend(m)",
        f"s = {v}.shape",
        f"if len(s) != {len(array.shape)}: return mend(m)",
    ]
    for axis, size in enumerate(array.shape):
        if isinstance(size, int):
            lines.append(f"if s[{axis}] != {size}: return mend(m)")
        else:
            lines.append(f"if {size} < 0: {size} = s[{axis}]")
            lines.append(f"elif s[{axis}] != {size}: return mend(m)")
    return [*lines, f"{v}.setflags(write=False)"]


def _mend(kind: type[Message], topic: str, refined: Refinement, strict: Encoder, message: Any) -> bytes:
    """Say what is wrong; or, where only the memory is unsuited (a view, another order), copy it and encode."""
    where = f"{topic}: " if topic else ""
    if type(message) is not kind:
        raise WireError(f"{where}expected {kind.__name__}, got {type(message).__name__}")
    sizes = dict(refined.sizes)
    for field in schema(kind):
        value = getattr(message, field.name)
        wrong = _wrong(field, value, refined, sizes)
        if wrong:
            raise WireError(f"{where}{kind.__name__}.{field.name}: {wrong}")
        if field.array is not None and value is not None:
            # A view could still be written through its base; a copy cannot.
            dtype = np.dtype(refined.dtypes.get(field.name, field.array.dtype))
            object.__setattr__(message, field.name, np.array(value, dtype=dtype, order="C", copy=True, subok=False))
    return strict(message)


def _give_up(topic: str, message: Any) -> bytes:
    raise WireError(f"{topic}: cannot encode {summary(message)}")


def _wrong(field: Field, value: Any, refined: Refinement, sizes: dict[str, int]) -> str:
    """What is wrong with a value, or nothing."""
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
    """A message in one line, for people: small arrays in full, large ones by shape and range."""
    if message is None or not isinstance(message, Message):
        return _short(message) if message is not None else "None"
    parts = []
    for field in schema(type(message)):
        value = getattr(message, field.name)
        if isinstance(value, np.ndarray):
            if value.size <= 8:
                shown = np.array2string(value, precision=4, suppress_small=True, separator=", ").replace("\n", "")
            else:
                span = f", {value.min():.4g} to {value.max():.4g}" if value.size else ""
                shown = f"{value.dtype.name}{value.shape}{span}"
        else:
            shown = f"{value:.6g}" if isinstance(value, float) else repr(value)
        parts.append(f"{field.name}={shown}")
    return f"{type(message).__name__}({', '.join(parts)})"
