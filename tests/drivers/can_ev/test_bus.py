"""The bus alone, on a serial line whose other end the test holds."""

from __future__ import annotations

import os
import pty
import select
import tty
from collections.abc import Iterator
from contextlib import suppress

import pytest

from drivers.can_ev import slcan
from drivers.can_ev.bus import Bus
from drivers.can_ev.frame import Frame
from drivers.can_ev.virtual.adapter import Adapter
from embodied.errors import DeviceLost

GOOD = Frame(0x201, bytes(range(8)))


@pytest.fixture
def line() -> Iterator[tuple[Bus, int]]:
    descriptor, port = pty.openpty()
    tty.setraw(port)
    bus = Bus("slcan", os.ttyname(port), 500_000)
    os.close(port)
    yield bus, descriptor
    bus.close()
    with suppress(OSError):
        os.close(descriptor)


def written(descriptor: int) -> bytes:
    found = b""
    while select.select([descriptor], [], [], 0.1)[0]:
        found += os.read(descriptor, 1000)
    return found


def received(bus: Bus) -> list[Frame | None]:
    found = []
    while bus.wait(0.1):
        found += list(bus.receive())
    return found


def test_it_opens_the_channel_at_its_speed_and_sends_frames(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    bus.send(GOOD)
    lines = written(descriptor).split(b"\r")
    assert lines.index(b"S6") < max(i for i, line in enumerate(lines) if line == b"O")
    assert lines[-2] == b"t20180001020304050607"
    adapter = Adapter()
    assert adapter.receive(b"\r".join(lines))[0] == [GOOD]
    assert adapter.bitrate == 500_000


def test_frames_come_through_and_answers_of_the_adapter_are_none(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    os.write(descriptor, b"\r" + slcan.encode(GOOD) + b"z\r\a" + slcan.encode(GOOD)[:9])
    assert received(bus) == [GOOD]
    os.write(descriptor, slcan.encode(GOOD)[9:])
    assert received(bus) == [GOOD], "one that comes in two pieces is whole in the end"


@pytest.mark.parametrize("noise", [b"\xff\xfe\r", b"t2\r", b"t2018zz\r", b"t20180011\r", b"txyz0\r", b"t"])
def test_noise_is_told_as_such_and_what_comes_after_it_is_received(line: tuple[Bus, int], noise: bytes) -> None:
    bus, descriptor = line
    os.write(descriptor, noise + (b"" if noise.endswith(b"\r") else slcan.encode(GOOD)))
    assert received(bus) == [None]
    os.write(descriptor, slcan.encode(GOOD))
    assert received(bus) == [GOOD]


def test_frames_of_other_kinds_are_none_of_a_vehicle(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    os.write(descriptor, b"T000002018" + b"00" * 8 + b"\r" + b"r2018\r" + slcan.encode(GOOD))
    assert received(bus) == [GOOD]


def test_what_came_before_it_was_opened_or_was_discarded_is_not_received() -> None:
    descriptor, port = pty.openpty()
    tty.setraw(port)
    os.write(descriptor, slcan.encode(GOOD))
    bus = Bus("slcan", os.ttyname(port), 500_000)
    assert received(bus) == []
    bus.close()
    os.close(descriptor)
    os.close(port)


def test_an_adapter_that_is_pulled_out_is_lost(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    os.close(descriptor)
    with pytest.raises(DeviceLost, match="is gone"):
        list(bus.receive())
    with pytest.raises(DeviceLost, match="takes no frames"):
        bus.send(GOOD)


def test_an_adapter_takes_no_frame_that_is_not_whole_nor_while_its_channel_is_closed() -> None:
    adapter = Adapter()
    assert adapter.receive(slcan.encode(GOOD)) == ([], slcan.ERROR)
    assert adapter.receive(b"S5\rO\r") == ([], slcan.OK * 2)
    assert adapter.receive(b"S6\r") == ([], slcan.ERROR), "its speed is not changed while it is open"
    for line in (b"t2017" + b"00" * 8, b"t20180\r", b"t8018" + b"00" * 8, b"t2+18" + b"00" * 8, b"q"):
        assert adapter.receive(line + b"\r")[0] == []
    frames, answers = adapter.receive(slcan.encode(GOOD) * 2)
    assert (frames, answers) == ([GOOD, GOOD], b"z\r" * 2)
    assert adapter.receive(b"C\r" + slcan.encode(GOOD))[0] == []
