"""Every nth frame is disturbed as set, and all others pass unchanged."""

from __future__ import annotations

import pytest

from embodied.devices.disturbance import Disturbance, Disturber, byte_disturber, flip_bit

FRAMES = [bytes([number] * 4) for number in range(6)]


def passed(how: Disturbance, every: int = 3) -> list[bytes]:
    """What goes out for six frames, one after the other."""
    disturber = byte_disturber()
    disturber.set(how, every)
    return [sent for frame in FRAMES for sent in disturber.apply(frame)]


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("", FRAMES),
        ("flip", [*FRAMES[:2], b"\2\2\6\2", *FRAMES[3:5], b"\5\5\1\5"]),
        ("truncate", [*FRAMES[:2], b"\2\2", *FRAMES[3:5], b"\5\5"]),
        ("repeat", [*FRAMES[:3], *FRAMES[2:], FRAMES[5]]),
        ("reorder", [*FRAMES[:2], FRAMES[3], FRAMES[2], FRAMES[4]]),
    ],
)
def test_every_third_frame_is_disturbed_and_the_others_are_whole(how: Disturbance, expected: list[bytes]) -> None:
    assert passed(how) == expected


def test_frames_swap_places_in_pairs_where_each_is_due() -> None:
    assert passed("reorder", every=1) == [FRAMES[1], FRAMES[0], FRAMES[3], FRAMES[2], FRAMES[5], FRAMES[4]]


def test_frames_of_different_streams_never_swap_places() -> None:
    disturber = byte_disturber()
    disturber.set("reorder", every=1)
    assert disturber.apply(b"a1", stream="a") == []
    assert disturber.apply(b"b1", stream="b") == []
    assert disturber.apply(b"b2", stream="b") == [b"b2", b"b1"]
    assert disturber.apply(b"a2", stream="a") == [b"a2", b"a1"]


@pytest.mark.parametrize(
    ("how", "at", "expected"),
    [
        ("repeat", 1, [b"one", b"two", b"two", b"three"]),
        ("truncate", 0, [b"o", b"two", b"three"]),
        ("reorder", 0, [b"two", b"one", b"three"]),
        ("reorder", 2, [b"one", b"three", b"two"]),
    ],
)
def test_one_frame_of_several_that_are_sent_at_once_is_disturbed(
    how: Disturbance, at: int, expected: list[bytes]
) -> None:
    disturber = byte_disturber()
    disturber.set(how, every=1)
    assert disturber.apply(b"one", b"two", b"three", at=at) == expected


def test_a_frame_that_is_held_back_is_lost_when_the_disturbance_ends() -> None:
    disturber = byte_disturber()
    disturber.set("reorder", every=1)
    assert disturber.apply(b"one") == []
    disturber.set("")
    assert disturber.apply(b"two") == [b"two"]


def test_a_codec_damages_its_own_frames() -> None:
    disturber: Disturber[int] = Disturber(flip=lambda frame: frame ^ 1, truncate=lambda frame: frame // 2)
    disturber.set("flip", every=1)
    assert disturber.apply(8) == [9]
    disturber.set("truncate", every=1)
    assert disturber.apply(8) == [4]


def test_one_bit_is_flipped_and_no_other() -> None:
    assert flip_bit(b"\0\0\0", 17) == b"\0\0\2"
    assert flip_bit(b"\0\0\0") == b"\0\4\0"
