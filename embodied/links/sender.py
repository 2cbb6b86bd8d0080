"""The giving end of a link between machines.

A taker asks for so many messages of a topic, and is sent no more than that: what is published beyond it waits here, the
newest alone or a bounded queue. So a taker that is slow, or a network that is, gets the newest as soon as it asks
again; a PUB socket would have dropped just that one, since it drops what comes last. A taker that comes late gets the
newest too, and nothing waits for anybody.
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
from embodied.links.authenticator import DOMAIN, AllowList, Denied, Gate
from embodied.links.frames import MAX_CREDIT, MAX_PARTS, MAX_TOPIC, Ask, Head, Malformed
from embodied.links.keys import Keys

TAKERS = 64
"""One key has at most so many takers; of more, the oldest is forgotten."""

_TURN = 1024
"""So many questions are answered before the owner has its turn again."""


@dataclass(slots=True)
class _Letter:
    number: int
    sequence: int
    stamp: int
    parts: list[zmq.Frame]


@dataclass(slots=True)
class _Taking:
    """What one taker takes of one topic: what waits for it, and how many more it has asked for."""

    topic: bytes
    waiting: deque[_Letter]
    window: int
    credit: int = 0
    asked: int = 0


@dataclass(slots=True)
class _Taker:
    """Somebody who has connected."""

    key: bytes
    welcome: int
    topics: dict[str, _Taking] = field(default_factory=dict)


class Sender:
    """Sends topics to the machines whose keys are allowed; one that is revoked gets nothing more after `gate.RELOAD`.

    Args:
        endpoint: where this machine is reached.
        keys: its pair, and the machines that it allows.
        topics: what may be asked for.

    Attributes:
        epoch: drawn anew for each sender, so that takers see a new beginning.
        refused: how many questions made no sense, by reason.
        skipped: how many messages were not sent since the taker was slow, by topic: in their place it got newer ones,
            or they were dropped from its queue.

    Raises:
        LaunchError: the keys cannot be used.
        LinkFailed: nobody can listen there.
    """

    def __init__(self, endpoint: Endpoint, keys: Keys, topics: Iterable[str]) -> None:
        self.topics = frozenset(topics)
        for topic in self.topics:
            if not 0 < len(topic.encode()) <= MAX_TOPIC:
                raise ValueError(f"expected a topic of 1 to {MAX_TOPIC} B, got {topic!r}")
        self.epoch = secrets.randbits(63)
        self.refused: Counter[str] = Counter()
        self.skipped: Counter[str] = Counter()
        self._newest: dict[str, _Letter] = {}
        self._takers: dict[bytes, _Taker] = {}
        self._allow = AllowList(keys)
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._gate = Gate(self._context, keys)
        try:
            tcp.bounded(self._socket, endpoint, tcp.QUESTION)
            tcp.sealed(self._socket, keys)
            self._socket.setsockopt(zmq.CURVE_SERVER, 1)
            # With a domain set nobody gets in if the gate does not answer.
            self._socket.setsockopt(zmq.ZAP_DOMAIN, DOMAIN)
            self._socket.setsockopt(zmq.ROUTER_MANDATORY, 1)
            self._gate.watch(self._socket)
            self._bind(endpoint)
        except BaseException:
            self.close()
            raise

    def _bind(self, endpoint: Endpoint) -> None:
        family = socket.AF_INET6 if endpoint.is_ipv6 else socket.AF_INET
        try:
            # ZeroMQ binds to addresses and interfaces, and not to the names that people write.
            host = str(socket.getaddrinfo(endpoint.host, None, family, socket.SOCK_STREAM)[0][4][0])
            self._socket.bind(str(Endpoint(host, endpoint.port)))
        except (OSError, zmq.ZMQError) as error:
            reason = error.strerror or str(error)
            raise LinkFailed(
                f"cannot listen at {endpoint}, which is to be an address of this machine: {reason}"
            ) from None

    @property
    def denied(self) -> Counter[str]:
        """How many were turned away, by reason."""
        return Counter(self._gate.denied)

    @property
    def last_denied(self) -> tuple[Denied, ...]:
        """The last who were turned away, with the keys they showed."""
        return tuple(self._gate.last)

    def fileno(self) -> int:
        """Descriptor to poll for reading; once it is ready, `serve`."""
        return self._gate.fileno()

    def ready(self) -> bool:
        """Whether a question waits, be it without the descriptor saying so."""
        return bool(int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)

    def takers(self, topic: str) -> int:
        """How many take a topic now; one that has gone is noticed within `tcp.VANISHED` and `gate.RELOAD`."""
        return sum(topic in taker.topics for taker in self._takers.values())

    def send(self, topic: str, sequence: int, stamp: int, *parts: Any) -> None:
        """Send a message to all who take its topic; never waits.

        Args:
            topic: one of those that were named.
            sequence: number of the step of its source; carried along.
            stamp: a time of its source [ns]; carried along.
            parts: bytes of the message, or buffers of them; they are copied.

        Raises:
            LinkFailed: it is larger than links carry.
        """
        sizes = [memoryview(part).nbytes for part in parts]
        if not 1 <= len(parts) <= MAX_PARTS or max(sizes) > tcp.MAX_SIZE:
            raise LinkFailed(
                f"'{topic}' gave {len(parts)} parts of up to {max(sizes, default=0)} B; "
                f"a link between machines carries 1 to {MAX_PARTS} of up to {tcp.MAX_SIZE} B"
            )
        if topic not in self.topics:
            raise KeyError(topic)
        before = self._newest.get(topic)
        number = 0 if before is None else before.number + 1
        letter = _Letter(number, sequence, stamp, [zmq.Frame(part, copy=True) for part in parts])
        self._newest[topic] = letter
        self._reconsider()
        for identity, taker in list(self._takers.items()):
            taking = taker.topics.get(topic)
            if taking is not None:
                self._queue(topic, taking, letter)
                self._flush(identity, taking)
        # Sending may have swallowed the sign that a question has come.
        self.serve()

    def serve(self) -> None:
        """Answer what takers ask, and now and then forget who has gone; never waits."""
        self._gate.heard()
        self._reconsider()
        for _ in range(_TURN):
            if not self.ready():
                return
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            try:
                self._hear(frames)
            except Malformed as error:
                self.refused[str(error)] += 1
        self._gate.nudge()

    def close(self) -> None:
        """Give the port back; what has not been sent is lost."""
        self._socket.close(linger=0)
        self._gate.close()
        self._context.term()

    def _reconsider(self) -> None:
        """Now and then forget who is allowed no more, and who has gone."""
        changed = self._allow.changed()
        if changed is None:
            return
        if changed:
            self._takers = {i: taker for i, taker in self._takers.items() if taker.key in self._allow.names}
        for identity, taker in list(self._takers.items()):
            self._welcome(identity, taker)

    def _hear(self, frames: Sequence[zmq.Frame]) -> None:
        self._reconsider()
        if len(frames) != 2:
            raise Malformed("too few frames, or too many")
        identity, data = frames[0].bytes, frames[1].bytes
        # The gate let this key in, and gave it as the name of its connection.
        key = bytes.fromhex(str(frames[1].get("User-Id")))
        if key not in self._allow.names:
            self._takers.pop(identity, None)
            raise Malformed("a key that was revoked")
        if not data:
            self._admit(identity, key)
            return
        ask = Ask.of(data)
        if identity not in self._takers or ask.welcome != self._takers[identity].welcome:
            raise Malformed("a question before its welcome")
        if ask.topic not in self.topics:
            raise Malformed("an unknown topic")
        self._give(identity, ask)

    def _admit(self, identity: bytes, key: bytes) -> None:
        held = [other for other, taker in self._takers.items() if taker.key == key]
        if len(held) >= TAKERS:
            del self._takers[held[0]]
        taker = self._takers[identity] = _Taker(key, secrets.randbits(63))
        self._welcome(identity, taker)

    def _welcome(self, identity: bytes, taker: _Taker) -> None:
        # Said again to one who has heard it, it changes nothing; to one who has gone, it cannot be said.
        self._post(identity, (identity, b"", Head(self.epoch, taker.welcome, 0, 0, 0).pack()))

    def _give(self, identity: bytes, ask: Ask) -> None:
        taking = self._takers[identity].topics.get(ask.topic)
        if taking is None:
            window = 1 if ask.mode == "latest" else max(1, ask.credit)
            taking = _Taking(ask.topic.encode(), deque(maxlen=window), ask.credit)
            self._takers[identity].topics[ask.topic] = taking
            newest = self._newest.get(ask.topic)
            if newest is not None and newest.number >= ask.number:
                taking.waiting.append(newest)
        taking.credit = min(taking.credit + ask.credit, taking.window, MAX_CREDIT)
        taking.asked = ask.at
        self._flush(identity, taking)

    def _queue(self, topic: str, taking: _Taking, letter: _Letter) -> None:
        if len(taking.waiting) == taking.waiting.maxlen:
            self.skipped[topic] += 1
        taking.waiting.append(letter)

    def _flush(self, identity: bytes, taking: _Taking) -> None:
        while taking.waiting and taking.credit:
            letter = taking.waiting[0]
            head = Head(self.epoch, letter.number, letter.sequence, letter.stamp, taking.asked)
            if not self._post(identity, (identity, taking.topic, head.pack(), *letter.parts)):
                return
            taking.waiting.popleft()
            taking.credit -= 1

    def _post(self, identity: bytes, frames: Sequence[Any]) -> bool:
        """Whether it is on its way, or need not be any more."""
        try:
            self._socket.send_multipart(frames, zmq.NOBLOCK, copy=False)
        except zmq.Again:
            # It is sent when the taker, which has enough to go on with, asks again.
            return False
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise
            self._takers.pop(identity, None)
        return True
