"""Law 7 for models: all that a node will need from the file is proven at check; what is there is what was hashed."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from embodied.errors import ResultRejected
from embodied.graph.graph import Graph
from embodied.messages import Array
from embodied.suite.fingerprint import fingerprint
from policies.perception.model_card import ModelCard
from policies.perception.model_file import digest
from policies.perception.onnx_node import OnnxNode
from tests.policies.perception.models import FLOAT, model, operator, tensor, value, weights
from tests.policies.perception.test_onnx_node import Echo, card, identity


@dataclass(kw_only=True)
class Found(OnnxNode):
    inputs = {"image": Array("1 3", "", "float32")}
    outputs = {"boxes": Array("1 4", "", "float32")}


@dataclass(kw_only=True)
class Many(OnnxNode):
    inputs = {"image": Array("1 3", "", "float32")}
    outputs = {"boxes": Array("n 4", "", "float32"), "scores": Array("n", "", "float32")}


def only_problem(node: OnnxNode) -> str:
    (problem,) = node.check()
    assert "\n" not in problem
    return problem


def boxes(path: Path, shape: tuple[int, ...], *, stated: tuple[int | str, ...] | None = None) -> Path:
    """Write a model that answers every image with zeros of a shape that nobody can infer, and states one, or none."""
    return model(
        path,
        nodes=[
            operator("Compress", ["boxes_", "all"], ["boxes"], axis=0),
            operator("Identity", ["image"], ["rest"]),
        ],
        initializers=[
            tensor("boxes_", FLOAT, shape, bytes(4 * shape[0] * shape[1])),
            tensor("all", BOOL, shape[:1], b"\1" * shape[0]),
        ],
        inputs=[value("image", FLOAT, (1, 3))],
        outputs=[value("boxes", FLOAT, stated), value("rest", FLOAT, (1, 3))],
    )


@pytest.mark.parametrize("stated", [None, ("k", "m"), ("k", 4)], ids=["no shape", "letters", "a letter"])
def test_a_shape_that_the_model_leaves_open_is_looked_at_when_it_is_checked(
    tmp_path: Path, stated: tuple[int | str, ...] | None
) -> None:
    right = Found(model=boxes(tmp_path / "right.onnx", (1, 4), stated=stated))
    assert list(right.check()) == []
    right.open()
    assert right.run(image=np.zeros((1, 3), np.float32))["boxes"].shape == (1, 4)
    wrong = Found(model=boxes(tmp_path / "wrong.onnx", (3, 4), stated=stated))
    assert "output 'boxes' must have shape (1, 4), got (3, 4) for an input of zeros" in only_problem(wrong)
    wrong.open()
    with pytest.raises(ResultRejected, match=r"output 'boxes' must have shape \(1, 4\), got \(3, 4\)"):
        wrong.run(image=np.zeros((1, 3), np.float32))


def test_a_declared_letter_has_one_value_in_all_outputs_and_may_be_fixed(tmp_path: Path) -> None:
    def detections(name: str, scores: int) -> Path:
        return model(
            tmp_path / name,
            nodes=[
                operator("Identity", ["boxes_"], ["boxes"]),
                operator("Identity", ["scores_"], ["scores"]),
                operator("Identity", ["image"], ["rest"]),
            ],
            initializers=[
                tensor("boxes_", FLOAT, (5, 4), bytes(80)),
                tensor("scores_", FLOAT, (scores,), bytes(4 * scores)),
            ],
            inputs=[value("image", FLOAT, (1, 3))],
            outputs=[value("boxes", FLOAT, (5, 4)), value("scores", FLOAT, (scores,)), value("rest", FLOAT, (1, 3))],
        )

    assert list(Many(model=detections("right.onnx", 5)).check()) == []
    problem = only_problem(Many(model=detections("wrong.onnx", 6)))
    assert "output 'scores' must have shape (n), got (6)" in problem


def external(path: Path, content: bytes, name: str = "weights.bin") -> Path:
    """Write a model that adds weights from a second file."""
    (path.parent / name).write_bytes(content)
    return model(
        path,
        nodes=[operator("Add", ["image", "w"], ["same"])],
        initializers=[weights("w", FLOAT, (1, 3), name)],
        inputs=[value("image", FLOAT, (1, 3))],
        outputs=[value("same", FLOAT, (1, 3))],
    )


ONES = np.ones(3, np.float32).tobytes()


def test_weights_in_a_second_file_are_a_part_of_the_model(tmp_path: Path) -> None:
    node = Echo(model=external(tmp_path / "echo.onnx", ONES))
    card(node.model, digest(node.model))
    assert list(node.check()) == []
    node.open()
    np.testing.assert_array_equal(node.run(image=np.zeros((1, 3), np.float32))["same"], [[1.0, 1.0, 1.0]])
    before = graph_fingerprint(node)
    (tmp_path / "weights.bin").write_bytes(bytes(12))
    assert "is not the model its card describes" in only_problem(node)
    with pytest.raises(ValueError, match="is not the model its card describes"):
        node.open()
    assert graph_fingerprint(node) != before
    (tmp_path / "weights.bin").unlink()
    assert "keeps weights in 'weights.bin', which is not beside it: bring both files" in only_problem(node)


def graph_fingerprint(node: OnnxNode) -> str:
    graph = Graph()
    graph.add("echo", node)
    return fingerprint(graph)


def test_the_digest_of_a_model_in_one_file_is_that_of_the_file(tmp_path: Path) -> None:
    import hashlib

    echo = identity(tmp_path / "echo.onnx")
    assert digest(echo) == hashlib.sha256(echo.read_bytes()).hexdigest()


VENDOR = """\
# Ultralytics YOLOv8 object detection model
nc: 80
scales: {n: [0.33, 0.25, 1024]}
backbone:
  - [-1, 1, Conv, [64, 3, 2]]
names: {0: person, 1: bicycle}
"""


def test_a_vendors_file_of_the_same_name_is_no_card(tmp_path: Path) -> None:
    echo = identity(tmp_path / "yolov8n.onnx")
    (tmp_path / "yolov8n.yaml").write_text(VENDOR)
    assert list(Echo(model=echo).check()) == []
    (tmp_path / "yolov8n.yaml").write_text(VENDOR + "sha256: 12\n")
    assert "the model card" in only_problem(Echo(model=echo))


@pytest.mark.parametrize(
    "text",
    [
        "[" * 5000,
        "a: &a [*a]\nsha256: *a",
        "sha256: 12\n" * 3,
        "sha256: 2026-99-99",
        "\0",
        "sha256: !!python/object:os.system {}",
        "&a [&b [x,x,x,x,x,x,x,x,x],*b,*b,*b,*b,*b,*b,*b,*b]",
    ],
)
def test_a_card_that_is_bent_is_one_sentence(tmp_path: Path, text: str) -> None:
    echo = identity(tmp_path / "echo.onnx")
    ModelCard.beside(echo).write_text(text)
    problem = only_problem(Echo(model=echo))
    assert "the model card" in problem
    assert len(problem) < 700


def test_a_card_whose_values_have_other_types_is_refused(tmp_path: Path) -> None:
    echo = identity(tmp_path / "echo.onnx")
    card(echo, digest(echo))
    text = ModelCard.beside(echo).read_text()
    for old, new, problem in (
        ("name: echo", "name: [echo]", "name must be text, got ['echo']"),
        ("scores: {}", "scores: 3", "scores must be a mapping"),
        ("training_seeds:\n- [10, 20]", "training_seeds: {a: 1}", "training_seeds must be a list"),
    ):
        assert old in text
        ModelCard.beside(echo).write_text(text.replace(old, new))
        assert problem in only_problem(Echo(model=echo))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "is a Git LFS pointer, not the model"),
        (b"", "is empty"),
        (b"PK\x03\x04" + bytes(60), "is a zip archive, as PyTorch writes"),
        (b"<!DOCTYPE html><html>404</html>", "is a web page"),
        (b"this is not a model", "is not a model that ONNX Runtime can load"),
    ],
)
def test_what_is_often_taken_for_a_model_is_named(tmp_path: Path, content: bytes, problem: str) -> None:
    (tmp_path / "echo.onnx").write_bytes(content)
    assert problem in only_problem(Echo(model=tmp_path / "echo.onnx"))


@pytest.mark.parametrize(("opset", "ir"), [(99, 8), (17, 99)])
def test_a_model_of_a_newer_format_says_so(tmp_path: Path, opset: int, ir: int) -> None:
    newer = model(
        tmp_path / "echo.onnx",
        nodes=[operator("Identity", ["image"], ["same"])],
        inputs=[value("image", FLOAT, (1, 3))],
        outputs=[value("same", FLOAT, (1, 3))],
        opset=opset,
        ir=ir,
    )
    problem = only_problem(Echo(model=newer))
    assert f"another ONNX Runtime than {onnxruntime.__version__}, which is installed: update" in problem


BOOL = 9
BFLOAT16 = 16


@pytest.mark.parametrize("kind", [BFLOAT16, 17])
def test_an_element_type_that_numpy_does_not_have_is_refused(tmp_path: Path, kind: int) -> None:
    @dataclass(kw_only=True)
    class Brain(OnnxNode):
        inputs = {"image": Array("1 3", "", "float32")}
        outputs = {"same": Array("1 3", "", "bfloat16")}

    path = model(
        tmp_path / "brain.onnx",
        nodes=[operator("Cast", ["image"], ["same"], to=kind)],
        inputs=[value("image", FLOAT, (1, 3))],
        outputs=[value("same", kind, (1, 3))],
    )
    assert "which NumPy does not have; export it with that type" in only_problem(Brain(model=path))
    assert "output 'same' must be float32, got" in only_problem(Echo(model=path))


def test_a_sequence_in_place_of_a_tensor_is_refused_with_its_whole_type(tmp_path: Path) -> None:
    path = model(
        tmp_path / "list.onnx",
        nodes=[operator("SequenceConstruct", ["image"], ["same"])],
        inputs=[value("image", FLOAT, (1, 3))],
        outputs=[value("same", FLOAT, (1, 3), sequence=True)],
    )
    problem = only_problem(Echo(model=path))
    assert "output 'same' must be a tensor of float32, got seq(tensor(float)); export it with tensors alone" in problem


def test_it_is_loaded_once_when_it_is_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []

    class Counted(onnxruntime.InferenceSession):  # type: ignore[misc]
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            loads.append(args[0])
            super().__init__(*args, **kwargs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", Counted)
    node = Echo(model=identity(tmp_path / "echo.onnx"))
    node.open()
    assert len(loads) == 1


def test_what_is_no_file_with_an_end_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.onnx")
    huge = tmp_path / "huge.onnx"
    huge.touch()
    os.truncate(huge, 1 << 40)
    began = time.monotonic()
    assert "there is no model file" in only_problem(Echo(model=tmp_path / "pipe.onnx"))
    assert "no ONNX file has more than" in only_problem(Echo(model=huge))
    echo = identity(tmp_path / "echo.onnx")
    os.mkfifo(ModelCard.beside(echo))
    assert "cannot be read: it is no file with content, but a pipe" in only_problem(Echo(model=echo))
    assert time.monotonic() - began < 3.0
