"""What crosses between machines, as bytes: whatever comes, it is read or it is Malformed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from embodied.links.frames import MAGIC, MAX_PARTS, Ask, Head, Malformed, read

U64 = st.integers(0, 2**64 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
TOPIC = st.text(min_size=1, max_size=60)
ASKS = st.builds(Ask, TOPIC, st.sampled_from(["latest", "every"]), st.integers(1, 65_535), U64, U64, I64)
HEADS = st.builds(Head, U64, U64, U64, I64, I64)


def views(*frames: bytes) -> list[memoryview]:
    return [memoryview(frame) for frame in frames]


@given(ASKS)
def test_a_question_is_read_as_it_was_asked(ask: Ask) -> None:
    assert Ask.of(ask.pack()) == ask


@given(HEADS, TOPIC, st.lists(st.binary(max_size=9), min_size=1, max_size=MAX_PARTS))
def test_a_message_is_read_as_it_was_sent(head: Head, topic: str, parts: list[bytes]) -> None:
    assert read(views(topic.encode(), head.pack(), *parts)) == (topic, head)
    assert read(views(b"", head.pack())) == ("", head)


@given(ASKS, st.data())
def test_a_question_that_is_cut_or_prolonged_is_malformed(ask: Ask, data: st.DataObject) -> None:
    whole = ask.pack()
    cut = data.draw(st.integers(0, len(whole) - 1))
    for wrong in (whole[:cut], whole + b"\0"):
        with pytest.raises(Malformed):
            Ask.of(wrong)


@given(st.binary(max_size=80))
def test_any_bytes_are_a_question_or_malformed(data: bytes) -> None:
    for wrong in (data, MAGIC + data):
        try:
            ask = Ask.of(wrong)
        except Malformed:
            continue
        assert ask.pack() == wrong


@given(st.lists(st.binary(max_size=50), max_size=5), HEADS)
def test_any_frames_are_a_message_or_malformed(frames: list[bytes], head: Head) -> None:
    for wrong in (frames, [*frames[:1], head.pack(), *frames[1:]]):
        try:
            topic, found = read(views(*wrong))
        except Malformed:
            continue
        assert topic.encode() == wrong[0]
        assert found.pack() == wrong[1]


def test_what_no_message_looks_like_is_malformed() -> None:
    head = Head(1, 2, 3, 4, 5).pack()
    for wrong in (
        (),
        (b"topic",),
        (b"topic", head),
        (b"", head, b"part"),
        (b"topic", head[:-1], b"part"),
        (b"topic", head + b"\0", b"part"),
        (b"topic", b"emb2" + head[4:], b"part"),
        (b"\xff", head, b"part"),
        (b"t" * 256, head, b"part"),
        (b"topic", head, *[b""] * (MAX_PARTS + 1)),
    ):
        with pytest.raises(Malformed):
            read(views(*wrong))


def test_a_head_whose_unused_bytes_are_used_is_of_another_version() -> None:
    head = bytearray(Head(1, 2, 3, 4, 5).pack())
    head[len(MAGIC)] = 1
    with pytest.raises(Malformed, match="another version"):
        read(views(b"", bytes(head)))
