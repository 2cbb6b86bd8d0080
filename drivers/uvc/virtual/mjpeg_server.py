"""Server of Motion JPEG over HTTP, as network cameras send it (multipart/x-mixed-replace)."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

BOUNDARY = "picture"
"""Boundary between the parts of the stream."""

BACKLOG = 4
"""Largest number of pictures that wait for a slow client; older ones are dropped."""

CLIENTS_MOST = 128
"""Largest number of clients at a time; a further one is disconnected at once."""

REQUEST_MOST = 65536
"""Size of the longest request that is read [B]."""

REQUEST_TIMEOUT = 5.0
"""Time in which a client's whole request must come [s]."""

TIMEOUT = 1.0
"""Time after which a client that reads nothing, or sends no request, is disconnected [s]."""


class MjpegServer:
    """Server of one Motion JPEG stream to any number of clients, with threads of its own.

    Args:
        host: address to listen at.
        port: port to listen at; 0 for any free one.
        path: path of the stream; any other is answered by 404.
        headers: HTTP headers of every answer.

    Attributes:
        address: URL of the stream.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, host: str, port: int, path: str, headers: Mapping[str, str]) -> None:
        self._path = path
        self._head = _head(headers)
        self._changed = threading.Condition()
        self._waiting: dict[socket.socket, deque[bytes]] = {}
        self._last: bytes | None = None
        self._plugged, self._closed = True, False
        self._listener = socket.create_server((host, port))
        self.address = "http://{}:{}{}".format(*self._listener.getsockname()[:2], path)
        self._threads = [threading.Thread(target=self._accept, name="accept", daemon=True)]
        self._threads[0].start()

    def send(self, jpeg: bytes) -> None:
        """Send a picture to every client; a new client starts with the last one."""
        part = (
            f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n"
        )
        with self._changed:
            self._last = part
            for waiting in self._waiting.values():
                waiting.append(part)
            self._changed.notify_all()

    def unplug(self) -> None:
        """Send nothing more, neither to clients that are connected nor to new ones."""
        with self._changed:
            self._plugged = False

    def plug(self) -> None:
        """Break the old connections, and serve new ones."""
        with self._changed:
            self._plugged = True
            for client in list(self._waiting):
                self._disconnect(client)
            self._changed.notify_all()

    def introduce(self, headers: Mapping[str, str]) -> None:
        """Break all connections, and serve new ones with other HTTP headers, as another server at this address."""
        with self._changed:
            self._head = _head(headers)
            self._last = None
        self.plug()

    def close(self) -> None:
        """Stop serving, and close every connection."""
        with self._changed:
            self._closed = True
            for client in list(self._waiting):
                self._disconnect(client)
            self._changed.notify_all()
        # Only this wakes the thread that waits in accept.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _disconnect(self, client: socket.socket) -> None:
        del self._waiting[client]
        with suppress(OSError):  # it may be disconnected already
            client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            client.settimeout(TIMEOUT)
            thread = threading.Thread(target=self._serve, args=(client,), name="client", daemon=True)
            self._threads = [t for t in self._threads if t.is_alive()] + [thread]
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client:
            with self._changed:
                if self._closed or len(self._waiting) >= CLIENTS_MOST:
                    return
                self._waiting[client] = deque(maxlen=BACKLOG)
            with suppress(OSError):  # it is disconnected, or reads nothing
                self._answer(client)
            with self._changed:
                self._waiting.pop(client, None)

    def _answer(self, client: socket.socket) -> None:
        request, deadline = b"", time.monotonic() + REQUEST_TIMEOUT
        while b"\r\n\r\n" not in request:
            data = client.recv(4096)
            request += data
            if not data or len(request) > REQUEST_MOST or time.monotonic() > deadline:
                return
        verb, path, *_ = [*request.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        found = path == self._path and verb in ("GET", "HEAD")
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}" if found else "text/plain"
        status = "200 OK" if found else "404 Not Found"
        with self._changed:
            self._changed.wait_for(lambda: self._plugged or client not in self._waiting)
            if client not in self._waiting:
                return
            # Drop pictures that were queued before its request, so that the last one is not sent twice.
            self._waiting[client].clear()
            if self._last is not None:
                self._waiting[client].append(self._last)
        client.sendall(f"HTTP/1.0 {status}\r\n{self._head}Content-Type: {kind}\r\nConnection: close\r\n\r\n".encode())
        while found and verb == "GET":
            with self._changed:
                self._changed.wait_for(
                    lambda: client not in self._waiting or (self._plugged and bool(self._waiting[client]))
                )
                if client not in self._waiting:
                    return
                part = self._waiting[client].popleft()
            client.sendall(part)


def _head(headers: Mapping[str, str]) -> str:
    return "".join(f"{name}: {value}\r\n" for name, value in headers.items())
