"""Latch: a stop lasts until a person resets it, and commands from before the reset are not followed after it."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.clock import Time


class Latch:
    """Latch of a stop: it lasts until a person resets it.

    Attributes:
        reason: reason of the stop; empty if not stopped.
        released: time of the last reset; only newer commands may be followed [ns].
    """

    def __init__(self) -> None:
        self.reason = ""
        self.released = Time(-1)

    def update(self, stops: Sequence[str], reset: bool, now: Time) -> bool:
        """Latch a stop, or release it on a reset.

        Args:
            stops: reasons to stop in this period; as long as there is one, a reset has no effect.
            reset: whether a person resets.
            now: current time [ns].

        Returns:
            whether the stop was released in this period.
        """
        released = reset and bool(self.reason) and not stops
        if released:
            self.reason = ""
            self.released = now
        if stops:
            self.reason = stops[-1] or "stop"
        return released

    def refusal(self) -> str:
        """Return why no command is followed; empty if not stopped."""
        return f"stopped: {self.reason}; needs a reset and a fresh command" if self.reason else ""
