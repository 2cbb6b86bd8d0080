"""Codec of slcan, the serial line protocol of CAN adapters (LAWICEL CAN232): frames to lines and back, no I/O."""

from __future__ import annotations

from drivers.can_ev.frame import Frame

BITRATES = {
    10_000: "S0",
    20_000: "S1",
    50_000: "S2",
    100_000: "S3",
    125_000: "S4",
    250_000: "S5",
    500_000: "S6",
    750_000: "S7",
    1_000_000: "S8",
}
"""Commands that set the bus speed, by bit rate [bit/s]."""

OK = b"\r"
"""Acknowledgement of an adapter, and the end of every line."""

ERROR = b"\a"
"""Answer of an adapter that refuses a line."""

LINE_MOST = 30
"""Length that no line exceeds [B]; more than this without an end is noise."""


def encode(frame: Frame) -> bytes:
    """Return the slcan line that transmits a CAN frame, its end included."""
    return f"t{frame.identifier:03X}{len(frame.data)}{frame.data.hex().upper()}".encode() + OK


def decode(line: str) -> Frame | None:
    """Return the CAN frame in an slcan line without its end; None unless it is whole and has an 11-bit identifier."""
    try:
        frame = Frame(int(line[1:4], 16), bytes.fromhex(line[5:]))
    except ValueError:
        return None
    whole = line[4:5] == str(len(frame.data)) and len(frame.data) <= 8 and frame.identifier < 0x800
    # int() also takes "+1" and "_": only what encodes to the same line is a frame.
    return frame if whole and line == encode(frame)[:-1].decode() else None
