"""Protocol of a simulated world: seeded reset, whole physics steps, truth, verdict, and the images that cameras render.

A world is a dataclass whose fields are settings, like a node. What it holds (arms, cameras, multirotors, road vehicles)
are capabilities of their own, in `embodied.bodies`. Nothing outside the package of a world reads `truth`, except the
nodes of an explicit `truth` profile.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from embodied.clock import Time


@dataclass(frozen=True, slots=True)
class Verdict:
    """Verdict of a world on a run: passed or failed, with its reason.

    Attributes:
        passed: whether the task was done.
        reason: one sentence, with the numbers that decided it.
        details: those numbers, by name.
    """

    passed: bool
    reason: str
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rendering:
    """Images that a simulated world renders for one exposure; None for those that were not requested."""

    rgb: NDArray[np.uint8] | None  # (h, w, 3)
    depth: NDArray[np.float32] | None  # (h, w) [m]
    segmentation: NDArray[np.int32] | None  # (h, w)


@runtime_checkable
class World(Protocol):
    """Protocol of a simulated world, of one run at a time; `embodied.testing.WorldContract` holds it to its rules.

    Attributes:
        rate: physics steps per second of simulated time [Hz].
    """

    rate: float

    def reset(self, seed: int) -> None:
        """Build everything from the seed, never from a saved state; time is 0."""

    def advance(self, to: Time) -> None:
        """Make whole physics steps, to the last one not after `to` [ns]."""

    def about(self) -> Mapping[str, str]:
        """Return names and versions of what its images depend on beside the seed; they are part of a digest."""

    def truth(self) -> Mapping[str, Any]:
        """Return the true state, for judges, training and the explicit `truth` profile."""

    def verdict(self) -> Verdict | None:
        """Return the judgement of the run once it is decided, and None before."""

    def close(self) -> None:
        """Release everything; a reset builds it again."""
