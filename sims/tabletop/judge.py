"""Judge of the tabletop: the target rests in the tray, released, and nothing else was moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from embodied.messages import Vector
from embodied.robot.worktable import Tray
from embodied.world import Verdict
from sims.judging import BlockMotion, Container, RestTimer, displacements, moved_failure

RESTING = 0.3
"""Duration for which the target must rest in the tray [s]."""

FALLEN = -0.05
"""Height below which a block has left the table [m]."""


class TabletopJudge:
    """Judge of the blocks of a run on the tabletop, which decides once.

    Args:
        target: label of the block to be placed.
        size: edge of the blocks [m].
        start: centre of every block at the start, shape (3,) [m], by label.
        tray: container of the target.
        limit: longest duration of the run [s].
        held: tells whether the gripper touches the target.

    Attributes:
        verdict: None before it is decided.
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
        middle = np.array([tray.x, tray.y, tray.floor])
        self._tray = Container("tray", middle, (tray.inner / 2, tray.inner / 2), size)
        self._limit = limit
        self._held = held
        self._rest = RestTimer()
        self.verdict: Verdict | None = None

    def look(self, now: float, blocks: Mapping[str, BlockMotion]) -> None:
        """Judge the blocks at a time [s]."""
        if self.verdict is not None:
            return
        moved = displacements(blocks, self._start)
        others = {label: distance for label, distance in moved.items() if label != self._target}
        fallen = [label for label, block in blocks.items() if block.position[2] < FALLEN]
        target = blocks[self._target]
        missing = self._tray.failure(target, self._held, np.zeros(3), np.eye(3))
        rested = self._rest.update(now, not missing)
        details = {
            "target": self._target,
            "time": now,
            "position": target.position.tolist(),
            "moved": moved,
            "rested": rested,
        }
        if fallen:
            self.verdict = Verdict(False, f"the {fallen[0]} block left the table at {now:.2f} s", details)
        elif failure := moved_failure(others, now):
            self.verdict = Verdict(False, failure, details)
        elif rested >= RESTING:
            rest = f"; the others moved at most {1e3 * max(others.values()):.1f} mm" if others else ""
            self.verdict = Verdict(True, f"the {self._target} block rests in the tray at {now:.2f} s{rest}", details)
        elif now >= self._limit:
            reason = missing or f"has rested only {rested:.2f} s"
            self.verdict = Verdict(False, f"after {self._limit:g} s the {self._target} block {reason}", details)
