"""Packets between launcher, workers and command line: a MessagePack message with file descriptors beside it.

The sockets are SOCK_SEQPACKET of the Unix family: a packet arrives whole or not at all, the kernel names its sender,
and the end of a process closes its socket.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgpack

from embodied.errors import LinkFailed

LARGEST = 128 * 1024
"""Largest size of a packet [B]."""

_DESCRIPTORS = 8
"""Most descriptors in a packet."""


class Disconnected(Exception):
    """Exception for a peer process that has ended."""


@dataclass(slots=True)
class Packet:
    """Packet as it was received.

    Attributes:
        verb: name of the request, command or answer.
        about: fields of the packet.
        descriptors: file descriptors that came with it; the receiver closes them.
    """

    verb: str
    about: dict[str, Any]
    descriptors: list[int]


def send(to: socket.socket, verb: str, /, descriptors: Sequence[int] = (), **about: Any) -> None:
    """Send a packet, with descriptors that are duplicated in the peer.

    Raises:
        Disconnected: the peer has ended.
        LinkFailed: the packet is too large, or the peer does not read and its queue is full.
    """
    data = msgpack.packb([verb, about])
    if len(data) > LARGEST:
        raise LinkFailed(f"packet '{verb}' must be at most {LARGEST} B long, got {len(data)} B")
    try:
        socket.send_fds(to, [data], list(descriptors), socket.MSG_NOSIGNAL)
    except BlockingIOError:
        raise LinkFailed(f"'{verb}' was not taken: the other side does not read") from None
    except OSError:
        raise Disconnected from None


def receive(of: socket.socket) -> Packet | None:
    """Receive the next packet; None if a socket that does not block has none.

    Raises:
        Disconnected: the peer has ended.
        LinkFailed: the data is no packet of this protocol.
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
            raise LinkFailed(f"packet must be at most {LARGEST} B long, got a longer one")
        try:
            verb, about = msgpack.unpackb(data, max_array_len=LARGEST, max_map_len=10_000)
            if not isinstance(verb, str) or not isinstance(about, dict):
                raise ValueError
        except Exception:
            # Malformed bytes raise one of four exceptions in msgpack.
            raise LinkFailed("got a packet that is not of this protocol") from None
    except BaseException:
        for descriptor in descriptors:
            os.close(descriptor)
        raise
    return Packet(verb, about, descriptors)


def socket_pair() -> tuple[socket.socket, socket.socket]:
    """Create two connected packet sockets of the Unix family."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
