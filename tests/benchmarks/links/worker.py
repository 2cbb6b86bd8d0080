"""What a process of a line can be asked: the measurements, as a near and a far process make them."""

from __future__ import annotations

import select
import time
from typing import Any

from tests.benchmarks.links.loads import Load
from tests.benchmarks.links.seam import Endpoint, Receiver, Sender

LEAST = 5
"""Round trips, however long they take."""


class Worker:
    """What can be asked of a process. Marks are negative stamps that tell where a measurement begins and ends.

    Args:
        endpoint: of the transport.
        in_place: messages are made where the transport wants them.
    """

    def __init__(self, endpoint: Endpoint, in_place: bool) -> None:
        self.endpoint = endpoint
        self.in_place = in_place
        self._senders: dict[Load, Sender] = {}
        self._receivers: dict[Load, Receiver] = {}
        self._own: dict[Load, Any] = {}

    def open(self, load: Load, *sides: str) -> None:
        """Be ready for a kind of message, as its sender, its receiver or both, in this order."""
        for side in sides:
            if side == "sender" and load not in self._senders:
                self._senders[load] = self.endpoint.sender(load)
                self._own[load] = load.make()
            if side == "receiver" and load not in self._receivers:
                self._receivers[load] = self.endpoint.receiver(load)

    def post(self, load: Load, mark: int) -> None:
        """Send a mark."""
        message = self._senders[load].fresh() if self.in_place else self._own[load]
        load.stamper()(message, mark)
        self._senders[load].send(message)

    def hear(self, load: Load, mark: int) -> None:
        """Wait for a mark."""
        recv = self._receivers[load].recv
        while recv().acquired != mark:
            pass

    def ping(self, load: Load, seconds: float) -> list[int]:
        """Round trips [ns]."""
        send, recv = self._senders[load].send, self._receivers[load].recv
        fresh = self._senders[load].fresh if self.in_place else None
        message, stamp, touch, clock = self._own[load], load.stamper(), load.toucher(), time.monotonic_ns
        number = clock()
        deadline = number + round(seconds * 1e9)
        times: list[int] = []
        while True:
            number += 1
            if fresh is None:
                stamp(message, number)
                begin = clock()
            else:
                begin = clock()
                message = fresh()
                stamp(message, number)
            send(message)
            reply = recv()
            while reply.acquired != number:
                reply = recv()
            touch(reply)
            end = clock()
            # A view that is still looked at when the next one comes would hold its slot.
            reply = None
            if fresh is not None:
                message = None
            times.append(end - begin)
            if end > deadline and len(times) >= LEAST:
                return times

    def echo(self, load: Load, mark: int) -> None:
        """Send back what comes, whole, until the mark."""
        send, recv = self._senders[load].send, self._receivers[load].recv
        fresh = self._senders[load].fresh if self.in_place else None
        stamp, touch = load.stamper(), load.toucher()
        while True:
            message = recv()
            number = message.acquired
            if number == mark:
                return
            if number < 0:
                continue
            touch(message)
            if fresh is not None:
                message = fresh()
                stamp(message, number)
            send(message)
            message = None

    def flood(self, load: Load, seconds: float) -> int:
        """Send without a pause; returns how many."""
        send = self._senders[load].send
        fresh = self._senders[load].fresh if self.in_place else None
        message, stamp, clock = self._own[load], load.stamper(), time.monotonic_ns
        deadline = clock() + round(seconds * 1e9)
        sent = 0
        while (now := clock()) < deadline or sent < LEAST:
            if fresh is not None:
                message = fresh()
            stamp(message, now)
            send(message)
            if fresh is not None:
                message = None
            sent += 1
        return sent

    def drain(self, load: Load, mark: int) -> tuple[int, int, float]:
        """Take what comes until the mark; returns how many, how many not in order or again, and in how long [s]."""
        recv, touch, clock = self._receivers[load].recv, load.toucher(), time.monotonic_ns
        received = repeated = first = last = end = 0
        while True:
            message = recv()
            number = message.acquired
            if number < 0:
                if number == mark:
                    return received, repeated, (end - first) / 1e9
                continue
            touch(message)
            message = None
            if number > last:
                last = number
                received += 1
                first = first or number
                end = clock()
            else:
                repeated += 1

    def pace(self, load: Load, rate: float, seconds: float) -> list[int]:
        """Send at a rate; returns what each `send` took [ns]."""
        send = self._senders[load].send
        fresh = self._senders[load].fresh if self.in_place else None
        message, stamp, clock = self._own[load], load.stamper(), time.monotonic_ns
        costs = []
        start = clock()
        for number in range(1, round(rate * seconds) + 1):
            rest = start + round(number * 1e9 / rate) - clock()
            if rest > 0:
                select.select((), (), (), rest / 1e9)
            begin = clock()
            if fresh is not None:
                message = fresh()
            stamp(message, begin)
            send(message)
            costs.append(clock() - begin)
            if fresh is not None:
                message = None
        return costs

    def watch(self, load: Load, mark: int) -> list[int]:
        """Ages on arrival until the mark [ns]."""
        recv, touch, clock = self._receivers[load].recv, load.toucher(), time.monotonic_ns
        ages: list[int] = []
        while True:
            message = recv()
            number = message.acquired
            if number == mark:
                return ages
            if number > 0:
                touch(message)
                ages.append(clock() - number)
            message = None

    def close(self) -> None:
        """Give everything back."""
        self._senders.clear()
        self._receivers.clear()
        self.endpoint.close()
