"""Fuzzer of DBC files, as `check` of a vehicle reads them; what is taken encodes and decodes."""

from __future__ import annotations

from pathlib import Path

from drivers.can_ev import CanEV
from drivers.can_ev.codec import Codec
from drivers.can_ev.vehicle import DriveCommand, DriveReport
from drivers.can_ev.vehicles import VEHICLES
from tests.fuzz.harness import Kind


def read(data: bytes, folder: Path) -> str:
    """Check a vehicle with a DBC; if it is taken, a command and a report go through its codec."""
    path = folder / "mine.dbc"
    path.write_bytes(data)
    vehicle = "tesla" if b"DAS_control" in data else "generic"
    if problems := list(CanEV(channel="can0", vehicle=vehicle, dbc=path).check()):
        return "\n".join(problems)
    kind = VEHICLES[vehicle]
    codec = Codec(kind, path)
    signals = kind.encode_command(DriveCommand()) | kind.encode_report(DriveReport(speed=1.0, steering=0.1))
    taken = {}
    for count in range(20):
        for name, values in signals.items():
            if codec.has(name):
                taken[name] = codec.decode(codec.encode(name, values, count)).signals
    assert abs(kind.decode_report(taken).speed - 1.0) < 0.2
    return ""


def examples() -> list[bytes]:
    return [vehicle.dbc.read_bytes() for vehicle in VEHICLES.values()]


KIND = Kind(
    name="dbc",
    examples=examples,
    words=(
        b"BO_ ",
        b" SG_ ",
        b"VAL_ ",
        b"CM_ ",
        b"M ",
        b"m0 ",
        b"@1+",
        b"@0-",
        b"|",
        b"(0,0)",
        b"[0|0]",
        b'"',
        b";",
        b"SIG_VALTYPE_ 513 Speed : 1;\n",
        b"DriveCommand",
        b"MotionReport",
        b"2147483904",
        b"BA_ ",
        b"Speed",
        b"Gear",
    ),
    read=read,
    modules=("drivers.can_ev", "cantools"),
)
