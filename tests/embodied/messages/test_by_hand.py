"""Messages that are published by hand. The law: a number that is none is refused at the door, in every field."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
import pytest

from embodied import messages
from embodied.messages import DroneCommand, Image, JointCommand, JointState, Target
from embodied.messages.by_hand import compose
from embodied.messages.encoding import encoder
from embodied.messages.schema import Array, Command, Field, Message, schema

KINDS = [
    kind
    for kind in (getattr(messages, name) for name in messages.__all__)
    if isinstance(kind, type) and issubclass(kind, Message) and kind not in (Message, Command)
]
NONE = (math.nan, math.inf, -math.inf)


@dataclass(frozen=True, slots=True, kw_only=True)
class Thrust(Command):
    """A message type of a project's own, with an array of half the precision."""

    share: Annotated[np.ndarray, Array("n", "N", "float32")]


def plain(field: Field) -> Any:
    """Return a good value of a field, as YAML gives it."""
    if field.array is None:
        return {"float": 0.5, "int": 3, "bool": True, "str": "base", "strings": ["a"]}[field.kind]
    return np.ones([size if isinstance(size, int) else 2 for size in field.array.shape], np.uint8).tolist()


def with_last(value: Any, last: Any) -> Any:
    """Replace the last number of nested lists."""
    return [*value[:-1], with_last(value[-1], last)] if isinstance(value, list) else last


@pytest.mark.parametrize("kind", [*KINDS, Thrust])
def test_a_message_of_good_numbers_is_published_and_one_with_a_number_that_is_none_is_refused(
    kind: type[Message],
) -> None:
    good = {field.name: plain(field) for field in schema(kind)}
    assert encoder(kind)(compose(kind, good, 0))
    for field in schema(kind):
        if field.array is None and field.kind != "float":
            continue
        for bad in NONE:
            values = [with_last(good[field.name], bad)]
            if field.array is not None:
                values.append({"shape": np.shape(good[field.name]), "fill": bad})
            for value in values:
                with pytest.raises(ValueError, match=rf"^{kind.__name__}\.{field.name} must be finite.*, got {bad}$"):
                    compose(kind, {**good, field.name: value}, 0)


@pytest.mark.parametrize(
    ("kind", "fields", "says"),
    [
        (JointCommand, {"gripper": 10**400}, r"JointCommand.gripper must be finite \[m\], got 1000"),
        (JointCommand, {"position": ["1", "2"]}, r"JointCommand.position must be numbers \[rad\], got \['1', '2'\]"),
        (JointCommand, {"position": ["nan"]}, r"JointCommand.position must be numbers \[rad\], got \['nan'\]"),
        (JointCommand, {"position": [None]}, r"must be numbers \[rad\], got \[None\]"),
        (JointCommand, {"position": [True]}, r"must be numbers \[rad\], got \[True\]"),
        (JointCommand, {"position": [10**400]}, r"must be numbers \[rad\], got \[1000"),
        (JointCommand, {"position": [[1.0], [1.0, 2.0]]}, "must be an array whose rows are equally long"),
        (JointCommand, {"position": {"shape": [2], "fill": "nan"}}, r"must be numbers \[rad\], got 'nan'"),
        (JointCommand, {"position": {"shape": [2], "fill": [1.0, 2.0]}}, r"must be filled with one number \[rad\]"),
        (
            Thrust,
            {"share": [1e39]},
            r"Thrust.share must be numbers from -3.40282e\+38 to 3.40282e\+38 \[N\], got 1e\+39",
        ),
        (Image, {"data": [[[0, 0, 256]]]}, "Image.data must be whole numbers from 0 to 255, got 256"),
        (Image, {"data": [[[0, 0, 0.5]]]}, "Image.data must be whole numbers from 0 to 255, got 0.5"),
        (Image, {"data": {"shape": [2, 2, 3], "fill": -1}}, "must be whole numbers from 0 to 255, got -1"),
        (JointState, {"position": [0.0]}, r"JointState needs the field 'velocity' \[rad/s\]"),
        (Target, {"lable": "red"}, "Target has no field 'lable'; did you mean 'label'?"),
    ],
)
def test_what_is_no_number_of_the_field_is_refused_in_one_sentence(
    kind: type[Message], fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        compose(kind, fields, 0)
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_whole_numbers_become_those_of_the_field_and_what_is_left_out_is_its_default_or_now() -> None:
    state = compose(JointState, {"position": [1, 2], "velocity": {"shape": [2], "fill": 0}}, 7)
    assert isinstance(state, JointState)
    assert state.position.dtype == np.float64
    assert (state.position.tolist(), state.velocity.tolist()) == ([1, 2], [0, 0])
    assert state.acquired == 7
    command = compose(DroneCommand, {"position": None, "yaw": 1, "frame": "world"}, 0)
    assert isinstance(command, DroneCommand)
    assert (command.position, command.yaw, command.land) == (None, 1.0, False)
