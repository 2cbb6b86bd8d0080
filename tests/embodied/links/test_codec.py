from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Annotated, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from embodied import Time
from embodied.errors import WireError
from embodied.links.channel import Inlet, Outlet
from embodied.links.codec import VIEWED, Layout
from embodied.links.subscription import Ends, Window
from embodied.messages import Detections, Image, JointState, Message
from embodied.messages.constraints import Refinement
from embodied.messages.schema import Array, schema
from tests.embodied.messages.test_encoding import KINDS, example

SIZES = {"n": 3, "k": 2, "h": 4, "w": 5}


@contextmanager
def link(kind: type[Message], refined: Refinement) -> Iterator[tuple[Outlet, Inlet]]:
    outlet = Outlet("node", [Layout.of(kind, refined, "node.port")], lambda size: [Window.of(size)])
    ends = Ends.make("test")
    theirs = Ends(*map(os.dup, ends.all()))
    post = outlet.subscribe(ends)
    inlet = Inlet([Layout.of(kind, refined)], [0], outlet.open_size, outlet.ring.descriptor, theirs)
    yield outlet, inlet
    inlet.reader.close()
    outlet.ring.unsubscribe(post)
    os.close(outlet.ring.descriptor)


def cross(message: Message, refined: Refinement | None = None) -> Any:
    got: list[Any] = []
    with link(type(message), refined or Refinement()) as (outlet, inlet):
        outlet.publish(7, 5, [message])
        inlet.receive(lambda index, value, stamp, sequence: got.append((index, value, stamp, sequence)))
    ((index, value, stamp, sequence),) = got
    assert (index, stamp, sequence) == (0, 5, 7)
    return value


def assert_same(one: Message, other: Message) -> None:
    for field in schema(type(one)):
        a, b = getattr(one, field.name), getattr(other, field.name)
        if isinstance(a, np.ndarray):
            assert a.dtype == b.dtype
            np.testing.assert_array_equal(a, b)
            assert not b.flags.writeable
            assert b.flags.aligned
        else:
            assert a == b
            assert type(a) is type(b)


@pytest.mark.parametrize("refined", [Refinement(), Refinement(sizes=SIZES)], ids=["open", "stated"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_message_of_the_vocabulary_crosses_unchanged(kind: type[Message], refined: Refinement) -> None:
    message = example(kind)
    assert_same(message, cross(message, refined))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_what_is_none_arrives_as_none(kind: type[Message]) -> None:
    optional = [field.name for field in schema(kind) if field.optional]
    message = replace(example(kind), **dict.fromkeys(optional))
    assert_same(message, cross(message, Refinement(sizes=SIZES)))


@given(count=st.integers(0, 300), labels=st.text(max_size=40))
def test_open_sizes_and_any_text_cross(count: int, labels: str) -> None:
    message = Detections(
        labels=(labels,) * count,
        position=np.arange(count * 3.0).reshape(count, 3),
        yaw=np.zeros(count),
        score=np.ones(count),
        frame=labels,
        acquired=Time(count),
    )
    assert_same(message, cross(message))


def test_a_message_that_outgrows_its_slot_is_told_to_those_who_move() -> None:
    moved: list[Outlet] = []
    outlet = Outlet("node", [Layout.of(Image, Refinement())], lambda size: [Window.of(size)], moved.append)
    before = outlet.open_size
    outlet.publish(0, 0, [Image(data=np.ones((100, 200, 3), np.uint8), acquired=Time(0))])
    assert moved == [outlet]
    assert outlet.open_size > before
    ends = Ends.make("test")
    outlet.subscribe(ends)
    inlet = Inlet([Layout.of(Image, Refinement())], [0], outlet.open_size, outlet.ring.descriptor, ends)
    got: list[Any] = []
    inlet.receive(lambda *arrived: got.append(arrived[1]))
    assert got[0].data.shape == (100, 200, 3)


@dataclass(frozen=True, kw_only=True)
class Odd(Message):
    """Without slots, with names that generated code might use itself, and with a rule of its own."""

    s: Annotated[NDArray[np.uint8], Array("m o", "", "uint8")]
    o: Annotated[NDArray[np.float64], Array("p")]
    m: float

    def __post_init__(self) -> None:
        object.__setattr__(self, "double", 2 * self.m)


def test_a_message_may_use_any_names_and_have_a_rule_of_its_own() -> None:
    message = Odd(s=np.ones((3, 5), np.uint8), o=np.ones(7), m=4.0)
    got = cross(message)
    assert_same(message, got)
    assert got.double == 8.0


def test_what_does_not_fit_its_type_is_refused_where_it_is_published() -> None:
    with link(JointState, Refinement(sizes={"n": 3})) as (outlet, _):
        wrong = JointState(position=np.zeros(2), velocity=np.zeros(2), acquired=Time(0))
        with pytest.raises(WireError, match=r"node\.port: JointState\.position: expected .* of shape \(3\)"):
            outlet.publish(0, 0, [wrong])
        with pytest.raises(WireError, match="expected JointState, got str"):
            outlet.publish(0, 0, ["nothing"])  # type: ignore[list-item]
        # A refusal costs no slot.
        for _ in range(3 * outlet.ring.slots):
            with pytest.raises(WireError):
                outlet.publish(0, 0, [wrong])


def test_views_and_other_orders_of_memory_cross_as_well() -> None:
    data = np.arange(2 * 40 * 40 * 3, dtype=np.uint8).reshape(2, 40, 40, 3)
    message = Image(data=np.asfortranarray(data[1]), acquired=Time(0))
    np.testing.assert_array_equal(cross(message).data, data[1])


def large() -> tuple[Image, Refinement]:
    image = Image(data=np.random.default_rng(0).integers(0, 255, (80, 100, 3), np.uint8), acquired=Time(0))
    assert image.data.nbytes >= VIEWED
    return image, Refinement(sizes={"h": 80, "w": 100})


def test_a_large_array_is_looked_at_in_place_and_stays_as_it_was_while_it_is() -> None:
    image, refined = large()
    held: list[Any] = []
    with link(Image, refined) as (outlet, inlet):
        for number in range(100):
            outlet.publish(number, 0, [replace(image, data=np.full_like(image.data, number))])
            inlet.receive(lambda _, value, stamp, sequence: held.append(value.data[:, 10:]))
            assert all((array == index).all() for index, array in enumerate(held))
        with pytest.raises(ValueError, match="read-only"):
            held[0][...] = 0


def test_an_array_made_in_the_ring_is_not_copied_and_stays_while_its_maker_looks() -> None:
    image, refined = large()
    with link(Image, refined) as (outlet, inlet):
        data = outlet.empty((80, 100, 3), np.uint8)
        assert outlet.empty((80, 100, 3), np.uint8) is None, "there is one such array in a slot"
        data[...] = image.data
        outlet.publish(0, 0, [Image(data=data, acquired=Time(0))])
        got: list[Any] = []
        inlet.receive(lambda *arrived: got.append(arrived[1]))
        np.testing.assert_array_equal(got[0].data, image.data)
        with pytest.raises(ValueError, match="read-only"):
            data[...] = 0
        got.clear()
        for number in range(1, 3 * outlet.ring.slots):
            outlet.publish(number, 0, [replace(image, data=np.zeros_like(image.data))])
            inlet.receive(lambda *arrived: None)
        np.testing.assert_array_equal(data, image.data)


def test_an_array_that_was_made_and_not_given_stays_as_it_is_and_may_be_given_later() -> None:
    image, refined = large()
    got: list[Any] = []
    with link(Image, refined) as (outlet, inlet):
        made = outlet.empty((80, 100, 3), np.uint8)
        made[...] = 7
        for number in range(1, 3 * outlet.ring.slots):
            outlet.publish(number, 0, [image])
            inlet.receive(lambda *arrived: got.append(arrived[1].data.copy()))
        np.testing.assert_array_equal(got[-1], image.data)
        assert (made == 7).all()
        outlet.publish(1000, 0, [Image(data=made, acquired=Time(0))])
        inlet.receive(lambda *arrived: got.append(arrived[1].data.copy()))
        assert (got[-1] == 7).all()


def test_an_array_that_was_made_is_given_whole_after_a_message_that_was_refused() -> None:
    _, refined = large()
    got: list[Any] = []
    with link(Image, refined) as (outlet, inlet):
        made = outlet.empty((80, 100, 3), np.uint8)
        made[...] = 7
        with pytest.raises(WireError):
            outlet.publish(0, 0, [Image(data=made, acquired=None)])  # type: ignore[arg-type]
        outlet.publish(1, 0, [Image(data=made, acquired=Time(0))])
        inlet.receive(lambda *arrived: got.append(arrived[1].data.copy()))
        assert (got[-1] == 7).all()
