"""What every socket between machines is bounded by."""

from __future__ import annotations

from typing import Any

import zmq
from zmq.utils import z85

from embodied.graph.endpoint import Endpoint
from embodied.links.keys import Keys

MAX_SIZE = 64 * 1024 * 1024
"""No part of a message is larger [B]."""

QUESTION = 2048
"""Nothing that a taker sends is larger [B], its handshake included."""

WAITING = 1024
"""So many messages wait in a socket; what is sent is bounded before, by what was asked for."""

BEAT, PATIENCE = 250, 500
"""A heartbeat goes out every BEAT [ms]; a peer that has not answered after PATIENCE [ms] is gone."""

VANISHED = (BEAT + PATIENCE) * 1_000_000
"""A peer that has vanished without a word is noticed within this [ns], and what the scheduler takes."""


def bounded(socket: zmq.Socket[bytes], endpoint: Endpoint, size: int) -> None:
    """Bound a socket before it binds or connects.

    Args:
        socket: the socket.
        endpoint: where it will be.
        size: of the largest frame that it takes [B].
    """
    # What CURVE adds is not the sender's to count.
    settings: dict[int, Any] = {
        zmq.MAXMSGSIZE: size + 256,
        zmq.SNDHWM: WAITING,
        zmq.RCVHWM: WAITING,
        zmq.LINGER: 0,
        zmq.IMMEDIATE: 1,
        zmq.HEARTBEAT_IVL: BEAT,
        zmq.HEARTBEAT_TIMEOUT: PATIENCE,
        zmq.HANDSHAKE_IVL: 2000,
        zmq.CONNECT_TIMEOUT: 2000,
        zmq.RECONNECT_IVL: 100,
        zmq.RECONNECT_IVL_MAX: 1000,
        zmq.IPV6: int(endpoint.is_ipv6),
    }
    for option, value in settings.items():
        socket.setsockopt(option, value)


def sealed(socket: zmq.Socket[bytes], keys: Keys) -> None:
    """Give a socket this machine's pair of keys."""
    secret = z85.encode(keys.secret())
    socket.setsockopt(zmq.CURVE_SECRETKEY, secret)
    socket.setsockopt(zmq.CURVE_PUBLICKEY, zmq.curve_public(secret))
