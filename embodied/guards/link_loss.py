"""A link that is lost: who commands a flight has been silent for so long that nobody is coming back."""

from __future__ import annotations

from embodied.clock import SECOND, Time


class Link:
    """Measures silence in flight; on the ground nobody has to say anything.

    Args:
        patience: how long silence may last [ns].
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self._heard: Time | None = None

    def lost(self, heard: bool, flying: bool, now: Time) -> str:
        """One period.

        Args:
            heard: whether anyone commands now.
            flying: whether it is in the air.
            now: the time [ns].

        Returns:
            why it counts as lost; empty: it does not.
        """
        if heard or not flying or self._heard is None:
            self._heard = now
        silence = now - self._heard
        return f"nobody has commanded for {silence / SECOND:.3g} s" if silence > self.patience else ""
