"""Filter of replies on an xArm's control port, in front of the SDK, which drops some broken frames silently."""

from __future__ import annotations

from typing import Any

from drivers.xarm import codec

NOTIFICATION = 0xFF
"""Register of a frame that answers no request: it reports the end of a motion."""


class ReplyFilter:
    """Filter of replies between the xArm SDK's socket and its queue.

    The SDK has one request under way at a time; only the reply to that one passes, and once.

    Args:
        send: function of the SDK that sends a request.
        queue: queue of the SDK for received frames.

    Attributes:
        rejected: number of frames that were truncated, damaged, repeated, late or out of order.
    """

    def __init__(self, send: Any, queue: Any) -> None:
        self.rejected = 0
        self._send = send
        self._queue = queue
        self._request: codec.Frame | None = None

    @classmethod
    def install(cls, arm: Any) -> ReplyFilter:
        """Install a filter on the control port of a connected arm of the SDK, and return it."""
        stream = arm._stream
        made = cls(stream.com_write, stream.rx_parse)
        stream.com_write, stream.rx_parse = made.write, made
        return made

    def write(self, data: bytes) -> Any:
        """Send a request, and keep it to match its reply."""
        frames, _ = codec.split(data)
        self._request = frames[0]
        return self._send(data)

    def put(self, data: bytes, is_report: bool = False) -> None:
        """Pass a frame that the SDK has received on to its queue, or reject it."""
        if len(data) > codec.HEAD.size and data[codec.HEAD.size] == NOTIFICATION:
            self._queue.put(data, is_report)
            return
        try:
            frame = codec.whole(data)
        except codec.Broken:
            self.rejected += 1
            return
        if self._request is None or not _answers(frame, self._request):
            self.rejected += 1
            return
        self._request = None
        self._queue.put(data, is_report)

    def flush(self, fromid: int = -1, toid: int = -1) -> None:
        """Empty the SDK's queue of received frames."""
        self._queue.flush(fromid, toid)


def _answers(reply: codec.Frame, request: codec.Frame) -> bool:
    """Return whether a reply belongs to a request and is long enough; the SDK does not check."""
    if (reply.transaction, reply.protocol, reply.register) != (request.transaction, request.protocol, request.register):
        return False
    values = codec.value_size(request)
    return values is None or len(reply.payload) >= 1 + values
