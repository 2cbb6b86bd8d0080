"""Packets between launcher, workers and command line: MessagePack over a Unix socket, with file descriptors beside it.

The sockets are SOCK_SEQPACKET of the Unix family: a packet arrives whole or not at all, the kernel says who sent it,
and the end of a process ends its socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from embodied.errors import LinkFailed, error_text

LARGEST = 128 * 1024
"""Of a packet [B]."""

ENDED = "ended"
"""Verb of the last packet that a run sends to its clients: what did not stop in order, a sentence each."""

_DESCRIPTORS = 8


OTHER_FORM = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""Exceptions of whoever reads the fields of a packet that has other fields, or other values in them."""


class Disconnected(Exception):
    """Packets have ended: the other side of the socket is closed."""


class Malformed(LinkFailed):
    """Packet of a form that is not ours; the next one may be right."""


@dataclass(slots=True)
class Packet:
    """Packet between launcher, workers and command line with its verb, fields and descriptors.

    Attributes:
        verb: name of the request, answer or event.
        about: its fields.
        descriptors: that came with it; whoever takes the packet closes them.
    """

    verb: str
    about: dict[str, Any]
    descriptors: list[int]


def send(to: socket.socket, verb: str, /, descriptors: Sequence[int] = (), **about: Any) -> None:
    """Send one packet over a Unix socket.

    Raises:
        Disconnected: the other side has closed.
        LinkFailed: a field is no plain data, the packet is too large, or the buffer is full since the other side does
            not read.
    """
    try:
        data = msgpack.packb([verb, about], unicode_errors="replace")
    except Exception as error:
        # A type or a number that MessagePack lacks, or data too deep, raise four different exceptions.
        raise LinkFailed(f"'{verb}' cannot be sent: {error_text(error)}") from None
    if len(data) > LARGEST:
        raise LinkFailed(f"'{verb}' is {len(data)} B long, and {LARGEST} B is the most")
    try:
        socket.send_fds(to, [data], list(descriptors), socket.MSG_NOSIGNAL)
    except BlockingIOError:
        raise LinkFailed(f"'{verb}' was not taken: the other side does not read") from None
    except OSError:
        raise Disconnected from None


def receive(of: socket.socket) -> Packet | None:
    """Receive the next packet; None when there is none on a socket that does not block.

    Raises:
        Disconnected: the other side has ended.
        Malformed: what came is not a packet of ours.
    """
    try:
        data, descriptors, flags, _ = socket.recv_fds(of, LARGEST, _DESCRIPTORS)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError:
        raise Disconnected from None
    try:
        if not data:
            raise Disconnected
        if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC):
            raise Malformed(f"a packet of more than {LARGEST} B came")
        try:
            verb, about = msgpack.unpackb(data, max_array_len=LARGEST, max_map_len=10_000)
            if not isinstance(verb, str) or not isinstance(about, dict):
                raise ValueError
        except Exception:
            # Malformed bytes raise four different exceptions.
            raise Malformed("a packet came that is not [verb, {field: value}] in MessagePack") from None
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return Packet(verb, about, descriptors)


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Return two connected Unix sockets for packets."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
