"""Reading of a suite's files as plain data of a stated shape: what was bent meanwhile is shown with its place.

A shape is a type, a tuple of alternatives, a list of one shape for all its items or of one for each of several, or a
dict: with a key `...` one shape for all its entries, else a shape by key. A key that ends in `?` may be absent; keys
that are not named are ignored.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from embodied.untrusted.files import read_bytes
from embodied.untrusted.text import shown

MAX_SIZE = 500_000_000
"""Size of the largest file of a suite that is read [B]; a million seeds have one line each."""

_NAMES: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    list: "a list",
}


class Bent(ValueError):
    """Data of another shape than it was written in; the text names the place, what is expected, and what is there."""


def read_json(file: Path, shape: Any) -> Any:
    """Read a JSON file of a suite.

    Args:
        file: path of the file.
        shape: shape of its data.

    Raises:
        Bent: it is no JSON, or has another shape.
        OSError: it cannot be read.
    """
    try:
        text = read_bytes(file, MAX_SIZE).decode("utf-8")
    except UnicodeDecodeError:
        raise Bent("it is no text in UTF-8") from None
    return parse_json(text, shape)


def parse_json(text: str, shape: Any) -> Any:
    """Parse JSON text of a stated shape; see `read_json`."""
    try:
        data = json.loads(text)
    except RecursionError:
        raise Bent("it is nested too deeply") from None
    except ValueError as error:
        # A number of too many digits is one as well.
        raise Bent(f"it is no JSON: {str(error)[:100]}") from None
    check_shape(data, shape)
    return data


def check_shape(data: Any, shape: Any, place: str = "") -> None:
    """Check that plain data has a shape.

    Args:
        data: as JSON gives it.
        shape: see the module.
        place: keys that lead to it.

    Raises:
        Bent: it has another shape.
    """
    choices = shape if isinstance(shape, tuple) else (shape,)
    fitting = [choice for choice in choices if _fits(data, choice)]
    if not fitting:
        expected = " or ".join(_name(choice) for choice in choices)
        raise Bent(f"{place.lstrip('.') or 'its content'} must be {expected}, got {shown(data)}")
    (inner, *_) = fitting
    if isinstance(inner, list):
        if len(inner) > 1 and len(data) != len(inner):
            raise Bent(f"{place.lstrip('.') or 'its content'} must be a list of {len(inner)}, got {shown(data)}")
        for index, item in enumerate(data):
            check_shape(item, inner[index if len(inner) > 1 else 0], f"{place}[{index}]")
    elif isinstance(inner, dict) and ... in inner:
        for key, item in data.items():
            check_shape(item, inner[...], f"{place}.{key}")
    elif isinstance(inner, dict):
        _check_keys(data, inner, place)


def _check_keys(data: Mapping[str, Any], shape: Mapping[str, Any], place: str) -> None:
    for key, inner in shape.items():
        name = key.removesuffix("?")
        if name in data:
            check_shape(data[name], inner, f"{place}.{name}")
        elif name == key:
            raise Bent(f"{place.lstrip('.') or 'it'} has no '{name}'")


def _fits(data: Any, shape: Any) -> bool:
    if shape is None or isinstance(shape, str):
        return bool(data == shape)
    if shape is float:
        return isinstance(data, int | float) and not isinstance(data, bool) and -math.inf < data < math.inf
    if shape is int:
        # What a file of ours counts fits into 64 bits.
        return isinstance(data, int) and not isinstance(data, bool) and abs(data) < 1 << 63
    return isinstance(data, shape if isinstance(shape, type) else type(shape))


def _name(shape: Any) -> str:
    if shape is None or isinstance(shape, str):
        return "null" if shape is None else f"'{shape}'"
    return _NAMES[shape if isinstance(shape, type) else type(shape)]
