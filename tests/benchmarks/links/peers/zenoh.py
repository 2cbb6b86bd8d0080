"""Zenoh between peers over TCP on the loopback, with shared memory for what is large; no scouting of any kind."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any

from tests.benchmarks.links.flat import Flat
from tests.benchmarks.links.lines import PATIENCE, Peer
from tests.benchmarks.links.loads import Load

PEER = Peer("Zenoh", f"{__name__}:Endpoint", "zenoh")

POOL = 256 * 1024 * 1024
"""Shared memory for what is on its way [B]; its default of 16 MiB does not hold a 4K picture."""


class Endpoint:
    """One process: the near one listens, the far ones connect to it."""

    def __init__(self, folder: Path, number: int, takers: int) -> None:
        import zenoh

        self._zenoh = zenoh
        self._out, self._in = ("there", "back") if number == 0 else ("back", "there")
        config = zenoh.Config()
        address = folder / "zenoh"
        if number == 0:
            # Zenoh does not tell which port it was given.
            with socket.create_server(("127.0.0.1", 0)) as free:
                endpoint = f"tcp/127.0.0.1:{free.getsockname()[1]}"
        else:
            endpoint = _read(address)
        for key, value in {
            "mode": "peer",
            "scouting/multicast/enabled": False,
            "scouting/gossip/enabled": False,
            "listen/endpoints": [endpoint] if number == 0 else [],
            "connect/endpoints": [] if number == 0 else [endpoint],
            "connect/timeout_ms": round(PATIENCE * 1000),
            "transport/shared_memory/enabled": True,
            "transport/shared_memory/transport_optimization/pool_size": POOL,
        }.items():
            config.insert_json5(key, json.dumps(value))
        self._session: Any = zenoh.open(config)
        if number == 0:
            address.with_suffix(".new").write_text(endpoint)
            address.with_suffix(".new").rename(address)

    def sender(self, load: Load) -> Sender:
        """A publisher."""
        return Sender(self._session.declare_publisher(_key(self._out, load)), load)

    def receiver(self, load: Load) -> Receiver:
        """A subscriber with a queue."""
        channel: Any = self._zenoh.handlers.FifoChannel(load.waiting)
        return Receiver(self._session.declare_subscriber(_key(self._in, load), channel), load)

    def close(self) -> None:
        """Close the session."""
        self._session.close()


class Sender:
    """Encodes and puts."""

    def __init__(self, publisher: Any, load: Load) -> None:
        self._put = publisher.put
        self._encoded = Flat(load).encoded

    def send(self, message: Any) -> None:
        """Send one."""
        self._put(self._encoded(message))


class Receiver:
    """Receives and decodes."""

    def __init__(self, subscriber: Any, load: Load) -> None:
        self._recv = subscriber.recv
        self._read = Flat(load).read

    def recv(self) -> Any:
        """Wait for one."""
        return self._read(self._recv().payload.to_bytes())


def _key(lane: str, load: Load) -> str:
    return f"{lane}/{load.name.replace(' ', '-')}"


def _read(path: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > deadline:
            raise TimeoutError(f"no {path}")
    return path.read_text()
