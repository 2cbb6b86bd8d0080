from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from embodied import Time
from embodied.errors import WireError
from embodied.links.codec import Layout
from embodied.links.packing import Packer
from embodied.messages import Detections, Image, Message
from embodied.messages.constraints import Refinement
from tests.embodied.links.test_codec import SIZES, assert_same
from tests.embodied.messages.test_encoding import KINDS, example


@pytest.mark.parametrize("refined", [Refinement(), Refinement(sizes=SIZES)], ids=["open", "stated"])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_message_of_the_vocabulary_becomes_bytes_and_comes_back(kind: type[Message], refined: Refinement) -> None:
    message = example(kind)
    data = Packer(Layout.of(kind, refined)).pack(message)
    assert_same(message, Packer(Layout.of(kind, refined)).unpack(data))


def test_images_of_stated_and_of_any_size_come_back() -> None:
    image = Image(data=np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8), acquired=Time(3))
    for refined in (Refinement(), Refinement(sizes={"h": 240, "w": 320})):
        packer = Packer(Layout.of(Image, refined))
        assert_same(image, packer.unpack(memoryview(packer.pack(image))))


@settings(max_examples=300)
@given(data=st.binary(max_size=400), cut=st.integers(0, 400), flip=st.integers(0, 3199))
def test_bytes_that_are_no_message_are_refused_and_break_nothing(data: bytes, cut: int, flip: int) -> None:
    packer = Packer(Layout.of(Detections, Refinement(), "detector.detections"))
    good = bytearray(packer.pack(example(Detections)))
    good[flip // 8 % len(good)] ^= 1 << flip % 8
    for wrong in (data, bytes(good[:cut]), bytes(good)):
        try:
            found = packer.unpack(wrong)
        except WireError as error:
            assert str(error).startswith("detector.detections: received bytes that are no Detections")
        else:
            # A flipped bit may still leave a message of the type; what its fields hold is checked when it is published.
            assert type(found) is Detections
