"""Memory that looking at an ONNX model takes. The law: a small file that declares tensors of any size is one error."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from tests.policies.perception.test_onnx_node import FLOAT, AnyLength, field, identity, tensor

INT64 = 7


def varint(value: int) -> bytes:
    """One number in protobuf's wire format."""
    rest = value >> 7
    return bytes([value & 0x7F | (0x80 if rest else 0)]) + (varint(rest) if rest else b"")


def with_a_tensor_of(size: int, path: Path) -> Path:
    """Write a model that adds the largest element of a tensor of zeros to its input."""
    nodes = (
        field(1, "size") + field(2, "zeros") + field(4, "ConstantOfShape"),
        field(1, "zeros") + field(2, "most") + field(4, "ReduceMax"),
        field(1, "image") + field(1, "most") + field(2, "same") + field(4, "Add"),
    )
    length = field(1, 1) + field(2, INT64) + field(7, varint(size)) + field(8, "size")
    ports = field(11, tensor("image", FLOAT, (1, "n"))) + field(12, tensor("same", FLOAT, (1, "n")))
    graph = b"".join(field(1, node) for node in nodes) + field(2, "g") + field(5, length) + ports
    path.write_bytes(field(1, 8) + b"\x3a" + varint(len(graph)) + graph + field(8, field(2, 17)))
    return path


@pytest.mark.parametrize("size", [2**28, 2**33, 2**40])
def test_a_model_with_a_tensor_that_takes_gigabytes_is_one_error_in_bounded_memory(size: int, tmp_path: Path) -> None:
    limits = resource.getrlimit(resource.RLIMIT_AS)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model = with_a_tensor_of(size, tmp_path / "large.onnx")
    (problem,) = AnyLength(model=model).check()
    assert problem.startswith(
        f"{model} needs more than 640 MiB beside its files: a tensor in it is too large; export it"
    )
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 2**20
    assert resource.getrlimit(resource.RLIMIT_AS) == limits


def test_what_a_model_needs_below_the_bound_it_gets(tmp_path: Path) -> None:
    assert not [*AnyLength(model=with_a_tensor_of(2**20, tmp_path / "small.onnx")).check()]
    assert not [*AnyLength(model=identity(tmp_path / "echo.onnx", shape=(1, "n"))).check()]
