"""Identity of a vehicle: codec of the generic unit's `IdentityReport`, which every virtual unit sends on any bus.

No other vehicle has its identifier, so a virtual unit can state that it is one, and a real one is never taken for it.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.can_ev.codec import Codec, Malformed
from drivers.can_ev.frame import Frame
from drivers.can_ev.generic import GENERIC
from drivers.can_ev.vehicle import FLAG, Layout, Signals

REPORT = "IdentityReport"
"""Name of the message in `generic.dbc`."""

PARTS = 4
"""Number of parts that are sent in turn: the first has the model, the others the serial number."""

PART_LETTERS = 6
"""Letters in one part."""

MODEL_LETTERS = PART_LETTERS
"""Longest model [letters]."""

SERIAL_LETTERS = (PARTS - 1) * PART_LETTERS
"""Longest serial number or VIN [letters]."""

IDENTITY = replace(
    GENERIC,
    name="identity",
    commands=(),
    reports=(
        Layout(
            REPORT,
            "Counter",
            "Checksum",
            0.05,
            numbers={"Part": dict.fromkeys(range(PARTS), ""), "Virtual": FLAG, "Letters": {}},
            required=False,
        ),
    ),
)
"""Vehicle whose one message is the identity report."""


def parts(model: str, serial: str, *, virtual: bool) -> list[Signals]:
    """Return the CAN signals of each part of the generic unit's identity report.

    Args:
        model: model of the vehicle, plain ASCII of up to `MODEL_LETTERS`.
        serial: serial number or VIN, plain ASCII of up to `SERIAL_LETTERS`.
        virtual: whether nothing real is behind the unit.
    """
    letters = model.encode("ascii").ljust(MODEL_LETTERS, b"\0") + serial.encode("ascii").ljust(SERIAL_LETTERS, b"\0")
    return [
        {
            "Part": part,
            "Virtual": virtual,
            "Letters": int.from_bytes(letters[PART_LETTERS * part :][:PART_LETTERS], "little"),
        }
        for part in range(PARTS)
    ]


class IdentityReader:
    """Reader that assembles the parts of a generic unit's identity report.

    Attributes:
        virtual: whether a part stated that nothing real is behind the unit.
    """

    def __init__(self) -> None:
        self.virtual = False
        self._codec = Codec(IDENTITY)
        self._parts: dict[int, bytes] = {}

    def receive(self, frame: Frame) -> None:
        """Read a part, if a frame is one."""
        if self._codec.message_name(frame.identifier) is None:
            return
        try:
            signals = self._codec.decode(frame).signals
        except Malformed:
            return
        self._parts[int(signals["Part"])] = int(signals["Letters"]).to_bytes(PART_LETTERS, "little")
        self.virtual = bool(signals["Virtual"])

    @property
    def complete(self) -> bool:
        """Whether every part has been received."""
        return len(self._parts) == PARTS

    @property
    def model(self) -> str:
        """Model of the vehicle; empty before its part has come."""
        return self._text(0, 1)

    @property
    def serial(self) -> str:
        """Serial number or VIN; empty before all of its parts have come."""
        return self._text(1, PARTS)

    def _text(self, first: int, end: int) -> str:
        letters = [self._parts.get(part) for part in range(first, end)]
        return "" if None in letters else b"".join(filter(None, letters)).rstrip(b"\0").decode("ascii", "replace")
