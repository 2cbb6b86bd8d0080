"""The taking end of a link between machines."""

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
from embodied.links.authenticator import AllowList, Gate
from embodied.links.frames import MAX_CREDIT, Ask, Head, Malformed, Mode, read
from embodied.links.keys import Keys, wrong

AHEAD = 4
"""Of a topic of which the latest counts, so many are on their way at once: 200 Hz over 20 ms there and back."""

_TURN = 1024
"""So many frames are read before the owner has its turn again."""

_RETIRED = 16


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message that has come from another machine.

    Attributes:
        topic: its topic.
        sequence: number of the step of its source.
        stamp: a time of its source, on the clock of its machine [ns].
        asked: it was sent after this, on the clock that `drain` is given [ns]: it is no older than now less this.
        parts: bytes of the message; each stays valid while it is referenced.
    """

    topic: str
    sequence: int
    stamp: int
    asked: int
    parts: tuple[memoryview, ...]


@dataclass(slots=True)
class _Taking:
    mode: Mode
    window: int
    credit: int = 0
    owed: int = 0
    next: int = 0


class Receiver:
    """Takes topics from one other machine; one that is revoked is not believed any more after `gate.RELOAD`.

    Args:
        endpoint: where the other machine is reached.
        machine: its name in the list of allowed machines; nobody with another key is believed.
        keys: this machine's pair, and that list.
        topics: by topic how many may wait of one of which every message counts; None where the latest counts.

    Attributes:
        skipped: how many messages were passed over, by topic: newer ones took their place, or a queue was full.
        refused: how many frames made no sense, by reason.
        received: how many messages were handed over, by topic.

    Raises:
        LaunchError: the keys cannot be used, or that machine's is not known.
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
        self._takings = {
            topic: _Taking("latest", AHEAD) if bound is None else _Taking("every", min(max(1, bound), MAX_CREDIT))
            for topic, bound in topics.items()
        }
        self._epoch = self._welcome = -1
        self._retired: deque[int] = deque(maxlen=_RETIRED)
        self._context: zmq.Context[Any] = zmq.Context()
        self._socket: zmq.Socket[bytes] = self._context.socket(zmq.DEALER)
        self._gate = Gate(self._context, None)
        self._endpoint = str(endpoint)
        self._allow, self._machine, self._key = AllowList(keys), machine, allowed[machine]
        self._believed = True
        try:
            tcp.bounded(self._socket, endpoint, tcp.MAX_SIZE)
            # A socket that is full reads no heartbeats either: all that may be on its way has room, however long its
            # owner sleeps.
            room = sum(taking.window for taking in self._takings.values())
            self._socket.setsockopt(zmq.RCVHWM, tcp.WAITING + room)
            tcp.sealed(self._socket, keys)
            self._socket.setsockopt(zmq.CURVE_SERVERKEY, z85.encode(allowed[machine]))
            # Whenever it has connected, the other end hears of it and says who it is.
            self._socket.setsockopt(zmq.PROBE_ROUTER, 1)
            self._gate.watch(self._socket)
            self._socket.connect(self._endpoint)
        except BaseException:
            self.close()
            raise

    @property
    def connected(self) -> bool:
        """Whether the other machine is there and believed; that it has vanished is noticed within `tcp.VANISHED`."""
        return self._believed and self._gate.connected

    @property
    def denied(self) -> Counter[str]:
        """How often the two machines did not agree about each other's keys, by reason."""
        return Counter(self._gate.denied)

    def fileno(self) -> int:
        """Descriptor to poll for reading; once it is ready, and when the other machine comes or goes, `drain`."""
        return self._gate.fileno()

    def ready(self) -> bool:
        """Whether something waits, be it without the descriptor saying so."""
        return bool(int(self._socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)

    def drain(self, now: int) -> list[Arrival]:
        """What has arrived, oldest first: of each topic the latest, or every one; never waits.

        Args:
            now: on the clock of whoever takes [ns].
        """
        self._look()
        found: list[Arrival | None] = []
        places: dict[str, int] = {}
        for _ in range(_TURN):
            if not self.ready():
                self._ask(now)
                # Asking may have swallowed the sign that more has come.
                if not self.ready():
                    break
            frames = self._socket.recv_multipart(zmq.NOBLOCK, copy=False)
            try:
                if not self._believed:
                    raise Malformed("a key that was revoked")
                arrival = self._read([frame.buffer for frame in frames])
            except Malformed as error:
                self.refused[str(error)] += 1
                continue
            if arrival is None:
                continue
            topic = arrival.topic
            if self._takings[topic].mode == "latest":
                if topic in places:
                    found[places[topic]] = None
                    self.skipped[topic] += 1
                places[topic] = len(found)
            found.append(arrival)
        else:
            self._ask(now)
            self._gate.nudge()
        kept = [arrival for arrival in found if arrival is not None]
        self.received.update(arrival.topic for arrival in kept)
        return kept

    def close(self) -> None:
        """Leave."""
        self._socket.close(linger=0)
        self._gate.close()
        self._context.term()

    def _look(self) -> None:
        """Take note of what the gate has seen, and of whom the list allows."""
        self._gate.heard()
        if self._allow.changed() and self._allow.names.get(self._key) != self._machine:
            self._believed = False
            with suppress(zmq.ZMQError):
                self._socket.disconnect(self._endpoint)
        if self._gate.turned_away and self._believed:
            self._gate.turned_away = False
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
        taking = self._takings.get(topic)
        if taking is None:
            raise Malformed("an unknown topic")
        if head.number < taking.next:
            raise Malformed("a number that does not grow")
        if not taking.credit:
            raise Malformed("more than was asked for")
        if head.number > taking.next:
            self.skipped[topic] += head.number - taking.next
        taking.next = head.number + 1
        taking.credit -= 1
        taking.owed += 1
        return Arrival(topic, head.sequence, head.stamp, head.asked, tuple(frames[2:]))

    def _begin(self, head: Head) -> None:
        """The two ends have met, for the first time or again: everything is asked for anew."""
        if (head.epoch, head.number) == (self._epoch, self._welcome):
            return
        if head.epoch in self._retired:
            raise Malformed("an epoch that has passed")
        anew = head.epoch != self._epoch
        if anew:
            self._retired.append(self._epoch)
            self._epoch = head.epoch
        self._welcome = head.number
        for taking in self._takings.values():
            taking.credit, taking.owed = 0, taking.window
            taking.next = 0 if anew else taking.next

    def _ask(self, now: int) -> None:
        for topic, taking in self._takings.items():
            if not taking.owed:
                continue
            ask = Ask(topic, taking.mode, taking.owed, self._welcome, taking.next, now)
            try:
                self._socket.send(ask.pack(), zmq.NOBLOCK)
            except zmq.Again:
                # There is nobody to ask; when there is, everything is asked for anew.
                return
            taking.credit += taking.owed
            taking.owed = 0
