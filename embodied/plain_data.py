"""Plain data as JSON text."""

from __future__ import annotations

import json
import math
from typing import Any


def dumps(data: object, indent: int | None = 2) -> str:
    """JSON of plain data; what JSON cannot say, such as NaN, is said as text."""
    return json.dumps(_sayable(data), indent=indent, allow_nan=False, default=str) + "\n"


def _sayable(data: Any) -> Any:
    if isinstance(data, float) and not math.isfinite(data):
        return str(data)
    if isinstance(data, dict):
        return {str(key): _sayable(value) for key, value in data.items()}
    if isinstance(data, list | tuple):
        return [_sayable(value) for value in data]
    return data
