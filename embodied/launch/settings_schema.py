"""JSON Schema of settings: the fields of a class with their types, bounds, units and defaults."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import numpy as np

from embodied.launch.descriptions import about_settings
from embodied.messages.schema import without_none
from embodied.node.node import bounds
from embodied.node.settings import field_types, name_of
from embodied.plain_data import plain
from embodied.robot import Robot

Schema = dict[str, Any]

REFERENCE = r"\$\{(args\.[A-Za-z_][A-Za-z0-9_]*|env:[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?)\}"
"""Pattern of a reference, which may stand for any scalar."""

_RATE = r"^\s*\d{1,15}(\.\d{1,15})?([eE][-+]?\d{1,2})?(/\d{1,15})?\s*$"
RATE: Schema = {
    "type": ["number", "string", "null"],
    "exclusiveMinimum": 0,
    "maximum": 100_000,
    "pattern": f"{_RATE}|{REFERENCE}",
    "patternErrorMessage": "Expected a rate in Hz, such as 30 or '30000/1001'.",
}


def number(kind: str, expected: str, **limits: float) -> Schema:
    """Return the JSON Schema of a setting that is a number, or a reference to one.

    Args:
        kind: `number`, `integer` or `boolean`.
        expected: description for the error message of an editor.
        limits: bounds, by the keywords of JSON Schema.
    """
    text = {"pattern": REFERENCE, "patternErrorMessage": f"Expected {expected}."}
    return {"type": [kind, "string", "null"], **limits, **text}


def fields(kind: type[Any], robots: Iterable[str]) -> Schema:
    """Return the JSON Schema of a dataclass's settings.

    Args:
        kind: the class.
        robots: names of robots that a setting may name.
    """
    types_, descriptions = field_types(kind), about_settings(kind)
    properties: Schema = {}
    for entry in dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ():
        if not entry.init:
            continue
        inner = _value(types_[entry.name], robots)
        limits = bounds(kind).get(entry.name)
        if limits is not None:
            inner |= {"minimum": limits.low, "maximum": limits.high}
        unit = f"[{limits.unit}]" if limits is not None and limits.unit else ""
        words = [
            descriptions.get(entry.name, ""),
            unit,
            f"({name_of(types_[entry.name])})",
            "" if limits is None else "tunable",
        ]
        inner["description"] = " ".join(word for word in words if word)
        # The path of a file that ships differs from machine to machine.
        if not (entry.default is dataclasses.MISSING or isinstance(entry.default, Path)):
            inner["default"] = plain(entry.default)
        properties[entry.name] = inner
    shape = {"type": ["object", "null"], "properties": properties, "additionalProperties": False}
    return {"title": kind.__name__, **shape}


def _value(annotation: Any, robots: Iterable[str]) -> Schema:
    """Return the schema of one setting; a reference may stand for a scalar or a list, and null removes."""
    inner, _ = without_none(annotation)
    expected = f"{name_of(inner)}, or a reference such as ${{args.name}}"
    origin = get_origin(inner)
    if inner in (float, int):
        return number("number" if inner is float else "integer", expected)
    if inner is bool:
        return number("boolean", expected)
    if inner in (str, Path):
        return {"type": ["string", "null"]}
    if inner is Fraction:
        return dict(RATE)
    if inner is Robot or origin is Literal:
        known = sorted(robots) if inner is Robot else list(get_args(inner))
        return {"anyOf": [{"enum": [*known, None]}, {"type": "string", "pattern": REFERENCE}]}
    if origin is np.ndarray or inner is np.ndarray:
        return _sequence(_rows(), expected)
    if origin in (tuple, list):
        args = get_args(inner)
        sequence = _sequence(_value(args[0], robots), expected)
        if origin is tuple and Ellipsis not in args:
            sequence |= {"items": [_value(arg, robots) for arg in args], "minItems": len(args), "maxItems": len(args)}
        return sequence
    if origin is dict:
        return {"type": ["object", "null"], "additionalProperties": _value(get_args(inner)[1], robots)}
    if dataclasses.is_dataclass(inner) and isinstance(inner, type):
        return fields(inner, robots)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_value(arg, robots) for arg in get_args(inner)]}
    return {}


def _rows() -> Schema:
    """Return the schema of an array's items: numbers, or rows of them."""
    return {"type": ["number", "string", "array"], "pattern": REFERENCE}


def _sequence(items: Schema, expected: str) -> Schema:
    text = {"pattern": f"^{REFERENCE}$", "patternErrorMessage": f"Expected {expected}."}
    return {"type": ["array", "string", "null"], "items": items, **text}
