"""Who a vehicle is: the generic unit's `IdentityReport`, which every virtual unit sends, on any vehicle's bus.

Its identifier is none of the other vehicles', so that a virtual one can say that it is, in words of ours, and a real
one is never taken for it.
"""

from __future__ import annotations

from dataclasses import replace

from drivers.can_ev.codec import Codec, Frame, Malformed
from drivers.can_ev.generic import GENERIC
from drivers.can_ev.vehicle import Layout, Signals

NAME, PARTS, ROOM = "IdentityReport", 4, 6

PLATE = replace(
    GENERIC, name="nameplate", commands=(), reports=(Layout(NAME, "Counter", "Checksum", 0.05, needed=False),)
)

LONGEST_MODEL, LONGEST_SERIAL = ROOM, (PARTS - 1) * ROOM


def parts(model: str, serial: str, *, virtual: bool) -> list[Signals]:
    """What the reports say in turn."""
    letters = model.encode("ascii").ljust(ROOM, b"\0") + serial.encode("ascii").ljust(LONGEST_SERIAL, b"\0")
    cut = [letters[ROOM * part :][:ROOM] for part in range(PARTS)]
    return [
        {"Part": part, "Virtual": virtual, "Letters": int.from_bytes(text, "little")} for part, text in enumerate(cut)
    ]


class Nameplate:
    """Puts the parts together.

    Attributes:
        virtual: whether a part said that nothing real is behind it.
    """

    def __init__(self) -> None:
        self.virtual = False
        self._codec = Codec(PLATE)
        self._parts: dict[int, bytes] = {}

    def take(self, frame: Frame) -> None:
        """Read a part, if a frame is one."""
        if self._codec.names(frame.identifier) is None:
            return
        try:
            signals = self._codec.unpack(frame).signals
        except Malformed:
            return
        self._parts[int(signals["Part"])] = int(signals["Letters"]).to_bytes(ROOM, "little")
        self.virtual = bool(signals["Virtual"])

    @property
    def whole(self) -> bool:
        """Whether every part was read."""
        return len(self._parts) == PARTS

    @property
    def model(self) -> str:
        """What it is called; empty while that part was not read."""
        return self._text(0, 1)

    @property
    def serial(self) -> str:
        """Its serial number or VIN; empty while not all of it was read."""
        return self._text(1, PARTS)

    def _text(self, first: int, end: int) -> str:
        found = [self._parts.get(part) for part in range(first, end)]
        return "" if None in found else b"".join(filter(None, found)).rstrip(b"\0").decode("ascii", "replace")
