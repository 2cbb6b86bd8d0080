from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn

import embodied.messages as vocabulary
from embodied import Time
from embodied.errors import WireError
from embodied.messages import Array, Detections, Image, JointCommand, JointState, Message, Vector
from embodied.messages.constraints import Refinement
from embodied.messages.encoding import encoder, summary
from embodied.messages.schema import Field, schema

KINDS = [
    kind
    for name in vocabulary.__all__
    if isinstance(kind := getattr(vocabulary, name), type)
    and issubclass(kind, Message)
    and hasattr(kind, "__match_args__")
    and kind.__name__ not in ("Message", "Command")
]


def value_for(field: Field, sizes: dict[str, int]) -> Any:
    if field.array is not None:
        shape = tuple(sizes[d] if isinstance(d, str) else d for d in field.array.shape)
        return np.arange(int(np.prod(shape)), dtype=field.array.dtype).reshape(shape).copy()
    return {"float": 1.5, "int": 3, "bool": True, "str": "base", "strings": ("a", "b")}[field.kind]


def example(kind: type[Message]) -> Any:
    sizes = {"n": 3, "k": 2, "h": 4, "w": 5}
    return kind(**{field.name: value_for(field, sizes) for field in schema(kind)})


def state(position: Any = None, velocity: Any = None) -> JointState:
    position = np.zeros(2) if position is None else position
    velocity = np.zeros(2) if velocity is None else velocity
    return JointState(position=position, velocity=velocity, acquired=Time(0))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_message_of_the_vocabulary_crosses_the_wire_and_is_sealed(kind: type[Message]) -> None:
    message = example(kind)
    payload = encoder(kind, "node.port")(message)
    assert payload == encoder(kind, "other.port")(example(kind))
    for field in schema(kind):
        if field.array is not None:
            with pytest.raises(ValueError, match="read-only"):
                getattr(message, field.name)[...] = 0


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_change_in_any_field_changes_the_bytes(kind: type[Message]) -> None:
    encode = encoder(kind)
    before = encode(example(kind))
    for field in schema(kind):
        value = value_for(field, {"n": 3, "k": 2, "h": 4, "w": 5})
        changed = (
            value + 1
            if field.kind in ("array", "float", "int")
            else {"bool": False, "str": "x", "strings": ("a",)}[field.kind]
        )
        if isinstance(changed, np.ndarray):
            changed = changed.astype(value.dtype)
        assert encode(replace(example(kind), **{field.name: changed})) != before, field.name


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_absent_field_differs_from_any_value_and_only_optional_ones_may_be_absent(kind: type[Message]) -> None:
    encode = encoder(kind)
    before = encode(example(kind))
    for field in schema(kind):
        absent = replace(example(kind), **{field.name: None})
        if field.optional:
            assert encode(absent) != before
        else:
            with pytest.raises(WireError, match=rf"{kind.__name__}\.{field.name}: expected"):
                encode(absent)


@pytest.mark.parametrize(
    ("position", "says"),
    [
        (np.zeros(3), r"shape \(2\) \[rad\], got float64 of shape \(3,\)"),
        (np.zeros((2, 1)), r"got float64 of shape \(2, 1\)"),
        (np.zeros(2, np.float32), "expected an array of float64.*got float32"),
        ([0.0, 0.0], r"got list \[0.0, 0.0\]"),
        (1.0, "got float 1.0"),
    ],
)
def test_what_does_not_fit_is_named_with_what_was_expected(position: object, says: str) -> None:
    with pytest.raises(WireError, match=says):
        encoder(JointState, "arm.state", Refinement(sizes={"n": 2}))(state(position))


def test_a_letter_is_one_size_throughout_a_message() -> None:
    with pytest.raises(WireError, match="velocity"):
        encoder(JointState)(state(np.zeros(2), np.zeros(3)))


def test_a_message_of_another_type_is_refused() -> None:
    with pytest.raises(WireError, match=r"a\.b: expected JointCommand, got JointState"):
        encoder(JointCommand, "a.b")(state())


def test_a_frame_that_a_port_fixes_is_checked() -> None:
    seen = example(Detections)
    with pytest.raises(WireError, match="expected the frame 'world'"):
        encoder(Detections, "", Refinement(frame="world"))(seen)


@given(hn.arrays(np.float64, 4))
def test_a_view_is_copied_so_that_its_base_cannot_change_what_was_published(values: Vector) -> None:
    base = values.copy()
    message = state(base[:2], base[2:])
    payload = encoder(JointState)(message)
    base[:] = 12345.0
    assert encoder(JointState)(message) == payload
    assert payload == encoder(JointState)(state(values[:2].copy(), values[2:].copy()))


@given(st.sampled_from(["C", "F"]), st.booleans())
def test_the_order_of_memory_does_not_show(order: Any, flipped: bool) -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    data = np.array(pixels, order=order)
    if flipped:
        data = np.ascontiguousarray(pixels[::-1])[::-1]
    plain = Image(data=pixels.copy(), acquired=Time(0))
    assert encoder(Image)(Image(data=data, acquired=Time(0))) == encoder(Image)(plain)


def test_a_message_type_with_a_field_no_wire_can_carry_is_refused() -> None:
    @dataclass(frozen=True)
    class Odd(Message):
        table: dict[str, int]

    with pytest.raises(TypeError, match=r"Odd.table: a message field is"):
        schema(Odd)


def test_a_summary_is_one_line_however_large_the_message() -> None:
    image = Image(data=np.zeros((240, 320, 3), np.uint8), acquired=Time(1))
    assert summary(image) == "Image(data=uint8(240, 320, 3), 0 to 0, acquired=1)"
    assert "\n" not in summary(state())


def test_units_and_shapes_are_declared_for_every_number() -> None:
    for kind in KINDS:
        for field in schema(kind):
            if field.array is not None:
                assert isinstance(field.array, Array)
                assert field.array.shape
