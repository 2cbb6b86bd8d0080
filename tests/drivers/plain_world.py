"""World with one simple body, for tests of a protocol: no physics engine, no cameras, no task."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Generic, Protocol, TypeVar

from embodied.clock import Time, rate_of, ticks_by
from embodied.world import Verdict


class Body(Protocol):
    """Body that is stepped by its world.

    Attributes:
        now: time of the newest step.
    """

    now: Time

    def advance(self, seconds: float) -> None:
        """Make one step of some seconds."""


B = TypeVar("B", bound=Body)
"""Type of the body in a world."""


class PlainWorld(Generic[B]):
    """World that steps one body; a subclass makes the body and has the capability that hands it out."""

    rate = 300.0
    body: B

    def make(self) -> B:
        """Return the body at its first place."""
        raise NotImplementedError

    def reset(self, seed: int) -> None:
        self.body = self.make()

    def advance(self, to: Time) -> None:
        rate = rate_of(self.rate)
        for _ in range(ticks_by(to, rate) - ticks_by(self.body.now, rate)):
            self.body.advance(1.0 / self.rate)
        self.body.now = to

    def about(self) -> Mapping[str, str]:
        return {}

    def truth(self) -> Mapping[str, Any]:
        return {}

    def verdict(self) -> Verdict | None:
        return None

    def close(self) -> None:
        return
