"""End-to-end protection of received messages (as AUTOSAR E2E): checksum, rolling counter and time-out.

The driver guards the vehicle's reports with it, the virtual unit its commands.
"""

from __future__ import annotations

from collections.abc import Iterable

from drivers.can_ev.codec import Codec, Malformed
from drivers.can_ev.frame import Frame
from drivers.can_ev.vehicle import TIMEOUT, Layout, Signals
from embodied.clock import SECOND, Time

LOST_MOST = 3
"""Number of frames that may be lost in a row; a counter further ahead, or behind, is not accepted."""

ERROR_BUDGET = 3
"""Number of wrong frames that a message may have more than right ones before it is no longer trusted."""

CYCLES_LEAST = 3
"""Cycles of the receiver without a frame that count as silence; with fewer, it was the receiver that was late."""

JUMPS_LEAST = 3
"""Number of rounds in which a counter leaves out the same numbers before that is reported."""

OPTIONAL_AGE = 0.3
"""Age up to which the content of a message that is not required stands in a state [s]."""


class _MessageState:
    """Newest content and protection state of one message."""

    def __init__(self, modulus: int) -> None:
        self.signals: Signals | None = None
        self.at: Time | None = None
        self.renewed = False
        self.cycles = 0
        self.errors = 0
        self._modulus = modulus
        self._counter: int | None = None
        self._doubtful: int | None = None
        self._jump = (-1, -1)
        self.jumps = 0

    @property
    def complaint(self) -> str:
        """Sentence about a counter that leaves out the same numbers in each round; empty if it does not."""
        if self.jumps < JUMPS_LEAST:
            return ""
        last, first = self._jump
        return f"its counter goes from {last} to {first} in each round: state its range [{first}|{last}] in the DBC"

    def accept(self, counter: int) -> bool:
        """Return whether a counter continues the sequence, or is the second one of a sender that has restarted."""
        last = self._counter if self._counter is not None else counter - 1
        ahead = (counter - last) % self._modulus
        restarted = self._doubtful is not None and counter == (self._doubtful + 1) % self._modulus
        if restarted and self._doubtful is not None:
            jump = (last, self._doubtful)
            self.jumps = self.jumps + 1 if jump == self._jump else 1
            self._jump = jump
        if 1 <= ahead <= min(LOST_MOST + 1, self._modulus // 2) or restarted:
            self._counter, self._doubtful = counter, None
            return True
        self._doubtful = counter
        return False


class E2EReceiver:
    """Receiver with E2E protection: accepts frames of some CAN messages and judges whether they can be trusted.

    Args:
        codec: codec of the vehicle.
        layouts: layouts of the messages to receive.

    Attributes:
        rejected: number of frames of these messages that were not accepted.
    """

    def __init__(self, codec: Codec, layouts: Iterable[Layout]) -> None:
        self.rejected = 0
        self._codec = codec
        self._messages = {
            layout.name: _MessageState(codec.modulus(layout.name)) for layout in layouts if codec.has(layout.name)
        }
        self._required = [layout.name for layout in layouts if layout.required]

    def receive(self, frame: Frame, now: Time) -> str:
        """Check a frame, and keep its signals if it is accepted.

        Returns:
            name of the message; empty if the frame was rejected, or is of no message to receive.
        """
        name = self._codec.message_name(frame.identifier)
        message = self._messages.get(name or "")
        if name is None or message is None:
            return ""
        try:
            decoded = self._codec.decode(frame)
        except Malformed:
            return self._reject(message)
        if not message.accept(decoded.counter):
            return self._reject(message)
        message.signals, message.at, message.renewed, message.cycles = decoded.signals, now, True, 0
        message.errors = max(0, message.errors - 1)
        return name

    def begin_cycle(self) -> None:
        """Count one cycle of the receiver; call it before the frames of a cycle."""
        for message in self._messages.values():
            message.cycles += 1

    @property
    def signals(self) -> dict[str, Signals] | None:
        """Newest signals of every message; None before all required messages have come."""
        signals = {name: message.signals for name, message in self._messages.items() if message.signals is not None}
        return signals if all(name in signals for name in self._required) else None

    @property
    def renewed(self) -> bool:
        """Whether every required message has come since the receiver was restarted."""
        return all(self._messages[name].renewed for name in self._required)

    def forget(self, now: Time) -> None:
        """Drop the content of messages that are not required and have not come for `OPTIONAL_AGE`."""
        for name, message in self._messages.items():
            if name not in self._required and message.at is not None and now - message.at > OPTIONAL_AGE * SECOND:
                message.signals = None

    def complaint(self, now: Time) -> str:
        """Return what is wrong with a message that can be trusted all the same, in a few words; empty for nothing.

        It is not required and has ceased, or one of its frames is rejected in each round of its counter.
        """
        for name, message in self._messages.items():
            if message.complaint:
                return f"{name}: {message.complaint}"
            if name not in self._required and message.at is not None and now - message.at > OPTIONAL_AGE * SECOND:
                return f"{name}: nothing for {OPTIONAL_AGE * 1e3:.0f} ms"
        return ""

    def distrust(self, now: Time) -> str:
        """Return the reason why the messages cannot be trusted, in a few words; empty if they can."""
        for name in self._required:
            message = self._messages[name]
            if message.errors > ERROR_BUDGET:
                return f"{name}: wrong checksums or counters"
            if message.at is None or (message.cycles >= CYCLES_LEAST and now - message.at >= TIMEOUT * SECOND):
                return f"{name}: nothing for {TIMEOUT * 1e3:.0f} ms"
        return ""

    def silence(self, now: Time) -> float:
        """Return how long the required message that is missing for longest has not come [s]."""
        times = [message.at for name in self._required if (message := self._messages[name]).cycles >= CYCLES_LEAST]
        return max(((now - at) / SECOND for at in times if at is not None), default=0.0)

    def restart(self, now: Time) -> None:
        """Count silence and errors from now on, and take no content for new that came before."""
        for name, message in self._messages.items():
            message.renewed = False
            if name in self._required or message.at is not None:
                message.at, message.cycles, message.errors = now, 0, 0

    def _reject(self, message: _MessageState) -> str:
        self.rejected += 1
        # Bounded, so that a few right frames make up for any number of wrong ones.
        message.errors = min(message.errors + 1, 2 * ERROR_BUDGET)
        return ""
