"""Health of a topic, derived from its declared rate: nobody writes a watchdog."""

from __future__ import annotations

from dataclasses import dataclass

ON_RATE = 0.9
"""A topic is on rate if it was published at least this share of what its rate promises (as in openpilot)."""

ALIVE = 3
"""A topic is alive if its last publication is at most this many periods old."""


@dataclass(frozen=True, slots=True)
class Health:
    """Health of a topic over a run.

    Attributes:
        published: how often it was published.
        dropped: how many deliveries were lost, by a fault or a full list.
        rate: how often it came on average [Hz].
        declared: how often it should come [Hz], None where that is not known.
        alive: its last publication is recent enough.
        on_rate: it came often enough.
    """

    published: int
    dropped: int
    rate: float
    declared: float | None
    alive: bool
    on_rate: bool


def health(published: int, dropped: int, last: int | None, every: int | None, now: int) -> Health:
    """Derive the health of a topic from its counters.

    Args:
        published: how often it was published.
        dropped: how many deliveries were lost.
        last: when it was last published [ns], None if never.
        every: its declared period [ns], None if it has none.
        now: [ns].
    """
    rate = published * 1e9 / now if now else 0.0
    if every is None:
        return Health(published, dropped, rate, None, published > 0, published > 0)
    alive = last is not None and now - last <= ALIVE * every
    # The first tick is at 0, so a whole run of length T holds T/period + 1 of them.
    due = now // every
    return Health(published, dropped, rate, 1e9 / every, alive, published >= ON_RATE * due)
