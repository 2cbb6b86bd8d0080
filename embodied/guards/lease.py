"""A lease: which one of several commanders an arm follows.

Whoever has it keeps it, so that two commands never mix. A higher rank takes it with its first command, at once. A lower
rank waits until its holder has been silent for a stated time and the arm rests: it never takes over a motion that it
did not begin, and a holder whose commands come with gaps does not lose the arm in one of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from embodied.clock import SECOND, Time


class Lease:
    """Who commands.

    Args:
        ranks: the commanders, from the highest rank.
        silence: how long the holder may be silent and keep it [ns].

    Attributes:
        holder: who has it; empty: nobody.
    """

    def __init__(self, ranks: Sequence[str], silence: int) -> None:
        self.ranks = tuple(ranks)
        self.silence = silence
        self.holder = ""
        self._heard = Time(0)

    def grant(self, heard: Mapping[str, Time], resting: bool, now: Time) -> str:
        """One period.

        Args:
            heard: those who command now, each with the time of its last command [ns]; who is silent is absent.
            resting: whether the arm stands.
            now: the time [ns].

        Returns:
            the holder from now on; empty: nobody.
        """
        if self.holder in heard:
            self._heard = heard[self.holder]
        elif resting and now - self._heard >= self.silence:
            self.holder = ""
        for name in self.ranks:
            if name == self.holder:
                break
            if name in heard:
                self.holder, self._heard = name, heard[name]
                break
        return self.holder

    def refusal(self, heard: Mapping[str, Time], released: Time, rests: str) -> str:
        """Why the holder is not followed, whatever it commands.

        Args:
            heard: as the last `grant` was told.
            released: when a stop was last reset; what is not newer is not followed [ns].
            rests: what a lower rank waits for besides silence, `the arm rests`.

        Returns:
            a sentence; empty: it is followed.
        """
        if not heard:
            return "no fresh command"
        if self.holder not in heard:
            waits = next(iter(heard))
            silence = f"{self.silence / SECOND:g} s"
            return f"{self.holder} has the lease; {waits} waits until it was silent for {silence} and {rests}"
        return f"{self.holder} is older than the reset" if heard[self.holder] <= released else ""
