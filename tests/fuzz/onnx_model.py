"""Fuzzer of ONNX models, as `check` and `open` of a model node take them."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime  # noqa: F401 - loading it is no part of the time that an input takes

from embodied.messages import Array
from policies.perception.onnx_node import OnnxNode
from tests.fuzz.harness import Kind
from tests.policies.perception.models import FLOAT, model, operator, tensor, value, weights


@dataclass(kw_only=True)
class Any3(OnnxNode):
    inputs = {"image": Array("1 3", "", "float32")}
    outputs = {"same": Array("n 3", "", "float32")}


def read(data: bytes, folder: Path) -> str:
    """Check and open a model, and run it once, if it is taken."""
    path = folder / "mine.onnx"
    path.write_bytes(data)
    node = Any3(model=path)
    if problems := list(node.check()):
        return "\n".join(problems)
    try:
        node.open()
    except ValueError as error:
        return str(error)
    try:
        assert node.run(image=np.ones((1, 3), np.float32))["same"].shape[1:] == (3,)
    except AssertionError:
        raise
    except Exception as error:  # what ONNX Runtime says about a model that cannot be run
        return str(error)[:1000]
    finally:
        node.close()
    return ""


def examples() -> list[bytes]:
    image, same = [value("image", FLOAT, (1, 3))], [value("same", FLOAT, ("n", 3))]
    ones = tensor("w", FLOAT, (1, 3), np.ones(3, np.float32).tobytes())
    alike = [operator("Identity", ["image"], ["same"])]
    added = [operator("Add", ["image", "w"], ["same"])]
    joined = [operator("Relu", ["image"], ["a"]), operator("Concat", ["a", "image"], ["same"], axis=0)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "one.onnx")
        return [
            model(path, nodes=nodes, initializers=values, inputs=image, outputs=same).read_bytes()
            for nodes, values in ((alike, []), (added, [ones]), (joined, []))
        ]


KIND = Kind(
    name="onnx",
    examples=examples,
    words=(
        b"Identity",
        b"Add",
        b"Loop",
        b"If",
        b"Reshape",
        b"ConstantOfShape",
        b"Cast",
        b"image",
        b"same",
        b"w",
        weights("w", FLOAT, (1, 3), "none.bin"),
        weights("w", FLOAT, (1, 3), "../mine.onnx"),
        b"\x08\x01\x12\x02",
    ),
    read=read,
    modules=("policies.perception",),
)
