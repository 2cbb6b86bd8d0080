"""Radio link of a virtual autopilot: a thread that answers messages at once, and faults of the link."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.framing import FrameParser
from drivers.mavlink.transport import SerialTransport, Transport, UdpTransport
from embodied.devices.disturbance import Disturbance, byte_disturber
from embodied.devices.virtual_serial import PseudoTerminal
from embodied.errors import DeviceLost, LinkFailed


class Radio:
    """Radio link of one virtual autopilot: a thread that answers at once, and the link's faults.

    Args:
        system: id of the autopilot.
        answer: function that returns the answers to a message; called with the lock held.
        idle: function that the thread of the link calls every 20 ms or more often.
        lock: lock that is held while a message is answered.

    Attributes:
        address: url that a driver opens.
        silent: whether nothing comes through, either way.
        frozen: whether it receives, and sends nothing.
        lost: types of messages that are lost.
        delay: time by which its answers are late [s].
    """

    def __init__(
        self,
        system: int,
        answer: Callable[[Any], Iterable[Any]],
        idle: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self.address = ""
        self.silent = self.frozen = False
        self.lost: frozenset[str] = frozenset()
        self.delay = 0.0
        self._answer, self._idle, self._lock = answer, idle, lock
        self._packer = common.MAVLink(None, system, common.MAV_COMP_ID_AUTOPILOT1)
        self._disturber = byte_disturber()
        self._late: deque[tuple[float, list[Any]]] = deque()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="virtual autopilot", daemon=True)
        self._terminal: PseudoTerminal | None = None

    def open(self, source: int, target: int) -> None:
        """Open the link and start its thread.

        Args:
            source: UDP port of its own on 127.0.0.1; 0 takes any that is free.
            target: UDP port on 127.0.0.1 that it sends to; 0 for a pseudo terminal instead.

        Raises:
            LinkFailed: its port is taken.
        """
        self._transport: Transport
        if target:
            try:
                self._transport = UdpTransport(("127.0.0.1", source), ("127.0.0.1", target))
            except DeviceLost as error:
                raise LinkFailed(str(error)) from error
            self.address = f"udpin:127.0.0.1:{target}"
        else:
            self._terminal = PseudoTerminal()
            name = self._terminal.address
            self._transport, self.address = SerialTransport(self._terminal.descriptor, name), f"serial:{name}:57600"
        self._thread.start()

    def close(self) -> None:
        """Stop the thread, and close the link."""
        self._closed.set()
        self._thread.join()
        if self._terminal is None:
            self._transport.close()
        else:
            self._terminal.close()

    def disturb(self, how: Disturbance, every: int) -> None:
        """Disturb every nth frame that is sent."""
        with self._lock:
            self._disturber.set(how, every)

    def send(self, messages: Iterable[Any]) -> None:
        """Send messages, with the faults of the link."""
        with self._lock:
            for message in messages:
                data = bytes(message.pack(self._packer))
                self._packer.seq = (self._packer.seq + 1) % 256
                if self.silent or self.frozen or message.get_type() in self.lost:
                    continue
                for frame in self._disturber.apply(data):
                    self._transport.send(frame)

    def restart(self) -> None:
        """Number the frames from 0 again, as a transmitter that has just been switched on."""
        with self._lock:
            self._packer.seq = 0
            self._late.clear()

    def _run(self) -> None:
        parser = FrameParser()
        while not self._closed.is_set():
            self._transport.wait(0.02)
            self._idle()
            while self._late and self._late[0][0] <= time.monotonic():
                self.send(self._late.popleft()[1])
            for data in self._transport.receive():
                if self.silent:
                    continue
                for message in parser.feed(data, datagram=self._transport.datagrams):
                    with self._lock:
                        answers = list(self._answer(message))
                        if self.delay and answers:
                            self._late.append((time.monotonic() + self.delay, answers))
                        else:
                            self.send(answers)
