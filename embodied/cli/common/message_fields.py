"""Fields of a message type with their types and units, as data and as text."""

from __future__ import annotations

from typing import Any

from embodied.messages.schema import Field, Message, schema


def describe_fields(kind: type[Message]) -> list[dict[str, Any]]:
    """Describe the fields of a message type as plain data."""
    return [
        {"name": field.name, "type": field_type(field), "unit": field.unit, "optional": field.optional}
        for field in schema(kind)
    ]


def field_line(field: dict[str, Any]) -> str:
    """Format one entry of `describe_fields`: `position: float64 (n) [rad]`."""
    unit = f" [{field['unit']}]" if field["unit"] else ""
    return f"{field['name']}: {field['type']}{unit}{' or None' if field['optional'] else ''}"


def field_type(field: Field) -> str:
    """Return the type of a field: `float`, `float64 (n)`."""
    if field.array is None:
        return "several texts" if field.kind == "strings" else field.kind
    return f"{field.array.dtype} ({', '.join(map(str, field.array.shape))})"
