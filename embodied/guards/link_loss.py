"""Link loss: detects that all commanders of a flight have been silent beyond a time-out."""

from __future__ import annotations

from embodied.clock import SECOND, Time


class LinkLoss:
    """Link loss monitor: the silence of all commanders in flight; on the ground silence is allowed.

    Args:
        timeout: silence that is a lost link [ns].
    """

    def __init__(self, timeout: int) -> None:
        self.timeout = timeout
        self._last: Time | None = None

    def update(self, commanded: bool, flying: bool, now: Time) -> str:
        """Return why the link counts as lost in this period; empty if it does not.

        Args:
            commanded: whether any commander has a fresh command.
            flying: whether the drone is in the air.
            now: current time [ns].
        """
        if commanded or not flying or self._last is None:
            self._last = now
        silence = now - self._last
        return f"nobody has commanded for {silence / SECOND:.3g} s" if silence > self.timeout else ""
