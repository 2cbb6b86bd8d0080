"""The judge of pick-and-place: the target rests in the tray, released, and nothing else was moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from embodied.messages import Vector
from embodied.world import Verdict
from sims.bodies.worktable import Tray

MOVED = 0.02  # how far another block may be moved [m]
RESTING = 0.3  # how long the target must rest [s]
STILL = (0.02, 0.3)  # what counts as rest [m/s], [rad/s]
OFF = -0.05  # below this it has left the table [m]


@dataclass(frozen=True, slots=True)
class Motion:
    """Where a block is, and how fast.

    Attributes:
        position: of its centre, shape (3,) [m].
        rotation: shape (3, 3).
        linear, angular: speeds [m/s], [rad/s].
    """

    position: Vector
    rotation: Vector
    linear: float
    angular: float


class Judge:
    """Looks at a run now and then, and decides once.

    Args:
        target: label of the block to be placed.
        size: edge of the blocks [m].
        start: centre of every block at the start, shape (3,) [m], by label.
        tray: where the target must go.
        limit: how long a run may take [s].
        held: whether the gripper touches the target.
    """

    def __init__(
        self,
        target: str,
        size: float,
        start: Mapping[str, Vector],
        tray: Tray,
        limit: float,
        held: Callable[[], bool],
    ) -> None:
        self._target = target
        self._start = start
        self._tray = tray
        self._limit = limit
        self._held = held
        self._since: float | None = None
        self._corners = size / 2 * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
        self.verdict: Verdict | None = None

    def look(self, now: float, blocks: Mapping[str, Motion]) -> None:
        """Take in the state of the blocks at a time [s]."""
        if self.verdict is not None:
            return
        moved = {label: math.dist(blocks[label].position, at) for label, at in self._start.items()}
        fallen = [label for label, block in blocks.items() if block.position[2] < OFF]
        others = {label: way for label, way in moved.items() if label != self._target}
        worst = max(others, key=others.__getitem__, default="")
        target = blocks[self._target]
        where = self._why_not(target)
        self._since = None if where else now if self._since is None else self._since
        rested = 0.0 if self._since is None else now - self._since
        details = {
            "target": self._target,
            "time": now,
            "position": target.position.tolist(),
            "moved": moved,
            "rested": rested,
        }
        if fallen:
            self.verdict = Verdict(False, f"the {fallen[0]} block left the table at {now:.2f} s", details)
        elif worst and others[worst] >= MOVED:
            reason = (
                f"the {worst} block was moved {1e3 * others[worst]:.0f} mm by {now:.2f} s, {1e3 * MOVED:.0f} allowed"
            )
            self.verdict = Verdict(False, reason, details)
        elif rested >= RESTING:
            way = f"; the others moved at most {1e3 * others[worst]:.1f} mm" if worst else ""
            self.verdict = Verdict(True, f"the {self._target} block rests in the tray at {now:.2f} s{way}", details)
        elif now >= self._limit:
            reason = f"after {self._limit:g} s the {self._target} block {where or f'has rested only {rested:.2f} s'}"
            self.verdict = Verdict(False, reason, details)

    def _why_not(self, block: Motion) -> str:
        """Why the target does not count as resting in the tray, empty if it does."""
        tray = self._tray
        corners = block.position + self._corners @ block.rotation.T
        beyond = float(np.max(np.abs(corners[:, :2] - (tray.x, tray.y)))) - tray.inner / 2
        if beyond > 0.001:
            x, y, _ = block.position.tolist()
            return f"is {1e3 * beyond:.0f} mm outside the tray, at ({x:.3f}, {y:.3f}) m"
        above = float(corners[:, 2].min()) - tray.floor
        if above > 0.005:
            return f"is {1e3 * above:.0f} mm above the tray's floor"
        if block.linear > STILL[0] or block.angular > STILL[1]:
            return f"still moves, {block.linear:.3f} m/s and {block.angular:.2f} rad/s"
        return "is still held" if self._held() else ""
