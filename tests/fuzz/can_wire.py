"""Fuzzers of a vehicle's wires: CAN frames as driver and virtual unit take them, and lines of an slcan adapter."""

from __future__ import annotations

import math
from dataclasses import fields
from functools import cache
from pathlib import Path

from drivers.can_ev import slcan
from drivers.can_ev.codec import Codec
from drivers.can_ev.e2e_protection import E2EReceiver
from drivers.can_ev.frame import Frame
from drivers.can_ev.identity import IdentityReader
from drivers.can_ev.vehicle import DriveCommand, DriveReport
from drivers.can_ev.vehicles import VEHICLES
from drivers.can_ev.virtual.adapter import Adapter
from embodied.clock import Time
from tests.fuzz.harness import Kind

RECORD = 11
"""Length of one frame in an input: identifier, length, payload [B]."""


@cache
def codec(vehicle: str) -> Codec:
    return Codec(VEHICLES[vehicle])


def read_frames(data: bytes, folder: Path) -> str:
    """Receive frames, checksums mended in every second one; whatever is accepted is finite, in commands and reports."""
    kind = VEHICLES["tesla" if data[:1] == b"t" else "generic"]
    both = codec(kind.name)
    reports, commands = E2EReceiver(both, kind.reports), E2EReceiver(both, kind.commands)
    identity = IdentityReader()
    for number, start in enumerate(range(1, len(data) - RECORD + 1, RECORD)):
        record = data[start : start + RECORD]
        frame = Frame(int.from_bytes(record[:2], "big") & 0x7FF, record[3 : 3 + record[2] % 9])
        for receiver in (reports, commands):
            receiver.begin_cycle()
            receiver.receive(_mended(both, frame) if number % 2 else frame, Time(number * 10_000_000))
        identity.receive(frame)
        for signals, decode in ((reports.signals, kind.decode_report), (commands.signals, kind.decode_command)):
            if signals is not None:
                _require_finite(decode(signals))
    return ""


def _mended(both: Codec, frame: Frame) -> Frame:
    """Return a frame with the checksum that its content has, as from a sender that means it."""
    name = both.message_name(frame.identifier)
    if name is None or not frame.data:
        return frame
    for place in (0, 3, 7):
        if place < len(frame.data):
            checksum = both.vehicle.checksum(frame.identifier, frame.data, place)
            changed = Frame(frame.identifier, frame.data[:place] + bytes([checksum]) + frame.data[place + 1 :])
            try:
                both.decode(changed)
            except ValueError:
                continue
            return changed
    return frame


def _require_finite(state: DriveCommand | DriveReport) -> None:
    for entry in fields(state):
        value = getattr(state, entry.name)
        assert not isinstance(value, float) or math.isfinite(value), f"{entry.name} is {value}"


def read_lines(data: bytes, folder: Path) -> str:
    """Feed an adapter in pieces: it answers each line, and passes on frames that encode to their own line."""
    adapter = Adapter()
    for start in range(0, len(data), 13):
        frames, answers = adapter.receive(data[start : start + 13])
        for frame in frames:
            assert slcan.decode(slcan.encode(frame)[:-1].decode()) == frame
        assert len(answers) <= 6 * 13
    for line in data.split(b"\r"):
        decoded = slcan.decode(line.decode("latin-1"))
        assert decoded is None or slcan.encode(decoded)[:-1] == line
    return ""


def frame_examples() -> list[bytes]:
    examples = []
    for mark, kind in ((b"g", VEHICLES["generic"]), (b"t", VEHICLES["tesla"])):
        signals = kind.encode_report(DriveReport(speed=1.0)) | kind.encode_command(DriveCommand(speed=1.0))
        data = mark
        for count in range(3):
            for name, values in signals.items():
                frame = codec(kind.name).encode(name, values, count)
                data += frame.identifier.to_bytes(2, "big") + bytes([len(frame.data)]) + frame.data.ljust(8, b"\0")
        examples.append(data)
    return examples


def line_examples() -> list[bytes]:
    return [b"C\rS6\rO\rt20180001020304050607\rV\rN\r" + slcan.encode(Frame(0x100, b"\1\2")) * 3]


CAN = Kind(
    name="can",
    examples=frame_examples,
    words=(b"\x01\x00\x08", b"\x02\x00\x08", b"\x02\x01\x08", b"\x07\xf0\x08", b"\x04\x88\x04", b"\x02\xb9\x08"),
    read=read_frames,
    modules=("drivers.can_ev",),
)

SLCAN = Kind(
    name="slcan",
    examples=line_examples,
    words=(b"\r", b"\a", b"t", b"T", b"r", b"d", b"S8\r", b"O\r", b"C\r", b"_", b"+", b"7FF8"),
    read=read_lines,
    modules=("drivers.can_ev",),
)
