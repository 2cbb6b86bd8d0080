"""ZeroMQ PUB/SUB over ipc with MessagePack: each array as its bytes with dtype and shape."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import numpy as np
import zmq

from tests.benchmarks.links.lines import Peer
from tests.benchmarks.links.loads import Load

PEER = Peer("ZeroMQ + MessagePack", f"{__name__}:Endpoint", "zmq")

LARGE = 256 * 1024
"""From here on [B] handing over a buffer costs less than copying it."""


class Endpoint:
    """One process: a socket per kind of message and direction."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        self._folder = folder
        self._out, self._in = ("there", "back") if number == 0 else ("back", "there")
        self._context = zmq.Context()

    def sender(self, load: Load) -> Sender:
        """A PUB socket."""
        socket = self._socket(zmq.PUB, load)
        socket.bind(self._address(self._out, load))
        return Sender(socket, load)

    def receiver(self, load: Load) -> Receiver:
        """A SUB socket."""
        socket = self._socket(zmq.SUB, load)
        socket.subscribe(b"")
        socket.connect(self._address(self._in, load))
        return Receiver(socket, load)

    def _socket(self, kind: int, load: Load) -> zmq.Socket[bytes]:
        socket = self._context.socket(kind)
        socket.linger = 0
        socket.set_hwm(load.waiting)
        return socket

    def _address(self, lane: str, load: Load) -> str:
        return f"ipc://{self._folder}/{lane}-{load.name.replace(' ', '-')}"

    def close(self) -> None:
        """Close all sockets."""
        self._context.destroy(linger=0)


class Sender:
    """Packs and publishes."""

    def __init__(self, socket: zmq.Socket[bytes], load: Load) -> None:
        self._send = socket.send
        self._fields = load.fields
        self._copy = load.size < LARGE

    def send(self, message: Any) -> None:
        """Send one."""
        packed: dict[str, Any] = {"acquired": message.acquired}
        for name in self._fields:
            array = getattr(message, name)
            packed[name] = (array.dtype.str, array.shape, array.data)
        self._send(msgpack.packb(packed), copy=self._copy)


class Receiver:
    """Receives and unpacks."""

    def __init__(self, socket: zmq.Socket[bytes], load: Load) -> None:
        self._recv = socket.recv
        self._fields = load.fields
        self._kind: type[Any] = load.kind
        self._copy = load.size < LARGE

    def recv(self) -> Any:
        """Wait for one."""
        frame: Any = self._recv(copy=self._copy)
        packed = msgpack.unpackb(frame if self._copy else frame.buffer)
        arrays = {}
        for name in self._fields:
            dtype, shape, data = packed[name]
            arrays[name] = np.ndarray(shape, dtype, data)
        return self._kind(**arrays, acquired=packed["acquired"])
