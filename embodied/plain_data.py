"""Conversion of settings and results to plain data, and of plain data to JSON text."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from embodied.robot import Robot


def dumps(data: object, indent: int | None = 2) -> str:
    """Format plain data as JSON; numbers that JSON lacks, such as NaN, become text."""
    return json.dumps(_finite(data), indent=indent, allow_nan=False, default=str) + "\n"


def _finite(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    if isinstance(data, dict):
        return {str(key): _finite(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_finite(value) for value in data]
    return data


def describe(thing: object) -> dict[str, Any]:
    """Describe a node or a world as a launch file would: `use` and `with`."""
    kind = type(thing)
    settings: dict[str, Any] = {}
    if dataclasses.is_dataclass(thing):
        settings = {f.name: plain(getattr(thing, f.name)) for f in dataclasses.fields(thing) if f.init}
    return {"use": f"{kind.__module__}:{kind.__qualname__}", "with": settings}


def plain(value: Any) -> Any:
    """Convert the value of a setting to plain data."""
    if isinstance(value, Robot):
        return value.name
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    if isinstance(value, Path | Fraction):
        return str(value)
    if dataclasses.is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value
