"""Receiver of topics from another machine, with credit-based flow control."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import zmq
from zmq.utils import z85

from embodied.errors import nearest
from embodied.graph.endpoint import Endpoint
from embodied.links import tcp
from embodied.links.authenticator import AllowList, Authenticator
from embodied.links.frames import MAX_CREDIT, Ask, Head, Malformed, Mode, read
from embodied.links.keys import Keys, wrong

AHEAD = 4
"""Messages under way at once of a topic whose latest counts: enough for 200 Hz at a round trip of 20 ms."""

_TURN = 1024
"""Largest number of messages that one `drain` reads."""

_RETIRED = 16
"""Number of past epochs that are remembered, to refuse late frames of theirs."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """Message that the receiver of topics got from another machine.

    Attributes:
        topic: name of the topic.
        sequence: number of the step of its source.
        stamp: time of that step, on the clock of its machine [ns].
        asked: lower bound of the time of sending, on the clock of `drain` [ns]; the age is at most now less this.
        parts: bytes of the message; each stays valid while it is referenced.
    """

    topic: str
    sequence: int
    stamp: int
    asked: int
    parts: tuple[memoryview, ...]


@dataclass(slots=True)
class _Inflow:
    """Flow control of one topic: credit that is granted, and credit that is owed to the sender."""

    mode: Mode
    window: int
    credit: int = 0
    owed: int = 0
    next: int = 0


class Receiver:
    """Receiver of topics from one other machine; a revoked key is refused at most `authenticator.RELOAD` later.

    Args:
        endpoint: address of the other machine.
        machine: its name in the list of allowed machines; only the key of that name is accepted.
        keys: this machine's key pair, and that list.
        topics: by topic, the queue length where every message counts [messages]; None where the latest counts.

    Attributes:
        skipped: number of messages passed over, by topic: a newer one took their place, or a queue was full.
        refused: number of malformed messages, by reason.
        received: number of messages delivered, by topic.

    Raises:
        LaunchError: the keys cannot be used, or the other machine's key is not known.
    """

    def __init__(self, endpoint: Endpoint, machine: str, keys: Keys, topics: Mapping[str, int | None]) -> None:
        allowed = keys.allowed()
        if machine not in allowed:
            fix = f"on '{machine}': embodied keys show; then here: embodied keys allow {machine} KEY"
            raise wrong(
                "E914", f"no machine '{machine}' is allowed", *nearest(machine, allowed), fix, where=keys.folder
            )
        self.skipped: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.received: Counter[str] = Counter()
        self._flows = {
            topic: _Inflow("latest", AHEAD) if bound is None else _Inflow("every", min(max(1, bound), MAX_CREDIT))
            for topic, bound in topics.items()
        }
        self._epoch = self._welcome = -1
        self._retired: deque[int] = deque(maxlen=_RETIRED)
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self._authenticator = Authenticator(self._context, None)
        self._endpoint = str(endpoint)
        self._allow, self._machine, self._key = AllowList(keys), machine, allowed[machine]
        self._trusted = True
        try:
            tcp.set_bounds(self._socket, endpoint, tcp.MAX_SIZE)
            # A socket whose queue is full reads no heartbeats either, so the queue holds all that may be under way,
            # however long its owner sleeps.
            window = sum(flow.window for flow in self._flows.values())
            self._socket.setsockopt(zmq.RCVHWM, tcp.QUEUE + window)
            tcp.set_keys(self._socket, keys)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(allowed[machine]))
            # The other end gets an empty message on each connection, and answers it with its welcome.
            self._socket.setsockopt(zmq.PROBE_ROUTER, 1)
            self._authenticator.watch(self._socket)
            self._socket.connect(self._endpoint)
        except BaseException:
            self.close()
            raise

    @property
    def connected(self) -> bool:
        """Whether the other machine is connected and trusted; its loss is detected within `tcp.VANISHED`."""
        return self._trusted and self._authenticator.connected

    @property
    def denied(self) -> Counter[str]:
        """Number of denied connections between the two machines, by reason."""
        return Counter(self._authenticator.denied)

    def fileno(self) -> int:
        """Return a descriptor to poll for reading; once it is ready, and when the connection changes, `drain`."""
        return self._authenticator.fileno()

    def ready(self) -> bool:
        """Return whether a message waits, even if the descriptor is not readable."""
        return bool(int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)

    def drain(self, now: int) -> list[Arrival]:
        """Return what has arrived, oldest first: of each topic the latest, or every one; never waits.

        Args:
            now: time on the caller's clock [ns].
        """
        self._update_trust()
        arrivals: list[Arrival | None] = []
        places: dict[str, int] = {}
        for _ in range(_TURN):
            if not self.ready():
                self._ask(now)
                # ZeroMQ's descriptor is edge-triggered: a send may have consumed the edge of a message that came.
                if not self.ready():
                    break
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            try:
                if not self._trusted:
                    raise Malformed("a key that was revoked")
                arrival = self._read([frame.buffer for frame in frames])
            except Malformed as error:
                self.refused[str(error)] += 1
                continue
            if arrival is None:
                continue
            topic = arrival.topic
            if self._flows[topic].mode == "latest":
                if topic in places:
                    arrivals[places[topic]] = None
                    self.skipped[topic] += 1
                places[topic] = len(arrivals)
            arrivals.append(arrival)
        else:
            self._ask(now)
            self._authenticator.nudge()
        kept = [arrival for arrival in arrivals if arrival is not None]
        self.received.update(arrival.topic for arrival in kept)
        return kept

    def close(self) -> None:
        """Close the connection and end the thread."""
        self._socket.close(linger=0)
        self._authenticator.close()
        self._context.term()

    def _update_trust(self) -> None:
        """Follow the list of allowed machines, and connect again after a denial."""
        self._authenticator.acknowledge()
        if self._allow.changed() and self._allow.names.get(self._key) != self._machine:
            self._trusted = False
            with suppress(zmq.ZMQError):
                self._socket.disconnect(self._endpoint)
        if self._authenticator.rejected and self._trusted:
            self._authenticator.rejected = False
            with suppress(zmq.ZMQError):
                self._socket.disconnect(self._endpoint)
            self._socket.connect(self._endpoint)

    def _read(self, frames: Sequence[memoryview]) -> Arrival | None:
        topic, head = read(frames)
        if not topic:
            self._begin(head)
            return None
        if head.epoch != self._epoch:
            raise Malformed("another epoch")
        flow = self._flows.get(topic)
        if flow is None:
            raise Malformed("an unknown topic")
        if head.number < flow.next:
            raise Malformed("a number that does not grow")
        if not flow.credit:
            raise Malformed("more than was asked for")
        if head.number > flow.next:
            self.skipped[topic] += head.number - flow.next
        flow.next = head.number + 1
        flow.credit -= 1
        flow.owed += 1
        return Arrival(topic, head.sequence, head.stamp, head.asked, tuple(frames[2:]))

    def _begin(self, head: Head) -> None:
        """Handle a welcome, at the first connection or after a break: credit for every topic is granted afresh."""
        if (head.epoch, head.number) == (self._epoch, self._welcome):
            return
        if head.epoch in self._retired:
            raise Malformed("an epoch that has passed")
        restarted = head.epoch != self._epoch
        if restarted:
            self._retired.append(self._epoch)
            self._epoch = head.epoch
        self._welcome = head.number
        for flow in self._flows.values():
            flow.credit, flow.owed = 0, flow.window
            flow.next = 0 if restarted else flow.next

    def _ask(self, now: int) -> None:
        for topic, flow in self._flows.items():
            if not flow.owed:
                continue
            ask = Ask(topic, flow.mode, flow.owed, self._welcome, flow.next, now)
            try:
                self._socket.send(ask.pack(), zmq.NOBLOCK)
            except zmq.Again:
                # Not connected; the next welcome grants all credit afresh.
                return
            flow.credit += flow.owed
            flow.owed = 0
