"""Server of a virtual servo bus on a pseudo terminal, whose other end a client opens as a serial port.

One thread serves it, so that a client is answered at once, whatever the node of the body is doing. Servos whose speed
differs from the one that the client has set on the terminal do not answer.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import select
import struct
import threading
from collections.abc import Callable

from drivers.so101.codec import SHORTEST, Frame, FrameParser
from embodied.devices.disturbance import Disturbance, Disturber, flip_bit
from embodied.devices.virtual_serial import PseudoTerminal

TERMIOS2 = struct.Struct("=4I20x2I")
"""Layout of struct termios2 of Linux (asm-generic/termbits.h), which has speeds that termios has no constant for."""

TCGETS2 = 0x802C542A
"""Number of the ioctl that reads it."""

POLL_TIMEOUT = 20
"""Time after which a terminal that was plugged in again is noticed [ms]."""


class BusServer:
    """Server of one virtual servo bus on a pseudo terminal, with a thread of its own.

    Args:
        answer: function that returns the answers to a frame, in order, at a speed of the bus [bit/s].
        link: path of a symbolic link to the terminal, whose own changes with each plug; empty for none.

    Attributes:
        address: path that a client opens.
    """

    def __init__(self, answer: Callable[[Frame, int], list[Frame]], link: str = "") -> None:
        self._answer = answer
        self._link = link
        self._terminal: PseudoTerminal | None = None
        self.address = ""
        self._frozen = False
        self._random = random.Random(0)
        self._disturber: Disturber[bytes] = Disturber(self._flip, self._truncate)
        self._lock = threading.Lock()
        self._wake, self._waker = os.pipe()
        self._thread = threading.Thread(target=self._serve, name="virtual servo bus", daemon=True)

    def open(self) -> None:
        """Open the terminal, and begin to serve.

        Raises:
            LinkFailed: another virtual device, or something that is no link, is at the path of the link.
        """
        self.plug()
        self._thread.start()

    def close(self) -> None:
        """Stop serving, and remove the link."""
        os.write(self._waker, b"x")
        if self._thread.is_alive():
            self._thread.join()
        self.unplug()
        os.close(self._wake)
        os.close(self._waker)

    def plug(self) -> None:
        """Open a new terminal, as an adapter that is plugged in again is a new device."""
        with self._lock:
            if self._terminal is None:
                self._terminal = PseudoTerminal(self._link)
                self.address = self._terminal.address

    def unplug(self) -> None:
        """Close the terminal; a client that has it open gets an error from the system."""
        with self._lock:
            terminal, self._terminal = self._terminal, None
            if terminal is not None:
                terminal.close()

    def freeze(self, yes: bool) -> None:
        """Send nothing more, or send again."""
        self._frozen = yes

    def disturb(self, how: Disturbance, every: int) -> None:
        """Disturb a frame in every nth answer that carries values."""
        self._disturber.set(how, every)

    def _serve(self) -> None:
        parser = FrameParser()
        while True:
            poll = select.poll()
            poll.register(self._wake, select.POLLIN)
            terminal = self._terminal
            if terminal is not None:
                poll.register(terminal.descriptor, select.POLLIN)
            ready = [descriptor for descriptor, _ in poll.poll(POLL_TIMEOUT)]
            if self._wake in ready:
                return
            # The terminal may be closed at any moment, and the system gives its number to the next file; the last
            # request is lost then.
            with self._lock, contextlib.suppress(OSError):
                if terminal is not None and terminal is self._terminal and ready:
                    self._exchange(terminal.descriptor, parser)

    def _exchange(self, descriptor: int, parser: FrameParser) -> None:
        frames = parser.feed(os.read(descriptor, 4096))
        *_, speed = TERMIOS2.unpack(fcntl.ioctl(descriptor, TCGETS2, bytes(TERMIOS2.size)))
        for frame in frames:
            answers = self._answer(frame, speed)
            if answers and not self._frozen:
                os.write(descriptor, self._disturbed([each.pack() for each in answers]))

    def _disturbed(self, answers: list[bytes]) -> bytes:
        if any(len(each) > SHORTEST for each in answers):
            answers = self._disturber.apply(*answers, at=self._random.randrange(len(answers)))
        return b"".join(answers)

    def _flip(self, answer: bytes) -> bytes:
        return flip_bit(answer, self._random.randrange(8 * len(answer)))

    def _truncate(self, answer: bytes) -> bytes:
        return answer[: self._random.randrange(len(answer))]
