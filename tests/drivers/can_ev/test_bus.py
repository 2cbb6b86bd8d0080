"""The bus alone, on a serial line whose other end the test holds."""

from __future__ import annotations

import errno
import os
import pty
import select
import threading
import time
import tty
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import can
import pytest

from drivers.can_ev import slcan
from drivers.can_ev.bus import Bus
from drivers.can_ev.frame import Frame
from drivers.can_ev.virtual.adapter import Adapter
from embodied.errors import DeviceInUse, DeviceLost

GOOD = Frame(0x201, bytes(range(8)))


def serve(descriptor: int, *, deaf: float = 0.0, banner: bytes = b"", answers: bool = True) -> threading.Thread:
    """Answer as an adapter until its version was told; it is deaf for a time from the first byte on."""

    def run() -> None:
        adapter, began = Adapter(), None
        while select.select([descriptor], [], [], 3.0)[0]:
            try:
                data = os.read(descriptor, 1000)
            except OSError:
                return
            began = began or time.monotonic()
            if time.monotonic() < began + deaf:
                continue
            if banner and adapter.bitrate is None:
                os.write(descriptor, banner)
            _, said = adapter.receive(data)
            if answers:
                os.write(descriptor, said)
            if adapter.on and (b"V" in said or not answers):
                opened.append(adapter)
                return

    opened: list[Adapter] = []
    thread = threading.Thread(target=run, daemon=True)
    thread.opened = opened  # type: ignore[attr-defined]
    thread.start()
    return thread


@pytest.fixture
def line() -> Iterator[tuple[Bus, int]]:
    descriptor, port = pty.openpty()
    tty.setraw(port)
    adapter = serve(descriptor)
    bus = Bus("slcan", os.ttyname(port), 500_000)
    adapter.join()
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


def test_a_bus_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.can_ev.bus.ADAPTER_TIMEOUT", 0.05)  # nobody answers at this end
    descriptor, port = pty.openpty()
    tty.setraw(port)
    first = Bus("slcan", os.ttyname(port), 500_000)
    with pytest.raises(DeviceInUse, match=r"the CAN bus /dev/pts/.* is in use by another driver of this run"):
        Bus("slcan", os.ttyname(port), 500_000)
    first.close()
    Bus("slcan", os.ttyname(port), 500_000).close()
    os.close(port)
    os.close(descriptor)


def test_it_opens_the_channel_at_its_speed_and_sends_frames(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    bus.send(GOOD)
    assert written(descriptor) == b"t20180001020304050607\r"
    adapter = Adapter()
    adapter.receive(b"C\rS6\rO\r")
    assert adapter.receive(slcan.encode(GOOD))[0] == [GOOD]
    assert adapter.bitrate == 500_000


@pytest.mark.parametrize(
    "board",
    [
        {"deaf": 0.3},
        {"deaf": 0.3, "banner": b"\xff\x00CAN board 1.0\r\nready\r\n"},
        {"deaf": 0.6, "banner": b"t2\rV"},
    ],
)
def test_a_board_that_restarts_when_its_port_is_opened_has_its_channel_open_in_the_end(board: dict[str, Any]) -> None:
    descriptor, port = pty.openpty()
    tty.setraw(port)
    adapter = serve(descriptor, **board)
    bus = Bus("slcan", os.ttyname(port), 500_000)
    adapter.join()
    (opened,) = adapter.opened  # type: ignore[attr-defined]
    # What python-can wrote after the version was told: the channel is opened once more, by a board that is awake.
    frames, _ = opened.receive(written(descriptor) + slcan.encode(GOOD))
    assert (frames, opened.on, opened.bitrate) == ([GOOD], True, 500_000)
    # The end of a line that the board began before it was awake costs no frame.
    os.write(descriptor, b"\r" + slcan.encode(GOOD))
    try:
        assert received(bus)[-1:] == [GOOD]
    finally:
        bus.close()
        os.close(descriptor)
        os.close(port)


class Kernel(can.BusABC):
    """Interface of a kernel whose queue is full for some frames, which python-can raises as here."""

    def __init__(self, full: int, error: int = errno.ENOBUFS) -> None:
        super().__init__("can0")
        self.full, self.error, self.sent = full, error, list[can.Message]()

    def send(self, msg: can.Message, timeout: float | None = None) -> None:
        self.full -= 1
        if self.full >= 0:
            raise can.CanOperationError("Failed to transmit: No buffer space available", self.error)
        self.sent.append(msg)


def test_a_queue_that_is_full_for_a_moment_is_waited_for(line: tuple[Bus, int]) -> None:
    bus, _ = line
    bus._bus, port = Kernel(full=5), bus._bus
    bus.send(GOOD)
    assert [bytes(message.data) for message in bus._bus.sent] == [GOOD.data]
    bus._bus = port


def test_a_queue_that_stays_full_is_a_bus_that_is_off(line: tuple[Bus, int]) -> None:
    bus, _ = line
    bus._bus, port = Kernel(full=1_000_000), bus._bus
    with pytest.raises(DeviceLost, match=r"\(slcan\) is off: nothing acknowledges its frames; see to wiring"):
        bus.send(GOOD)
    bus._bus = Kernel(full=1, error=errno.ENETDOWN)
    with pytest.raises(DeviceLost, match="takes no frames"):
        bus.send(GOOD)
    bus._bus = port


def test_a_flood_does_not_keep_a_step_from_its_end(line: tuple[Bus, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("drivers.can_ev.bus.FRAMES_MOST", 20)
    bus, far = line
    os.write(far, slcan.encode(GOOD) * 50)
    received = [list(bus.receive()) for _ in range(4)]
    assert [len(frames) for frames in received] == [20, 20, 10, 0]
    assert all(frame == GOOD for frames in received for frame in frames)


def test_noise_without_an_end_is_dropped_and_not_gathered(line: tuple[Bus, int]) -> None:
    bus, descriptor = line
    for _ in range(3):
        os.write(descriptor, b"7" * 1000)
        assert set(received(bus)) == {None}
    os.write(descriptor, slcan.encode(GOOD))
    assert received(bus) == [GOOD]


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
    os.write(descriptor, b"d2018" + b"00" * 8 + b"\r")
    assert received(bus) == [None], "a frame of CAN FD has another format"
    os.write(descriptor, b"T000002018" + b"00" * 8 + b"\r" + b"r2018\r" + slcan.encode(GOOD))
    assert received(bus) == [GOOD]


def test_what_came_before_it_was_opened_or_was_discarded_is_not_received() -> None:
    descriptor, port = pty.openpty()
    tty.setraw(port)
    os.write(descriptor, slcan.encode(GOOD))
    adapter = serve(descriptor)
    bus = Bus("slcan", os.ttyname(port), 500_000)
    adapter.join()
    written(descriptor)
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
