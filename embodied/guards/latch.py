"""A latch: a stop lasts until a person resets it, and what was commanded before the reset is not followed after it."""

from __future__ import annotations

from collections.abc import Sequence

from embodied.clock import Time


class Latch:
    """Whether an arm is stopped, and since when it no longer is.

    Attributes:
        reason: why it is stopped; empty: it is not.
        released: when it was last reset; only a command that is newer may be followed [ns].
    """

    def __init__(self) -> None:
        self.reason = ""
        self.released = Time(-1)

    def turn(self, stops: Sequence[str], reset: bool, now: Time) -> bool:
        """One period.

        Args:
            stops: reasons to stop now; as long as there is one, a reset does nothing.
            reset: whether a person asks for the release.
            now: the time [ns].

        Returns:
            whether it was released just now.
        """
        released = reset and bool(self.reason) and not stops
        if released:
            self.reason = ""
            self.released = now
        if stops:
            self.reason = stops[-1] or "stop"
        return released

    def refusal(self) -> str:
        """Why nobody is followed; empty: it is not stopped."""
        return f"stopped: {self.reason}; needs a reset and a fresh command" if self.reason else ""
