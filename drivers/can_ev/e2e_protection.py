"""What is heard of a vehicle's messages, or by its unit of those to it: in succession, in time, and whole."""

from __future__ import annotations

from collections.abc import Iterable

from drivers.can_ev.codec import Codec, Frame, Malformed
from drivers.can_ev.vehicle import TIMEOUT, Layout, Signals
from embodied.clock import SECOND, Time

MISSED = 3
"""A counter may be ahead by so many: frames that were lost. One that is further off, or behind, is not believed."""

BUDGET = 3
"""One wrong frame more than this, each right one making up for a wrong one, and the message is not trusted; as many
right ones make up for any number."""

CYCLES = 3
"""Whoever listened less often than this since is the one that was late, and has heard no silence."""


class _Watch:
    """One message."""

    def __init__(self, modulus: int) -> None:
        self.signals: Signals | None = None
        self.at: Time | None = None
        self.cycles = 0
        self.wrong = 0
        self._modulus = modulus
        self._last: int | None = None
        self._doubtful: int | None = None

    def follows(self, counter: int) -> bool:
        """Whether a count is believed; one that is not is, once the next goes on from it: its sender began anew."""
        behind = self._last if self._last is not None else counter - 1
        ahead = (counter - behind) % self._modulus
        anew = self._doubtful is not None and counter == (self._doubtful + 1) % self._modulus
        if 1 <= ahead <= min(MISSED + 1, self._modulus // 2) or anew:
            self._last, self._doubtful = counter, None
            return True
        self._doubtful = counter
        return False


class Reception:
    """Takes frames, and knows what to think of them.

    Args:
        codec: of the vehicle.
        layouts: of the messages that are listened to.

    Attributes:
        rejected: frames of these messages that were not accepted.
    """

    def __init__(self, codec: Codec, layouts: Iterable[Layout]) -> None:
        self.rejected = 0
        self._codec = codec
        self._watches = {
            layout.name: _Watch(codec.modulus(layout.name)) for layout in layouts if codec.has(layout.name)
        }
        self._needed = [layout.name for layout in layouts if layout.needed]

    def take(self, frame: Frame, now: Time) -> str:
        """Take a frame.

        Returns:
            the message, if it was accepted; empty if not, or if it is none of those that are listened to.
        """
        name = self._codec.names(frame.identifier)
        watch = self._watches.get(name or "")
        if name is None or watch is None:
            return ""
        try:
            parcel = self._codec.unpack(frame)
        except Malformed:
            return self._reject(watch)
        if not watch.follows(parcel.counter):
            return self._reject(watch)
        watch.signals, watch.at, watch.cycles, watch.wrong = parcel.signals, now, 0, max(0, watch.wrong - 1)
        return name

    def tick(self) -> None:
        """A cycle of the listener begins."""
        for watch in self._watches.values():
            watch.cycles += 1

    @property
    def signals(self) -> dict[str, Signals] | None:
        """The newest of every message; None before all that are needed were heard."""
        found = {name: watch.signals for name, watch in self._watches.items() if watch.signals is not None}
        return found if all(name in found for name in self._needed) else None

    def distrust(self, now: Time) -> str:
        """Why what was heard is not to be gone by, in a few words; empty if it is."""
        for name in self._needed:
            watch = self._watches[name]
            if watch.wrong > BUDGET:
                return f"{name}: wrong checksums or counters"
            if watch.at is None or (watch.cycles >= CYCLES and now - watch.at >= TIMEOUT * SECOND):
                return f"{name}: nothing for {TIMEOUT * 1e3:.0f} ms"
        return ""

    def silent(self, now: Time) -> float:
        """For how long a message that is needed was not heard, the one that is away for longest [s]."""
        times = [watch.at for name in self._needed if (watch := self._watches[name]).cycles >= CYCLES]
        return max(((now - at) / SECOND for at in times if at is not None), default=0.0)

    def begin(self, now: Time) -> None:
        """From now on silence counts, and wrong frames count anew."""
        for watch in self._watches.values():
            watch.at, watch.cycles, watch.wrong = now, 0, 0

    def _reject(self, watch: _Watch) -> str:
        self.rejected += 1
        watch.wrong = min(watch.wrong + 1, 2 * BUDGET)
        return ""
