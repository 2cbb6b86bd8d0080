"""An ONNX model that does not fit is refused in one clear sentence, before anything runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from embodied.messages import Array
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.perception.onnx_node import OnnxNode

FLOAT, BYTE = 1, 2  # TensorProto.DataType in onnx.proto


@dataclass(kw_only=True)
class Echo(OnnxNode):
    inputs = {"image": Array("1 3", "", "float32")}
    outputs = {"same": Array("1 3", "", "float32")}


@dataclass(kw_only=True)
class AnyLength(OnnxNode):
    inputs = {"image": Array("1 k", "", "float32")}
    outputs = {"same": Array("1 k", "", "float32")}


def field(number: int, value: int | str | bytes) -> bytes:
    """One field in protobuf's wire format; every number here is below 128."""
    if isinstance(value, int):
        return bytes([number << 3, value])
    data = value.encode() if isinstance(value, str) else value
    return bytes([number << 3 | 2, len(data)]) + data


def tensor(name: str, kind: int, shape: tuple[int | str, ...]) -> bytes:
    sizes = b"".join(field(1, field(1, size) if isinstance(size, int) else field(2, size)) for size in shape)
    return field(1, name) + field(2, field(1, field(1, kind) + field(2, sizes)))


def identity(
    path: Path, given: str = "image", gives: str = "same", kind: int = FLOAT, shape: tuple[int | str, ...] = (1, 3)
) -> Path:
    """Write a model with one Identity operator, field by field as onnx.proto numbers them."""
    node = field(1, given) + field(2, gives) + field(4, "Identity")
    graph = (
        field(1, node) + field(2, "g") + field(11, tensor(given, kind, shape)) + field(12, tensor(gives, kind, shape))
    )
    path.write_bytes(field(1, 8) + field(7, graph) + field(8, field(2, 17)))
    return path


def card(model: Path, sha256: str) -> ModelCard:
    written = ModelCard(
        name="echo",
        purpose="Says the same.",
        sha256=sha256,
        licence="Apache-2.0",
        script="none",
        inputs={},
        outputs={},
        training_seeds=((10, 20),),
        validation_seeds=((20, 30),),
        data="None.",
        scores={},
    )
    written.write(ModelCard.beside(model))
    return written


def only_problem(node: OnnxNode) -> str:
    (problem,) = node.check()
    assert "\n" not in problem
    with pytest.raises(ValueError, match="^" + problem[:20].replace("(", ".")):
        node.open()
    return problem


def test_a_model_that_fits_runs_and_gives_what_is_declared(tmp_path: Path) -> None:
    node = Echo(model=identity(tmp_path / "echo.onnx"))
    assert list(node.check()) == []
    node.open()
    image = np.array([[1.0, 2.0, 3.0]], np.float32)
    np.testing.assert_array_equal(node.run(image=image)["same"], image)
    node.close()


def test_a_missing_model_names_the_nearest_one(tmp_path: Path) -> None:
    identity(tmp_path / "blocks.onnx")
    assert "did you mean 'blocks.onnx'?" in only_problem(Echo(model=tmp_path / "block.onnx"))


def test_a_missing_model_in_an_empty_folder_says_so(tmp_path: Path) -> None:
    assert "no .onnx file is in" in only_problem(Echo(model=tmp_path / "block.onnx"))


def test_bytes_that_are_no_model_are_refused(tmp_path: Path) -> None:
    model = tmp_path / "echo.onnx"
    model.write_bytes(b"this is not a model")
    assert "is not a model that ONNX Runtime can load" in only_problem(Echo(model=model))


def test_an_input_of_another_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    problem = only_problem(Echo(model=identity(tmp_path / "echo.onnx", given="images")))
    assert problem.endswith("has no input 'image'; did you mean 'images'?")


def test_an_output_of_another_name_is_refused_with_the_nearest(tmp_path: Path) -> None:
    problem = only_problem(Echo(model=identity(tmp_path / "echo.onnx", gives="sane")))
    assert problem.endswith("has no output 'same'; did you mean 'sane'?")


def test_an_input_that_the_node_does_not_give_is_refused(tmp_path: Path) -> None:
    @dataclass(kw_only=True)
    class Silent(OnnxNode):
        outputs = {"same": Array("1 3", "", "float32")}

    assert "needs an input 'image' that this node does not declare" in only_problem(
        Silent(model=identity(tmp_path / "echo.onnx"))
    )


def test_another_shape_is_refused_with_both_shapes(tmp_path: Path) -> None:
    problems = list(Echo(model=identity(tmp_path / "echo.onnx", shape=(1, 4))).check())
    assert "input 'image' must have shape (1, 3), got (1, 4)" in problems[0]
    assert "output 'same' must have shape (1, 3), got (1, 4)" in problems[1]


def test_another_element_type_is_refused_with_both_types(tmp_path: Path) -> None:
    problems = list(Echo(model=identity(tmp_path / "echo.onnx", kind=BYTE)).check())
    assert "input 'image' must be float32, got uint8" in problems[0]


def test_an_open_dimension_takes_any_size_that_is_declared(tmp_path: Path) -> None:
    model = identity(tmp_path / "echo.onnx", shape=(1, "n"))
    assert list(Echo(model=model).check()) == []
    assert list(AnyLength(model=model).check()) == []


def test_a_size_that_changes_needs_an_open_dimension(tmp_path: Path) -> None:
    problems = list(AnyLength(model=identity(tmp_path / "echo.onnx")).check())
    assert "must have shape (1, k), got (1, 3)" in problems[0]


def test_a_model_that_is_not_its_cards_is_refused(tmp_path: Path) -> None:
    model = identity(tmp_path / "echo.onnx")
    card(model, "0" * 64)
    assert "is not the model its card describes" in only_problem(Echo(model=model))


def test_a_model_that_is_its_cards_is_taken(tmp_path: Path) -> None:
    model = identity(tmp_path / "echo.onnx")
    written = card(model, digest(model))
    assert list(Echo(model=model).check()) == []
    assert ModelCard.read(ModelCard.beside(model)) == written


@pytest.mark.parametrize("text", ["[", "- 1", "name: echo"])
def test_a_broken_card_is_refused(tmp_path: Path, text: str) -> None:
    model = identity(tmp_path / "echo.onnx")
    ModelCard.beside(model).write_text(text)
    assert "the model card" in only_problem(Echo(model=model))


def test_a_provider_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    node = Echo(model=identity(tmp_path / "echo.onnx"), provider="ElsewhereExecutionProvider")
    assert "provider 'ElsewhereExecutionProvider' is not available" in only_problem(node)


def test_no_threads_are_refused(tmp_path: Path) -> None:
    node = Echo(model=identity(tmp_path / "echo.onnx"), threads=0)
    assert only_problem(node) == "threads must be at least 1 and finite, got 0"
