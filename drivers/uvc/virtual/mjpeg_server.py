"""A server of Motion JPEG: pictures to whoever asks, as network cameras send them (multipart/x-mixed-replace)."""

from __future__ import annotations

import socket
import threading
from collections import deque
from collections.abc import Mapping
from contextlib import suppress

BOUNDARY = "picture"
WAITING = 4
"""So many pictures wait for a client that is slow; older ones are left out."""
TIMEOUT = 1.0
"""A client that takes nothing for this long, or does not say what it wants, is let go [s]."""


class Server:
    """Serves one stream to any number of clients, on threads of its own.

    Args:
        host: where it listens.
        port: where it listens; 0 is any that is free.
        path: of the stream; anything else is not found.
        headers: with what it introduces itself.

    Raises:
        OSError: the port is taken.
    """

    def __init__(self, host: str, port: int, path: str, headers: Mapping[str, str]) -> None:
        self._path = path
        self._head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._changed = threading.Condition()
        self._waiting: dict[socket.socket, deque[bytes]] = {}
        self._last: bytes | None = None
        self._plugged, self._over = True, False
        self._listener = socket.create_server((host, port))
        self.address = "http://{}:{}{}".format(*self._listener.getsockname()[:2], path)
        self._threads = [threading.Thread(target=self._accept, name="accept", daemon=True)]
        self._threads[0].start()

    def send(self, jpeg: bytes) -> None:
        """A picture for every client; one that comes later begins with it."""
        part = (
            f"--{BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n".encode() + jpeg + b"\r\n"
        )
        with self._changed:
            self._last = part
            for waiting in self._waiting.values():
                waiting.append(part)
            self._changed.notify_all()

    def unplug(self) -> None:
        """Nothing comes through any more; who is connected, or connects now, hears nothing."""
        with self._changed:
            self._plugged = False

    def plug(self) -> None:
        """Whoever connects from now on is served; links from before are broken."""
        with self._changed:
            self._plugged = True
            for client in list(self._waiting):
                self._forget(client)
            self._changed.notify_all()

    def close(self) -> None:
        """Let every client go."""
        with self._changed:
            self._over = True
            for client in list(self._waiting):
                self._forget(client)
            self._changed.notify_all()
        # A thread that waits in accept is woken by this, and by nothing else.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()

    def _forget(self, client: socket.socket) -> None:
        del self._waiting[client]
        with suppress(OSError):  # it may have gone already
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
                if self._over:
                    return
                self._waiting[client] = deque(maxlen=WAITING)
            with suppress(OSError):  # it has gone, or takes nothing
                self._answer(client)
            with self._changed:
                self._waiting.pop(client, None)

    def _answer(self, client: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            more = client.recv(4096)
            asked += more
            if not more or len(asked) > 65536:
                return
        verb, path, *_ = [*asked.split(b"\r\n", 1)[0].decode("latin-1").split(" "), "", ""]
        found = path == self._path and verb in ("GET", "HEAD")
        kind = f"multipart/x-mixed-replace; boundary={BOUNDARY}" if found else "text/plain"
        status = "200 OK" if found else "404 Not Found"
        with self._changed:
            self._changed.wait_for(lambda: self._plugged or client not in self._waiting)
            if client not in self._waiting:
                return
            # What came before it had said what it wants is not sent twice.
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
