"""What arrives on an xArm's control port, looked at before the SDK does: it drops some broken frames without a word."""

from __future__ import annotations

from typing import Any

from drivers.xarm import codec

TELLS = 0xFF
"""A frame of this number was not asked for: it says that a motion is over."""


class Tap:
    """Stands where the SDK sends its requests, and where it puts what it received into a queue.

    The SDK has one request under way at a time; only the reply to that one is let through, and once.

    Attributes:
        rejected: frames that were cut short, bent, repeated, late or out of order.
    """

    def __init__(self, send: Any, receive: Any) -> None:
        self.rejected = 0
        self._send = send
        self._receive = receive
        self._asked: codec.Frame | None = None

    @classmethod
    def on(cls, arm: Any) -> Tap:
        """Put one on the control port of a connected arm of the SDK."""
        stream = arm._stream
        tap = cls(stream.com_write, stream.rx_parse)
        stream.com_write, stream.rx_parse = tap.write, tap
        return tap

    def write(self, data: bytes) -> Any:
        """Send a request, and remember which."""
        frames, _ = codec.split(data)
        self._asked = frames[0]
        return self._send(data)

    def put(self, data: bytes, is_report: bool = False) -> None:
        """A frame, as the SDK cut it out of the stream."""
        if len(data) > codec.HEAD.size and data[codec.HEAD.size] == TELLS:
            self._receive.put(data, is_report)
            return
        try:
            frame = codec.whole(data)
        except codec.Broken:
            self.rejected += 1
            return
        if self._asked is None or not _answers(frame, self._asked):
            self.rejected += 1
            return
        self._asked = None
        self._receive.put(data, is_report)

    def flush(self, fromid: int = -1, toid: int = -1) -> None:
        """The SDK forgets what it has not read."""
        self._receive.flush(fromid, toid)


def _answers(reply: codec.Frame, asked: codec.Frame) -> bool:
    """Whether a reply is to this request, and as long as it has to be; the SDK does not look."""
    if (reply.transaction, reply.protocol, reply.register) != (asked.transaction, asked.protocol, asked.register):
        return False
    values = codec.values_after(asked)
    return values is None or len(reply.payload) >= 1 + values
