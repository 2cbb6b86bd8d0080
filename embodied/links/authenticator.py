"""Authentication of machines: a thread that answers ZeroMQ's ZAP requests by the list of allowed keys."""

from __future__ import annotations

import os
import select
import struct
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import zmq

from embodied.errors import LaunchError
from embodied.links.keys import Keys

DOMAIN = b"embodied"
"""ZAP domain of the sockets."""

_ZAP = "inproc://zeromq.zap.01"
_STOP = "inproc://stop"

RELOAD = 500_000_000
"""Period at which the list of allowed machines is read again [ns]."""

RETRY = 1000
"""Delay after which a denied machine connects again, since it may be allowed by then [ms]."""

REMEMBERED = 16
"""Number of denied connections that are remembered."""

_EVENT = struct.Struct("=Hi")
_BROKEN = {
    int(zmq.PROTOCOL_ERROR_ZMTP_MECHANISM_MISMATCH): "no CURVE, or no key",
    int(zmq.PROTOCOL_ERROR_ZMTP_CRYPTOGRAPHIC): "a handshake that was made for another machine's key",
}
_WATCHED = (
    zmq.Event.HANDSHAKE_SUCCEEDED
    | zmq.Event.DISCONNECTED
    | zmq.Event.CONNECT_RETRIED
    | zmq.Event.HANDSHAKE_FAILED_AUTH
    | zmq.Event.HANDSHAKE_FAILED_PROTOCOL
    | zmq.Event.HANDSHAKE_FAILED_NO_DETAIL
)


@dataclass(frozen=True, slots=True)
class Denied:
    """Connection that the authenticator of machines denied.

    Attributes:
        reason: of the denial, in a few words.
        address: of the peer, where that is known.
        key: public key of the peer in hexadecimal digits; empty where it showed none.
    """

    reason: str
    address: str
    key: str = ""


class AllowList:
    """List of machines with allowed keys for the authenticator, read again when the file has changed.

    A list that cannot be read allows nobody.

    Args:
        keys: folder of the list.

    Attributes:
        names: of the allowed machines, by public key [32 B].
        problem: why the list cannot be read; empty where it can.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._stamp: tuple[int, ...] | None = None
        self._checked = 0
        self.names: dict[bytes, str] = {}
        self.problem = ""

    def changed(self) -> bool | None:
        """Return whether the list has changed; None if the last check was less than RELOAD ago."""
        now = time.monotonic_ns()
        if self._checked and now - self._checked < RELOAD:
            return None
        self._checked = now
        return self.refresh()

    def refresh(self) -> bool:
        """Read the list if its file has changed, and return whether it has."""
        stamp = self._keys.stamp()
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            self.names = {key: name for name, key in self._keys.allowed().items()}
            self.problem = ""
        except (LaunchError, OSError) as error:
            self.names, self.problem = {}, str(error)
        return True


class Authenticator:
    """Authenticator of machines: monitors the handshakes of a socket, and decides on them at the listening end.

    Args:
        context: of the socket.
        keys: with the list of allowed machines; None for the connecting end, which decides by the pinned key.

    Attributes:
        denied: number of denied connections, by reason.
        last: denied connections, the last ones.
        connected: at the connecting end, whether the connection stands.
        rejected: at the connecting end, that the connection ended `RETRY` ago and may be tried again.
    """

    def __init__(self, context: zmq.Context[Any], keys: Keys | None) -> None:
        self.denied: Counter[str] = Counter()
        self.last: deque[Denied] = deque(maxlen=REMEMBERED)
        self.connected = self.rejected = False
        self._signal = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._signal, select.EPOLLIN)
        self._allow = None if keys is None else AllowList(keys)
        self._stop = context.socket(zmq.PAIR)
        self._stop.linger = 0
        self._stop.bind(_STOP)
        end = context.socket(zmq.PAIR)
        end.connect(_STOP)
        self._zap: zmq.Socket[bytes] | None = None
        if keys is not None:
            # The ZAP handler must be bound before the socket is, or handshakes would fail.
            self._zap = context.socket(zmq.REP)
            self._zap.linger = 0
            self._zap.bind(_ZAP)
        self._end = end
        self._thread: threading.Thread | None = None
        self._ended = False

    def watch(self, socket: zmq.Socket[bytes]) -> None:
        """Start to monitor a socket; called before the socket binds or connects."""
        self._poll.register(int(socket.getsockopt(zmq.FD)), select.EPOLLIN)
        events = socket.get_monitor_socket(_WATCHED)
        self._thread = threading.Thread(target=self._run, args=(events,), name="authenticator", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Return a descriptor that is readable once frames arrive, a peer connects or leaves, or after `nudge`."""
        return self._poll.fileno()

    def nudge(self) -> None:
        """Make the descriptor of `fileno` readable."""
        os.eventfd_write(self._signal, 1)

    def acknowledge(self) -> None:
        """Reset the descriptor of `fileno`; called before the socket is read."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._signal)

    def close(self) -> None:
        """End the thread; the monitored socket must be closed before."""
        if self._thread is None:
            self._leave(())
        else:
            self._stop.send(b"")
            self._thread.join()
        self._stop.close()
        self._poll.close()
        os.close(self._signal)

    def _run(self, events: zmq.Socket[bytes]) -> None:
        poller = zmq.Poller()
        handlers: dict[Any, Callable[[Any], None]] = {events: self._event}
        if self._zap is not None:
            handlers[self._zap] = self._answer
        for socket in (*handlers, self._end):
            poller.register(socket, zmq.POLLIN)
        while True:
            ready = dict(poller.poll(RETRY if self._ended else None))
            if self._end in ready:
                break
            if self._ended and not ready:
                self._ended = False
                self.rejected = True
                self.nudge()
            for socket, handle in handlers.items():
                if socket in ready:
                    handle(socket)
        self._leave(handlers)

    def _leave(self, sockets: Iterable[zmq.Socket[bytes]]) -> None:
        for socket in {*sockets, self._end, *([] if self._zap is None else [self._zap])}:
            socket.close(linger=0)

    def _answer(self, zap: zmq.Socket[bytes]) -> None:
        """Answer one ZAP request (ZeroMQ RFC 27): version, number, domain, address, identity, mechanism, key."""
        request = zap.recv_multipart()
        _, number, domain, address, _, mechanism, *credentials = request
        assert self._allow is not None
        self._allow.refresh()
        key = credentials[0] if credentials else b""
        name = self._allow.names.get(key) if (domain, mechanism) == (DOMAIN, b"CURVE") else None
        if name is None:
            reason = (
                "the list of allowed machines cannot be read" if self._allow.problem else "a key that is not allowed"
            )
            self._deny(reason, address.decode("ascii", "replace"), key.hex())
            zap.send_multipart((b"1.0", number, b"400", b"not allowed", b"", b""))
        else:
            zap.send_multipart((b"1.0", number, b"200", b"OK", key.hex().encode(), b""))

    def _event(self, events: zmq.Socket[bytes]) -> None:
        event, peer = events.recv_multipart()
        kind, value = _EVENT.unpack(event)
        address = peer.decode("ascii", "replace")
        if kind in (zmq.Event.HANDSHAKE_SUCCEEDED, zmq.Event.DISCONNECTED):
            self.connected = kind == zmq.Event.HANDSHAKE_SUCCEEDED
            self._ended = not self.connected
            self.nudge()
        elif kind == zmq.Event.CONNECT_RETRIED:
            # ZeroMQ reconnects by itself after a broken connection, but not after a denied one.
            self._ended = False
        elif kind == zmq.Event.HANDSHAKE_FAILED_AUTH:
            # The listening end has counted it already, with the key.
            if self._allow is None:
                self._deny("the other machine does not allow this one's key", address)
        elif kind == zmq.Event.HANDSHAKE_FAILED_PROTOCOL:
            self._deny(_BROKEN.get(value, "a handshake that is wrong"), address)
        else:
            self._deny("a handshake that broke off", address)

    def _deny(self, reason: str, address: str, key: str = "") -> None:
        self.denied[reason] += 1
        self.last.append(Denied(reason, address, key))
