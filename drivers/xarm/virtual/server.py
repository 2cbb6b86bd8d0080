"""Server of a virtual control box: its control port, its report ports, and faults on their connections.

One thread serves all of them, so that a client is answered at once, whatever the node of the body is doing.
"""

from __future__ import annotations

import contextlib
import os
import random
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

from drivers.xarm import codec
from drivers.xarm.codec import Broken, Frame
from drivers.xarm.hosts import is_loopback, local_socket
from drivers.xarm.report import Report
from embodied.devices.disturbance import Disturbance, Disturber, flip_bit
from embodied.errors import LinkFailed

REPORTS = {30001: 0.2, 30002: 0.2, 30003: 0.01}
"""Period of the reports on each report port [s]."""

PRIVILEGED = 1024
"""Ports below this number need a privilege that most users lack."""

UNSENT_MOST = 1 << 20
"""Size of the answers that a client may leave unread; one that reads none is disconnected [B]."""

VALUES = 8
"""Replies with a payload of at least this many bytes carry values, and are disturbed [B]."""


@dataclass(eq=False)
class _Client:
    """Connection of a client, with its incomplete request and the bytes that are not sent yet."""

    channel: socket.socket
    port: int
    unread: bytes = b""
    unsent: bytearray = field(default_factory=bytearray)


class Server:
    """Server of one virtual control box on its TCP ports, with a thread of its own.

    Args:
        host: loopback address; several boxes need several.
        port: control port.
        answer: function that returns the reply to a request.
        report: function that returns a report.
        lock: lock that is held while either is called.

    Attributes:
        address: address of the control port.
    """

    def __init__(
        self,
        host: str,
        port: int,
        answer: Callable[[Frame], Frame],
        report: Callable[[], Report],
        lock: threading.Lock,
    ) -> None:
        self.host, self.port = host, port
        self.address = f"{host}:{port}"
        self._answer, self._report, self._lock = answer, report, lock
        self._selector = selectors.DefaultSelector()
        self._clients: list[_Client] = []
        self._listeners: list[socket.socket] = []
        self._file: Path | None = None
        self._wake, self._waker = socket.socketpair()
        self._closed = False
        self._plugged = True
        self._frozen = False
        self._unanswered: frozenset[int] = frozenset()
        self._reporting = True
        self._notices: deque[bytes] = deque()
        self._random = random.Random(0)
        self._disturber: Disturber[bytes] = Disturber(self._flip, _truncated)
        self._due = dict.fromkeys(REPORTS, 0.0)
        self._thread = threading.Thread(target=self._serve, name="virtual control box", daemon=True)

    def open(self) -> None:
        """Listen on all ports, and begin to serve.

        Raises:
            LinkFailed: a port is taken, or may not be used.
        """
        try:
            self._listen_all()
        except BaseException:
            self.close()
            raise
        self._wake.setblocking(False)
        self._selector.register(self._wake, selectors.EVENT_READ, None)
        self._thread.start()

    def close(self) -> None:
        """Stop serving, close all connections, and remove the socket file."""
        if self._closed:
            return
        self._closed = True
        self._waker.send(b"x")
        if self._thread.is_alive():
            self._thread.join()
        for channel in (*(client.channel for client in self._clients), *self._listeners, self._wake, self._waker):
            channel.close()
        self._selector.close()
        if self._file is not None:
            self._file.unlink(missing_ok=True)

    def unplug(self, yes: bool) -> None:
        """Cut all connections and accept none, or accept them again."""
        self._plugged = not yes
        self._waker.send(b"x")

    def freeze(self, yes: bool) -> None:
        """Send nothing more, or send again."""
        self._frozen = yes

    def cut(self) -> None:
        """Cut all connections once; they may be made again at once."""
        for client in list(self._clients):
            with contextlib.suppress(OSError):
                client.channel.shutdown(socket.SHUT_RDWR)

    def withhold(self, registers: frozenset[int], reports: bool = False) -> None:
        """Carry requests of some registers out without answering them, and perhaps stream no reports.

        Args:
            registers: numbers of the registers; none ends it.
            reports: whether the reports are withheld too.
        """
        self._unanswered, self._reporting = registers, not reports

    def disturb(self, how: Disturbance, every: int) -> None:
        """Disturb every nth reply that carries values."""
        self._disturber.set(how, every)

    def send(self, frame: Frame) -> None:
        """Send a frame to every client of the control port, from any thread."""
        # Only the thread that serves touches a client's bytes: they cannot grow while they are being sent.
        self._notices.append(frame.pack())
        self._waker.send(b"x")

    def _listen_all(self) -> None:
        if not is_loopback(self.host):
            raise LinkFailed(f"host must be a loopback address, such as 127.0.0.2, got {self.host}")
        try:
            self._listen(socket.AF_INET, (self.host, self.port), self.port)
        except PermissionError as error:
            if self.port >= PRIVILEGED:
                raise LinkFailed(f"port {self.port} of {self.host} may not be used: {error.strerror}") from error
            # The vendor's client tries this file before the port.
            self._listen_file()
        for port in REPORTS:
            self._listen(socket.AF_INET, (self.host, port), port)

    def _listen(self, family: int, address: tuple[str, int] | str, port: int) -> None:
        listener = socket.socket(family, socket.SOCK_STREAM)
        self._listeners.append(listener)
        if family == socket.AF_INET:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except PermissionError:
            raise
        except OSError as error:
            help_ = "another virtual arm is served there: give this one another host, such as 127.0.0.3"
            raise LinkFailed(f"port {port} of {self.host} cannot be used ({error.strerror}); {help_}") from error
        listener.listen()
        listener.setblocking(False)
        self._selector.register(listener, selectors.EVENT_READ, (listener, port))

    def _listen_file(self) -> None:
        path = local_socket(self.port)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
                raise LinkFailed(
                    f"another virtual arm is served at {path}: give this one another port than {self.port}"
                )
            except FileNotFoundError:
                pass
            except ConnectionRefusedError:
                # Left behind by a process that was killed.
                path.unlink(missing_ok=True)
        self._listen(socket.AF_UNIX, str(path), self.port)
        path.chmod(0o600)
        self._file = path
        self.address = str(path)

    def _serve(self) -> None:
        while not self._closed:
            for key, _ in self._selector.select(0.005):
                if key.data is None:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._wake.fileno(), 4096)
                elif isinstance(key.data, _Client):
                    self._receive(key.data)
                else:
                    self._accept(*key.data)
            if not self._plugged:
                for client in list(self._clients):
                    self._drop(client)
            self._queue_notices()
            self._queue_reports()
            for client in list(self._clients):
                self._flush(client)

    def _accept(self, listener: socket.socket, port: int) -> None:
        with contextlib.suppress(OSError):
            channel, _ = listener.accept()
            if not self._plugged:
                channel.close()
                return
            channel.setblocking(False)
            if channel.family == socket.AF_INET:
                channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            client = _Client(channel, port)
            self._clients.append(client)
            self._selector.register(channel, selectors.EVENT_READ, client)

    def _drop(self, client: _Client) -> None:
        if client in self._clients:
            self._clients.remove(client)
            self._selector.unregister(client.channel)
            client.channel.close()

    def _receive(self, client: _Client) -> None:
        try:
            data = client.channel.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(client)
            return
        if client.port != self.port:
            return
        try:
            frames, client.unread = codec.split(client.unread + data)
        except Broken:
            self._drop(client)
            return
        for frame in frames:
            # Protocol 1 is a heartbeat, which has no answer; protocol 0 is standard Modbus TCP.
            if frame.protocol not in (0, 2, 3) or self._frozen:
                continue
            with self._lock:
                reply = self._answer(frame)
            if frame.register not in self._unanswered:
                client.unsent += self._disturbed(client, reply)
        if len(client.unsent) > UNSENT_MOST:
            self._drop(client)

    def _disturbed(self, client: _Client, reply: Frame) -> bytes:
        data = reply.pack()
        if len(reply.payload) < VALUES:
            return data
        return b"".join(self._disturber.apply(data, stream=client.channel))

    def _flip(self, data: bytes) -> bytes:
        # The length stays: the client could not find the frames behind a wrong one.
        byte = self._random.choice([*range(codec.LENGTH_AT), *range(codec.HEAD.size, len(data))])
        return flip_bit(data, 8 * byte + self._random.randrange(8))

    def _queue_notices(self) -> None:
        while self._notices:
            data = self._notices.popleft()
            for client in self._clients:
                if client.port == self.port and not self._frozen and len(client.unsent) <= UNSENT_MOST:
                    client.unsent += data

    def _queue_reports(self) -> None:
        at = time.monotonic()
        for port, period in REPORTS.items():
            if at < self._due[port]:
                continue
            self._due[port] = at + period
            clients = [client for client in self._clients if client.port == port]
            if clients and self._reporting and not self._frozen:
                with self._lock:
                    data = self._report().pack(port)
                for client in clients:
                    # A client that does not read gets no backlog of reports.
                    if not client.unsent:
                        client.unsent += data

    def _flush(self, client: _Client) -> None:
        if client.unsent:
            try:
                sent = client.channel.send(client.unsent)
                del client.unsent[:sent]
            except BlockingIOError:
                return
            except OSError:
                self._drop(client)


def _truncated(data: bytes) -> bytes:
    (frame,), _ = codec.split(data)
    return replace(frame, payload=frame.payload[: len(frame.payload) // 2]).pack()
