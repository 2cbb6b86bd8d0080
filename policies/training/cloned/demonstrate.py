"""Demonstrations for `train_cloned`: `PickPlace` at work in a launch file's simulation, disturbed now and then.

As in DART (Laskey et al. 2017, arXiv:1703.09327) noise goes into what is done, never into what is shown: it
is how the tool moves on and recovers once a disturbance is over, not the disturbance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embodied import SECOND, Time
from embodied.launch import Overrides, load
from embodied.messages import Detections, Goal, GripperState, Pose, Target, Vector
from embodied.runtime.lockstep import Lockstep
from policies.tasks.cloned import CHUNK, Situation
from policies.tasks.pick_place import Phase, PickPlace

AHEAD = 2
"""How many steps the shown motion is ahead of the present, so that the arm never waits for the next goal."""

STEP = SECOND // 10
KNOWN = frozenset({Phase.ABOVE, Phase.DESCEND, Phase.CLOSE, Phase.LIFT, Phase.CARRY, Phase.LOWER})
STEADY = frozenset({Phase.CLOSE, Phase.RELEASE})


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a demonstration."""

    state: NDArray[np.float32]
    position: Vector  # of the tool [m]
    yaw: float  # of the tool [rad]
    closed: bool  # whether the gripper is told to close
    disturbed: bool


@dataclass
class Demonstrator(PickPlace):
    """`PickPlace` that notes what it does, and is disturbed.

    Attributes:
        moments: what it did in this run.
    """

    disturbed: float = 0.05  # chance that a disturbance begins, at each step
    reach: float = 0.04  # of a disturbance [m]
    blur: float = 0.002  # standard deviation of where blocks seem to be, the same all along a run [m]
    moments: list[Moment] = field(default_factory=list, init=False, repr=False)

    def open(self) -> None:
        """Start with a look, and with nothing noted."""
        super().open()
        self.moments.clear()
        self._situation = Situation((*self.place, self.release))
        self._closed = False
        self._left = 0
        self._push = np.zeros(4)
        self._blur: Vector | None = None

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target, now: Time) -> Goal:
        """As `PickPlace`, but sometimes elsewhere."""
        if self._blur is None:
            self._blur = self.rng.normal(0.0, self.blur, 3)
        before = self.phase
        goal = super().step(replace(objects, position=objects.position + self._blur), tcp, gripper, target, now)
        situation = self._situation
        situation.follow(tcp)
        empty = self._closed and gripper.width < 0.6 * self.block
        known = (before in KNOWN or self.phase is Phase.ABOVE) and not empty
        state = situation.state(tcp, gripper, self._grasp if known else None, self._closed)
        self._closed = goal.gripper < self.block
        if self._left == 0 and self.rng.random() < self.disturbed:
            self._left = int(self.rng.integers(2, 6))
            self._push = self.rng.uniform(-1.0, 1.0, 4) * (self.reach, self.reach, self.reach, 0.4)
        disturbed = self._left > 0 and self.phase not in STEADY
        self._left = max(self._left - 1, 0)
        self.moments.append(Moment(state[0], tcp.position, situation.yaw, self._closed, disturbed))
        if not disturbed:
            return goal
        # Low down it is pushed less, and only upwards: blocks and table are not what it should learn to hit.
        low = tcp.position[2] < self.hover - 0.02
        push = self._push * (0.3, 0.3, 1.0, 0.3) if low else self._push
        position = goal.position + np.array([push[0], push[1], abs(push[2]) if low else push[2]])
        return replace(goal, position=position, yaw=goal.yaw + float(push[3]))


@dataclass(frozen=True, slots=True)
class Samples:
    """What a network learns from: states (k, STATE), motions (k, CHUNK, 4) and closing (k, CHUNK)."""

    state: NDArray[np.float32]
    motion: NDArray[np.float32]
    closing: NDArray[np.float32]


def samples(moments: list[Moment]) -> Samples:
    """Every moment of a demonstration after which nothing disturbed for a whole chunk."""
    tool = np.array([(*moment.position, moment.yaw) for moment in moments])
    closed = np.array([moment.closed for moment in moments])
    disturbed = np.array([moment.disturbed for moment in moments])
    last = len(moments) - CHUNK - AHEAD
    good = [i for i in range(last) if not disturbed[i : i + CHUNK + AHEAD - 1].any()]
    return Samples(
        np.stack([moments[i].state for i in good]),
        np.stack([tool[i + AHEAD : i + AHEAD + CHUNK] - tool[i] for i in good]).astype(np.float32),
        np.stack([closed[i : i + CHUNK] for i in good]).astype(np.float32),
    )


def demonstrate(launch: Path, profile: str, seeds: range, *, after: float = 2.5) -> Iterator[Samples]:
    """Demonstrations that ended well, one for each seed.

    Args:
        launch: a launch file whose node `policy` is a `PickPlace`.
        profile: which of its simulations.
        seeds: of the runs.
        after: how long a run goes on after the verdict, to show the way back [s].
    """
    swap = f"policy={Demonstrator.__module__}:{Demonstrator.__name__}"
    plan = load(launch, Overrides(swaps=[swap])).graph(profile).check()
    (policy,) = [planned.node for planned in plan.nodes.values() if isinstance(planned.node, Demonstrator)]
    for seed in seeds:
        with Lockstep(plan, seed=seed) as run:
            while (verdict := run.verdict()) is None:
                run.advance(Time(run.now + STEP))
            if verdict.passed:
                run.advance(Time(run.now + round(after * SECOND)))
                yield samples(policy.moments)
