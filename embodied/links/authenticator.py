"""Who is let in: a thread that answers ZeroMQ's question about each key, and counts who was turned away and why."""

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
_ASKED = "inproc://zeromq.zap.01"
_STOP = "inproc://stop"
RELOAD = 500_000_000
"""The list of allowed machines is looked at again after this [ns]."""

RETRY = 1000
"""Whoever was turned away tries again after this [ms], since it may be allowed by then."""

REMEMBERED = 16
"""So many of the last who were turned away are remembered."""

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
    """Somebody who was turned away.

    Attributes:
        reason: in a few words.
        address: where the attempt came from, where that is known.
        key: the public key that was shown, in hexadecimal digits; empty where none was.
    """

    reason: str
    address: str
    key: str = ""


class AllowList:
    """The allowed keys with their machines, read again when the file has changed.

    A list that cannot be read allows nobody: what it was to say is not known.
    """

    def __init__(self, keys: Keys) -> None:
        self._keys = keys
        self._stamp: tuple[int, ...] | None = None
        self._looked = 0
        self.names: dict[bytes, str] = {}
        self.problem = ""

    def changed(self) -> bool | None:
        """Whether it has changed; None if it was looked at a moment ago, within RELOAD."""
        now = time.monotonic_ns()
        if self._looked and now - self._looked < RELOAD:
            return None
        self._looked = now
        return self.refresh()

    def refresh(self) -> bool:
        """Whether it has changed by now."""
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


class Gate:
    """Watches the handshakes of a socket, and decides on them where it is the listening end.

    Args:
        context: of the socket.
        keys: whose list of machines is believed; None for the end that connects, which decides by the pinned key.

    Attributes:
        denied: how many were turned away, by reason.
        last: the last of them.
        connected: for the end that connects, whether the other is there.
        turned_away: for the end that connects, that its connection was ended a while ago, and that it may try again.
    """

    def __init__(self, context: zmq.Context[Any], keys: Keys | None) -> None:
        self.denied: Counter[str] = Counter()
        self.last: deque[Denied] = deque(maxlen=REMEMBERED)
        self.connected = self.turned_away = False
        self._news = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._poll = select.epoll()
        self._poll.register(self._news, select.EPOLLIN)
        self._allow = None if keys is None else AllowList(keys)
        self._stop = context.socket(zmq.PAIR)
        self._stop.linger = 0
        self._stop.bind(_STOP)
        end = context.socket(zmq.PAIR)
        end.connect(_STOP)
        self._zap: zmq.Socket[bytes] | None = None
        if keys is not None:
            # It has to be there before the socket is bound, or handshakes would fail.
            self._zap = context.socket(zmq.REP)
            self._zap.linger = 0
            self._zap.bind(_ASKED)
        self._end = end
        self._thread: threading.Thread | None = None
        self._ended = False

    def watch(self, socket: zmq.Socket[bytes]) -> None:
        """Begin; to be called before the socket binds or connects."""
        self._poll.register(int(socket.getsockopt(zmq.FD)), select.EPOLLIN)
        events = socket.get_monitor_socket(_WATCHED)
        self._thread = threading.Thread(target=self._run, args=(events,), name="gate", daemon=True)
        self._thread.start()

    def fileno(self) -> int:
        """Descriptor that is readable once the socket may have something, a peer has come or gone, or it was nudged."""
        return self._poll.fileno()

    def nudge(self) -> None:
        """Make the descriptor readable."""
        os.eventfd_write(self._news, 1)

    def heard(self) -> None:
        """Take note of what made the descriptor readable, before the socket is looked at."""
        with suppress(BlockingIOError):
            os.eventfd_read(self._news)

    def close(self) -> None:
        """End the thread; the socket that is watched is closed before."""
        if self._thread is None:
            self._leave(())
        else:
            self._stop.send(b"")
            self._thread.join()
        self._stop.close()
        self._poll.close()
        os.close(self._news)

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
                self.turned_away = True
                self.nudge()
            for socket, handle in handlers.items():
                if socket in ready:
                    handle(socket)
        self._leave(handlers)

    def _leave(self, sockets: Iterable[zmq.Socket[bytes]]) -> None:
        for socket in {*sockets, self._end, *([] if self._zap is None else [self._zap])}:
            socket.close(linger=0)

    def _answer(self, zap: zmq.Socket[bytes]) -> None:
        """One handshake: version, request, domain, address, identity, mechanism, key."""
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
        told, place = events.recv_multipart()
        kind, value = _EVENT.unpack(told)
        address = place.decode("ascii", "replace")
        if kind in (zmq.Event.HANDSHAKE_SUCCEEDED, zmq.Event.DISCONNECTED):
            self.connected = kind == zmq.Event.HANDSHAKE_SUCCEEDED
            self._ended = not self.connected
            self.nudge()
        elif kind == zmq.Event.CONNECT_RETRIED:
            # ZeroMQ tries again by itself after a connection that broke, but not after one that was refused.
            self._ended = False
        elif kind == zmq.Event.HANDSHAKE_FAILED_AUTH:
            # The listening end has counted it with its key.
            if self._allow is None:
                self._deny("the other machine does not allow this one's key", address)
        elif kind == zmq.Event.HANDSHAKE_FAILED_PROTOCOL:
            self._deny(_BROKEN.get(value, "a handshake that is wrong"), address)
        else:
            self._deny("a handshake that broke off", address)

    def _deny(self, reason: str, address: str, key: str = "") -> None:
        self.denied[reason] += 1
        self.last.append(Denied(reason, address, key))
