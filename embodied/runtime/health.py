"""Health of a topic, derived from its declared rate, so that no node needs a watchdog of its own."""

from __future__ import annotations

from dataclasses import dataclass

ON_RATE = 0.9
"""Least share of the declared publications of a topic that is on rate (as in openpilot)."""

ALIVE = 3
"""Greatest age of the last publication of a topic that is alive [periods]."""


@dataclass(frozen=True, slots=True)
class Health:
    """Health of one topic over a run.

    Attributes:
        published: number of publications.
        dropped: number of deliveries that a fault or a full list lost.
        rate: mean rate of publication [Hz].
        declared: declared rate [Hz]; None where there is none.
        alive: whether the last publication is recent enough.
        on_rate: whether it was published often enough.
    """

    published: int
    dropped: int
    rate: float
    declared: float | None
    alive: bool
    on_rate: bool


def health(published: int, dropped: int, last: int | None, every: int | None, now: int) -> Health:
    """Derive the health of a topic from its counts.

    Args:
        published: number of publications.
        dropped: number of lost deliveries.
        last: time of the last publication [ns]; None before the first.
        every: declared period [ns]; None where there is none.
        now: time since the start of the run [ns].
    """
    rate = published * 1e9 / now if now else 0.0
    if every is None:
        return Health(published, dropped, rate, None, published > 0, published > 0)
    alive = last is not None and now - last <= ALIVE * every
    # The first tick is at 0, so a whole run of length T holds T/period + 1 of them.
    due = now // every
    return Health(published, dropped, rate, 1e9 / every, alive, published >= ON_RATE * due)
