"""Connections of clients to a socket of a run: of the same user only, a bounded number, one handler for their packets.

Who connects is always let in: where all places are taken, the client that has been silent longest is dropped. Clients
that connect and then say nothing so cannot keep out one that stops the robot.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from embodied.errors import LinkFailed
from embodied.live.event_loop import EventLoop
from embodied.live.ipc import Disconnected, Malformed, Packet, receive

CLIENTS = 32
"""Most clients that may be connected to one socket at a time."""


@dataclass(slots=True, eq=False)
class Connection:
    """Connection of a client to a socket of a run."""

    channel: socket.socket

    @property
    def waits(self) -> bool:
        """Whether the client rightly says nothing, since it waits for what is sent to it."""
        return False

    def gone(self) -> bool:
        """Return whether the client has hung up, though packets from before may still be there."""
        poll = select.poll()
        poll.register(self.channel, select.POLLRDHUP)
        return bool(poll.poll(0))


ConnectionT = TypeVar("ConnectionT", bound=Connection)


class Connections(Generic[ConnectionT]):
    """Connections of clients to one listening socket.

    Args:
        loop: that waits for the clients.
        listener: the socket; closed here.
        kind: makes the connection of a channel.
        answer: called with each packet; raises LinkFailed or Disconnected to end the connection.
        refuse: called where a packet has another form, with a sentence that says so.
        ended: called with each connection that has ended.

    Attributes:
        clients: those that are connected, the one that has been silent longest first.
    """

    def __init__(
        self,
        loop: EventLoop,
        listener: socket.socket,
        kind: Callable[[socket.socket], ConnectionT],
        answer: Callable[[ConnectionT, Packet], None],
        refuse: Callable[[ConnectionT, str], None],
        ended: Callable[[ConnectionT], None] = lambda _: None,
    ) -> None:
        self.clients: list[ConnectionT] = []
        self._loop = loop
        self._listener = listener
        self._kind = kind
        self._answer = answer
        self._refuse = refuse
        self._ended = ended
        loop.wait(listener.fileno(), self._accept)

    def close(self) -> None:
        """Close every connection and the socket."""
        for client in list(self.clients):
            self.drop(client)
        self._loop.forget(self._listener.fileno())
        self._listener.close()

    def listen(self, listener: socket.socket) -> None:
        """Listen at another socket from now on; those who are connected stay."""
        self._loop.forget(self._listener.fileno())
        self._listener.close()
        self._listener = listener
        self._loop.wait(listener.fileno(), self._accept)

    def drop(self, client: ConnectionT) -> None:
        """Close a connection, if it is still open."""
        if client not in self.clients:
            return
        self.clients.remove(client)
        self._loop.forget(client.channel.fileno())
        client.channel.close()
        self._ended(client)

    def _accept(self) -> None:
        try:
            channel, _ = self._listener.accept()
        except OSError:
            return
        channel.setblocking(False)
        if peer(channel) != os.getuid():
            channel.close()
            return
        if len(self.clients) >= CLIENTS:
            silent = next((client for client in self.clients if not client.waits), self.clients[0])
            # What it has sent just now counts.
            self._serve(silent)
            self.drop(silent)
        client = self._kind(channel)
        self.clients.append(client)
        self._loop.wait(channel.fileno(), lambda: self._serve(client))

    def _serve(self, client: ConnectionT) -> None:
        try:
            try:
                packet = receive(client.channel)
            except Malformed as error:
                self._refuse(client, str(error))
                return
            if packet is None:
                return
            for descriptor in packet.descriptors:
                os.close(descriptor)
            self.clients.remove(client)
            self.clients.append(client)
            self._answer(client, packet)
        except (Disconnected, LinkFailed):
            # It is gone, or it does not read its answers.
            self.drop(client)


def peer(channel: socket.socket) -> int:
    """Return the user at the other end of a connection, as the kernel knows it."""
    _, user, _ = struct.unpack("3i", channel.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    return int(user)
