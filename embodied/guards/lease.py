"""Lease: which of several commanders is followed.

The holder keeps the lease, so that two commands never mix. A higher rank takes it with its first command, at once. A
lower rank waits until the holder has been silent for the time-out and the body is at rest: it never takes over a motion
that it did not begin, and a holder whose commands come with gaps does not lose the lease in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.clock import SECOND, Time


class Lease:
    """Lease: right to command, held by one commander at a time.

    Args:
        ranks: names of the commanders, highest rank first.
        timeout: silence of the holder after which a lower rank may take over [ns].

    Attributes:
        holder: commander that holds the lease; empty if nobody does.
    """

    def __init__(self, ranks: Sequence[str], timeout: int) -> None:
        self.ranks = tuple(ranks)
        self.timeout = timeout
        self.holder = ""
        self._last = Time(0)

    def grant(self, stamps: Mapping[str, Time], resting: bool, now: Time) -> str:
        """Grant the lease for this period.

        Args:
            stamps: time of the last command of each commander [ns]; silent ones are absent.
            resting: whether the body is at rest.
            now: current time [ns].

        Returns:
            the holder from now on; empty if nobody is.
        """
        if self.holder in stamps:
            self._last = stamps[self.holder]
        elif resting and now - self._last >= self.timeout:
            self.holder = ""
        for name in self.ranks:
            if name == self.holder:
                break
            if name in stamps:
                self.holder, self._last = name, stamps[name]
                break
        return self.holder

    def refusal(self, stamps: Mapping[str, Time], released: Time, resting: str) -> str:
        """Return why the holder is not followed, whatever it commands; empty if it is.

        Args:
            stamps: those of the last `grant` [ns].
            released: time of the last reset; older commands are not followed [ns].
            resting: what a lower rank waits for besides silence: `the arm rests`.
        """
        if not stamps:
            return "no fresh command"
        if self.holder not in stamps:
            waiting = next(iter(stamps))
            silence = f"{self.timeout / SECOND:g} s"
            return f"{self.holder} has the lease; {waiting} waits until it was silent for {silence} and {resting}"
        return f"{self.holder} is older than the reset" if stamps[self.holder] <= released else ""
