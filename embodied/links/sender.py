"""Sender of topics to other machines, with credit-based flow control.

A subscriber grants credit for n messages of a topic, and is sent no more: whatever is published beyond it waits here,
the newest alone or a bounded queue. So a slow subscriber, or one behind a slow network, gets the newest as soon as it
grants credit again; a PUB socket would have dropped just that one, since it drops what comes last. A late subscriber
gets the newest too, and the publisher never waits.
"""

from __future__ import annotations

import secrets
import socket
from collections import Counter, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import zmq

from embodied.errors import LinkFailed
from embodied.graph.endpoint import Endpoint
from embodied.links import tcp
from embodied.links.authenticator import DOMAIN, AllowList, Authenticator, Denied
from embodied.links.frames import MAX_CREDIT, MAX_PARTS, MAX_TOPIC, Ask, Head, Malformed
from embodied.links.keys import Keys

SUBSCRIBERS_MOST = 64
"""Largest number of subscribers with one key; beyond it the oldest is dropped."""

_TURN = 1024
"""Largest number of requests that one `serve` answers."""


@dataclass(slots=True)
class _Sample:
    """A published message, with the frames that are sent."""

    number: int
    sequence: int
    stamp: int
    parts: list[zmq.Frame]


@dataclass(slots=True)
class _Outflow:
    """Flow control of one topic to one subscriber: waiting messages, and the remaining credit."""

    topic: bytes
    waiting: deque[_Sample]
    window: int
    credit: int = 0
    asked: int = 0


@dataclass(slots=True)
class _Subscriber:
    """A connected subscriber, with its key and its topics."""

    key: bytes
    welcome: int
    topics: dict[str, _Outflow] = field(default_factory=dict)


class Sender:
    """Sender of topics to allowed machines; a revoked one gets nothing more at most `authenticator.RELOAD` later.

    Args:
        endpoint: address of this machine, at which it listens.
        keys: its key pair, and the machines that it allows.
        topics: names of the topics that are published.

    Attributes:
        epoch: random number of each sender, by which subscribers detect a restart.
        refused: number of malformed requests, by reason.
        skipped: number of messages that a slow subscriber did not get, by topic: it got newer ones in their place, or
            they were dropped from its queue.

    Raises:
        LaunchError: the keys cannot be used.
        LinkFailed: the endpoint cannot be bound.
    """

    def __init__(self, endpoint: Endpoint, keys: Keys, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        for topic in self.topics:
            if not 0 < len(topic.encode()) <= MAX_TOPIC:
                raise ValueError(f"expected a topic of 1 to {MAX_TOPIC} B, got {topic!r}")
        self.epoch = secrets.randbits(63)
        self.refused: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._newest: dict[str, _Sample] = {}
        self._subscribers: dict[bytes, _Subscriber] = {}
        self._allow = AllowList(keys)
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._authenticator = Authenticator(self._context, keys)
        try:
            tcp.set_bounds(self._socket, endpoint, tcp.REQUEST_SIZE)
            tcp.set_keys(self._socket, keys)
            self._socket.setsockopt(zmq.CURVE_SERVER, 1)
            # With a domain set, connections are denied while no ZAP handler answers.
            self._socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self._authenticator.watch(self._socket)
            self._bind(endpoint)
        except BaseException:
            self.close()
            raise

    def _bind(self, endpoint: Endpoint) -> None:
        family = socket.AF_INET6 if endpoint.is_ipv6 else socket.AF_INET
        try:
            # ZeroMQ binds to addresses and interfaces, not to host names.
            host = str(socket.getaddrinfo(endpoint.host, None, family, socket.SOCK_STREAM)[0][4][0])
            self._socket.bind(str(Endpoint(host, endpoint.port)))
        except (OSError, zmq.ZMQError) as error:
            reason = error.strerror or str(error)
            raise LinkFailed(
                f"cannot listen at {endpoint}, which is to be an address of this machine: {reason}"
            ) from None

    @property
    def denied(self) -> Counter[str]:
        """Number of denied connections, by reason."""
        return Counter(self._authenticator.denied)

    @property
    def last_denied(self) -> tuple[Denied, ...]:
        """Last denied connections, with the keys they showed."""
        return tuple(self._authenticator.last)

    def fileno(self) -> int:
        """Return a descriptor to poll for reading; once it is ready, `serve`."""
        return self._authenticator.fileno()

    def ready(self) -> bool:
        """Return whether a request waits, even if the descriptor is not readable."""
        return bool(int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)

    def subscribers(self, topic: str) -> int:
        """Return the number of subscribers of a topic; a loss is detected within `tcp.VANISHED` plus `RELOAD`."""
        return sum(topic in subscriber.topics for subscriber in self._subscribers.values())

    def send(self, topic: str, sequence: int, stamp: int, *parts: Any) -> None:
        """Send a message to all subscribers of its topic; never waits.

        Args:
            topic: one of the topics of this sender.
            sequence: number of the step of its source.
            stamp: time of that step [ns].
            parts: bytes of the message, or buffers of them; they are copied.

        Raises:
            LinkFailed: the message is larger than links carry.
            KeyError: there is no such topic.
        """
        sizes = [memoryview(part).nbytes for part in parts]
        if not 1 <= len(parts) <= MAX_PARTS or max(sizes) > tcp.MAX_SIZE:
            raise LinkFailed(
                f"'{topic}' published {len(parts)} parts of up to {max(sizes, default=0)} B; "
                f"a link between machines carries 1 to {MAX_PARTS} of up to {tcp.MAX_SIZE} B"
            )
        if topic not in self.topics:
            raise KeyError(topic)
        before = self._newest.get(topic)
        number = 0 if before is None else before.number + 1
        sample = _Sample(number, sequence, stamp, [zmq.Frame(part, copy=True) for part in parts])
        self._newest[topic] = sample
        self._refresh()
        for identity, subscriber in list(self._subscribers.items()):
            flow = subscriber.topics.get(topic)
            if flow is not None:
                self._queue(topic, flow, sample)
                self._flush(identity, flow)
        # ZeroMQ's descriptor is edge-triggered: a send may have consumed the edge of a request that came.
        self.serve()

    def serve(self) -> None:
        """Answer the requests of subscribers, and drop those that have left; never waits."""
        self._authenticator.acknowledge()
        self._refresh()
        for _ in range(_TURN):
            if not self.ready():
                return
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            try:
                self._handle(frames)
            except Malformed as error:
                self.refused[str(error)] += 1
        self._authenticator.nudge()

    def close(self) -> None:
        """Close the port; messages that wait are lost."""
        self._socket.close(linger=0)
        self._authenticator.close()
        self._context.term()

    def _refresh(self) -> None:
        """Drop subscribers that are not allowed any more or have left, at most every `RELOAD`."""
        changed = self._allow.changed()
        if changed is None:
            return
        if changed:
            self._subscribers = {
                i: subscriber for i, subscriber in self._subscribers.items() if subscriber.key in self._allow.names
            }
        for identity, subscriber in list(self._subscribers.items()):
            self._welcome(identity, subscriber)

    def _handle(self, frames: Sequence[zmq.Frame]) -> None:
        self._refresh()
        if len(frames) != 2:
            raise Malformed("too few frames, or too many")
        identity, data = frames[0].bytes, frames[1].bytes
        # The authenticator names each connection by its key.
        key = bytes.fromhex(str(frames[1].get("User-Id")))
        if key not in self._allow.names:
            self._subscribers.pop(identity, None)
            raise Malformed("a key that was revoked")
        if not data:
            self._admit(identity, key)
            return
        ask = Ask.of(data)
        if identity not in self._subscribers or ask.welcome != self._subscribers[identity].welcome:
            raise Malformed("a request before its welcome")
        if ask.topic not in self.topics:
            raise Malformed("an unknown topic")
        self._grant(identity, ask)

    def _admit(self, identity: bytes, key: bytes) -> None:
        held = [other for other, subscriber in self._subscribers.items() if subscriber.key == key]
        if len(held) >= SUBSCRIBERS_MOST:
            del self._subscribers[held[0]]
        subscriber = self._subscribers[identity] = _Subscriber(key, secrets.randbits(63))
        self._welcome(identity, subscriber)

    def _welcome(self, identity: bytes, subscriber: _Subscriber) -> None:
        # Idempotent, and it fails for a subscriber that has left: so it also detects those.
        self._post(identity, (identity, b"", Head(self.epoch, subscriber.welcome, 0, 0, 0).pack()))

    def _grant(self, identity: bytes, ask: Ask) -> None:
        flow = self._subscribers[identity].topics.get(ask.topic)
        if flow is None:
            window = 1 if ask.mode == "latest" else max(1, ask.credit)
            flow = _Outflow(ask.topic.encode(), deque(maxlen=window), ask.credit)
            self._subscribers[identity].topics[ask.topic] = flow
            newest = self._newest.get(ask.topic)
            if newest is not None and newest.number >= ask.number:
                flow.waiting.append(newest)
        flow.credit = min(flow.credit + ask.credit, flow.window, MAX_CREDIT)
        flow.asked = ask.at
        self._flush(identity, flow)

    def _queue(self, topic: str, flow: _Outflow, sample: _Sample) -> None:
        if len(flow.waiting) == flow.waiting.maxlen:
            self.skipped[topic] += 1
        flow.waiting.append(sample)

    def _flush(self, identity: bytes, flow: _Outflow) -> None:
        while flow.waiting and flow.credit:
            sample = flow.waiting[0]
            head = Head(self.epoch, sample.number, sample.sequence, sample.stamp, flow.asked)
            if not self._post(identity, (identity, flow.topic, head.pack(), *sample.parts)):
                return
            flow.waiting.popleft()
            flow.credit -= 1

    def _post(self, identity: bytes, frames: Sequence[Any]) -> bool:
        """Send frames; return False if the socket is full, so that they must wait."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            # Sent at the next request: the subscriber still has messages to read.
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._subscribers.pop(identity, None)
        return True
