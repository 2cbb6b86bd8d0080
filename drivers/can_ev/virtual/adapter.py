"""Virtual slcan adapter: executes the host's lines, and hands their frames to the bus."""

from __future__ import annotations

from drivers.can_ev.frame import Frame
from drivers.can_ev.slcan import BITRATES, ERROR, LINE_MOST, OK, decode

RATES = {command: rate for rate, command in BITRATES.items()}
"""Bit rates by the command that sets them [bit/s]."""


class Adapter:
    """Virtual slcan adapter: state of one serial CAN adapter that executes the host's lines.

    Attributes:
        on: whether its channel is open.
        bitrate: bit rate that the host has set [bit/s]; None before.
    """

    def __init__(self) -> None:
        self.on = False
        self.bitrate: int | None = None
        self._unread = b""

    def receive(self, data: bytes) -> tuple[list[Frame], bytes]:
        """Execute the lines that the host sent.

        Returns:
            frames for the bus, and answers to the host.
        """
        *lines, self._unread = (self._unread + data).split(b"\r")
        self._unread = self._unread[-LINE_MOST:]
        frames: list[Frame] = []
        answers = b""
        for line in lines:
            answers += self._execute(line.decode("latin-1"), frames)
        return frames, answers

    def _execute(self, line: str, frames: list[Frame]) -> bytes:
        match line[:1]:
            case "":
                return OK
            case "O" | "C":
                self.on = line == "O"
                return OK
            case "S" if line in RATES and not self.on:
                self.bitrate = RATES[line]
                return OK
            case "V":
                return b"V1013" + OK
            case "N":
                return b"NVIRT" + OK
            case "t" if self.on and (frame := decode(line)) is not None:
                frames.append(frame)
                return b"z" + OK
            case _:
                return ERROR
