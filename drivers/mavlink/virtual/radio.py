"""The wire of a virtual autopilot: one thread that answers at once, and what can go wrong on the way."""

from __future__ import annotations

import os
import pty
import threading
import tty
from collections.abc import Callable, Iterable
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.framing import Cutter
from drivers.mavlink.transport import Bytes, Datagrams, Wire
from embodied.devices.disturbance import Disturbance
from embodied.errors import DeviceLost, LinkFailed


class Radio:
    """Sends and hears for one autopilot.

    Args:
        system: its id.
        answer: what it says to a message; called with the lock held.
        turn: called every now and then, by its thread.
        lock: held meanwhile.

    Attributes:
        address: where it is reached.
        silent: whether nothing comes through, either way.
        frozen: whether it hears, and says nothing.
        beatless: whether its heartbeats get lost.
    """

    def __init__(
        self,
        system: int,
        answer: Callable[[Any], Iterable[Any]],
        turn: Callable[[], None],
        lock: threading.RLock,
    ) -> None:
        self.address = ""
        self.silent = self.frozen = self.beatless = False
        self._answer, self._turn, self._lock = answer, turn, lock
        self._packer = common.MAVLink(None, system, common.MAV_COMP_ID_AUTOPILOT1)
        self._how: Disturbance = ""
        self._every, self._sent, self._held = 3, 0, b""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="virtual autopilot", daemon=True)
        self._near: int | None = None

    def open(self, source: int, target: int) -> None:
        """Begin to talk.

        Args:
            source: UDP port of its own on 127.0.0.1; 0 takes any that is free.
            target: UDP port on 127.0.0.1 that it sends to; 0 for a serial line instead, a pseudo terminal.

        Raises:
            LinkFailed: its port is taken.
        """
        self._wire: Wire
        if target:
            try:
                self._wire = Datagrams(("127.0.0.1", source), ("127.0.0.1", target))
            except DeviceLost as error:
                raise LinkFailed(str(error)) from error
            self.address = f"udpin:127.0.0.1:{target}"
        else:
            far, self._near = pty.openpty()
            tty.setraw(self._near)
            name = os.ttyname(self._near)
            self._wire, self.address = Bytes(far, name), f"serial:{name}:57600"
        self._thread.start()

    def close(self) -> None:
        """Stop."""
        self._over.set()
        self._thread.join()
        self._wire.close()
        if self._near is not None:
            os.close(self._near)

    def disturb(self, how: Disturbance, every: int) -> None:
        """From now on one in so many frames is disturbed."""
        with self._lock:
            self._how, self._every, self._held = how, every, b""

    def send(self, messages: Iterable[Any]) -> None:
        """Send messages; what happens to frames happens to them here."""
        with self._lock:
            for message in messages:
                data = bytes(message.pack(self._packer))
                self._packer.seq = (self._packer.seq + 1) % 256
                if self.silent or self.frozen or (self.beatless and message.get_type() == "HEARTBEAT"):
                    continue
                for part in self._disturbed(data):
                    self._wire.send(part)

    def _disturbed(self, frame: bytes) -> list[bytes]:
        self._sent += 1
        held, self._held = self._held, b""
        if not self._how or self._sent % self._every:
            return [frame, held] if held else [frame]
        if self._how == "reorder":
            self._held = frame
            return []
        middle = len(frame) // 2
        bent = frame[:middle] + bytes([frame[middle] ^ 0x04]) + frame[middle + 1 :]
        return {"flip": [bent], "truncate": [frame[:middle]], "repeat": [frame, frame]}[self._how]

    def _serve(self) -> None:
        cutter = Cutter()
        while not self._over.is_set():
            self._wire.wait(0.02)
            self._turn()
            for data in self._wire.receive():
                if self.silent:
                    continue
                for message in cutter.feed(data, whole=self._wire.whole):
                    with self._lock:
                        self.send(self._answer(message))
