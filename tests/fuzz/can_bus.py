"""Fuzzer of the driver's end of an slcan line: bytes of any kind are frames or noise, and what follows is received."""

from __future__ import annotations

import os
import pty
import threading
import tty
from functools import cache
from pathlib import Path

from drivers.can_ev import slcan
from drivers.can_ev.bus import Bus
from drivers.can_ev.frame import Frame
from tests.fuzz.harness import Kind

GOOD = Frame(0x201, bytes(range(8)))
"""Frame that is received after any noise, once its line has ended."""

PIECE = 512
"""Length of the pieces in which an input is written, which a terminal holds at once [B]."""


@cache
def line() -> tuple[Bus, int]:
    """Open a bus, whose adapter tells its version once."""
    far, port = pty.openpty()
    tty.setraw(port)

    def answer() -> None:
        while b"V\r" not in os.read(far, 1000):
            continue
        os.write(far, b"V1013\r")

    thread = threading.Thread(target=answer, daemon=True)
    thread.start()
    bus = Bus("slcan", os.ttyname(port), 500_000)
    thread.join()
    return bus, far


def read(data: bytes, folder: Path) -> str:
    """Receive an input, then a line that ends it, then a good frame."""
    bus, far = line()
    for start in range(0, len(data), PIECE):
        os.write(far, data[start : start + PIECE])
        for frame in _received(bus):
            assert frame is None or (len(frame.data) <= 8 and 0 <= frame.identifier < 0x800), frame
    os.write(far, b"\r")
    _received(bus)
    os.write(far, slcan.encode(GOOD))
    assert _received(bus) == [GOOD]
    return ""


def _received(bus: Bus) -> list[Frame | None]:
    frames = []
    while bus.wait(0.002):
        frames += list(bus.receive())
    return frames


def examples() -> list[bytes]:
    return [
        slcan.encode(GOOD) * 5,
        b"z\r\r" + slcan.encode(Frame(0x7FF, b"")) + b"\a",
        b"T000002018" + b"00" * 8 + b"\r",
    ]


KIND = Kind(
    name="bus",
    examples=examples,
    words=(b"\r", b"\a", b"t", b"T", b"r", b"R", b"d", b"D", b"b", b"B", b"x", b"F", b"7FF", b"9", b"\xff\xfe"),
    read=read,
    modules=("drivers.can_ev", "can.interfaces.slcan"),
)
