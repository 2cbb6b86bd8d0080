"""Options of TCP sockets between machines: bounds on sizes, queues and times, and encryption."""

from __future__ import annotations

from typing import Any

import zmq
from zmq.utils import z85

from embodied.graph.endpoint import Endpoint
from embodied.links.keys import Keys

MAX_SIZE = 64 * 1024 * 1024
"""Largest part of a message [B]."""

REQUEST_SIZE = 2048
"""Largest frame of a subscriber, its handshake included [B]."""

QUEUE = 1024
"""Queue length of a socket; flow control bounds what is sent before [messages]."""

HEARTBEAT = 250
"""Period of heartbeats [ms]."""

HEARTBEAT_TIMEOUT = 500
"""Time without an answer to a heartbeat after which a peer is lost [ms]."""

VANISHED = (HEARTBEAT + HEARTBEAT_TIMEOUT) * 1_000_000
"""Worst-case time to detect the loss of a peer, scheduling aside [ns]."""


def set_bounds(socket: zmq.Socket[bytes], endpoint: Endpoint, size: int) -> None:
    """Set the bounds of a TCP socket, before it binds or connects.

    Args:
        socket: the socket.
        endpoint: at which it binds, or to which it connects.
        size: of the largest frame that it receives [B].
    """
    # CURVE adds some bytes to each frame, beyond the sender's size.
    settings: dict[int, Any] = {
        zmq.MAXMSGSIZE: size + 256,
        zmq.SNDHWM: QUEUE,
        zmq.RCVHWM: QUEUE,
        zmq.LINGER: 0,
        zmq.IMMEDIATE: 1,
        zmq.HEARTBEAT_IVL: HEARTBEAT,
        zmq.HEARTBEAT_TIMEOUT: HEARTBEAT_TIMEOUT,
        zmq.HANDSHAKE_IVL: 2000,
        zmq.CONNECT_TIMEOUT: 2000,
        zmq.RECONNECT_IVL: 100,
        zmq.RECONNECT_IVL_MAX: 1000,
        zmq.IPV6: int(endpoint.is_ipv6),
    }
    for option, value in settings.items():
        socket.setsockopt(option, value)


def set_keys(socket: zmq.Socket[bytes], keys: Keys) -> None:
    """Set the CURVE key pair of this machine on a TCP socket."""
    secret = z85.encode(keys.secret())
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(secret))
