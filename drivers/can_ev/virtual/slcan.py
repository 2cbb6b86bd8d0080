"""The far end of a serial line with a CAN adapter: LAWICEL's protocol, which Linux and python-can call slcan."""

from __future__ import annotations

from drivers.can_ev.codec import Frame

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
"""Speeds of the bus that such an adapter can be told [bit/s], and how."""

OK, ERROR = b"\r", b"\a"

LONGEST = 30
"""No line is longer; more than this without an end is noise."""


def pack(frame: Frame) -> bytes:
    """A frame as an adapter hands it on."""
    return f"t{frame.identifier:03X}{len(frame.data)}{frame.data.hex().upper()}".encode() + OK


class Adapter:
    """One adapter.

    Attributes:
        on: whether its channel is open.
        bitrate: that it was told; None before.
    """

    def __init__(self) -> None:
        self.on = False
        self.bitrate: int | None = None
        self._unread = b""

    def take(self, data: bytes) -> tuple[list[Frame], bytes]:
        """Take what the host sent.

        Returns:
            the frames that go on the bus, and what the host is answered.
        """
        *lines, self._unread = (self._unread + data).split(b"\r")
        self._unread = self._unread[-LONGEST:]
        frames: list[Frame] = []
        answers = b""
        for line in lines:
            answers += self._obey(line.decode("latin-1"), frames)
        return frames, answers

    def _obey(self, line: str, frames: list[Frame]) -> bytes:
        rates = {command: rate for rate, command in BITRATES.items()}
        match line[:1]:
            case "":
                return OK
            case "O" | "C":
                self.on = line == "O"
                return OK
            case "S" if line in rates and not self.on:
                self.bitrate = rates[line]
                return OK
            case "V":
                return b"V1013" + OK
            case "N":
                return b"NVIRT" + OK
            case "t" if self.on and (frame := unpack(line)) is not None:
                frames.append(frame)
                return b"z" + OK
            case _:
                return ERROR


def unpack(line: str) -> Frame | None:
    """The frame in a line, without its end; None if it is no whole one with an 11-bit identifier."""
    try:
        frame = Frame(int(line[1:4], 16), bytes.fromhex(line[5:]))
    except ValueError:
        return None
    whole = line[4:5] == str(len(frame.data)) and len(frame.data) <= 8 and frame.identifier < 0x800
    return frame if whole and line == pack(frame)[:-1].decode() else None
