"""Small ONNX models, written field by field as onnx.proto numbers them; the package `onnx` is not needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

FLOAT = 1
"""TensorProto.FLOAT in onnx.proto."""


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def field(number: int, content: int | str | bytes) -> bytes:
    """One field in protobuf's wire format."""
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    data = content.encode() if isinstance(content, str) else content
    return varint(number << 3 | 2) + varint(len(data)) + data


def value(name: str, kind: int, shape: Sequence[int | str] | None, *, sequence: bool = False) -> bytes:
    """ValueInfoProto: name, type, and shape, if one is stated."""
    sizes = b"".join(field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in shape or ())
    tensor_type = field(1, kind) + (b"" if shape is None else field(2, sizes))
    kind_of = field(1, tensor_type)
    return field(1, name) + field(2, field(4, field(1, kind_of)) if sequence else kind_of)


def tensor(name: str, kind: int, shape: Sequence[int], data: bytes) -> bytes:
    """TensorProto with its data."""
    return b"".join(field(1, size) for size in shape) + field(2, kind) + field(8, name) + field(9, data)


def weights(name: str, kind: int, shape: Sequence[int], file: str) -> bytes:
    """TensorProto with its data in a second file."""
    entry = field(1, "location") + field(2, file)
    head = b"".join(field(1, size) for size in shape) + field(2, kind) + field(8, name)
    return head + field(13, entry) + field(14, 1)


def operator(kind: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: int) -> bytes:
    """NodeProto with attributes that are integers."""
    head = b"".join(field(1, name) for name in inputs) + b"".join(field(2, name) for name in outputs) + field(4, kind)
    return head + b"".join(
        field(5, field(1, name) + field(3, number) + field(20, 2)) for name, number in attributes.items()
    )


def model(
    path: Path,
    *,
    nodes: Sequence[bytes],
    inputs: Sequence[bytes],
    outputs: Sequence[bytes],
    initializers: Sequence[bytes] = (),
    opset: int = 17,
    ir: int = 8,
) -> Path:
    """Write a ModelProto."""
    graph = b"".join(
        field(number, item)
        for number, items in ((1, nodes), (2, ["g"]), (5, initializers), (11, inputs), (12, outputs))
        for item in items
    )
    path.write_bytes(field(1, ir) + field(7, graph) + field(8, field(2, opset)))
    return path
