"""Demonstrations for cloning: runs of `PickPlace` in a launch file's simulation, with random disturbances.

As in DART (Laskey et al. 2017, arXiv:1703.09327), noise goes into the executed motion, never into the labels: samples
show how the tool recovers after a disturbance, not the disturbance.
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
from policies.tasks.cloned import CHUNK, Observation
from policies.tasks.pick_place import PickPhase, PickPlace

AHEAD = 2
"""Steps between the current state and its label, so that the arm never waits for the next goal."""

STEP = SECOND // 10
"""Simulated time of one step of the demonstration [ns]."""

KNOWN = frozenset(
    {PickPhase.ABOVE, PickPhase.DESCEND, PickPhase.CLOSE, PickPhase.LIFT, PickPhase.CARRY, PickPhase.LOWER}
)
"""Phases in which the grasp is known to the network."""

STEADY = frozenset({PickPhase.CLOSE, PickPhase.RELEASE})
"""Phases in which there are no disturbances."""


@dataclass(frozen=True, slots=True)
class Moment:
    """Step of a demonstration for cloning: input, label and disturbance."""

    state: NDArray[np.float32]
    position: Vector  # of the tool [m]
    yaw: float  # of the tool [rad]
    closed: bool  # whether the goal closes the gripper
    disturbed: bool


@dataclass
class Demonstrator(PickPlace):
    """Demonstrator for cloning: a `PickPlace` that records its steps, and is disturbed at random.

    Attributes:
        moments: steps of this run.
    """

    disturbed: float = 0.05  # probability per step that a disturbance begins
    reach: float = 0.04  # largest disturbance along each axis [m]
    blur: float = 0.002  # standard deviation of the error of detections, constant in a run [m]
    moments: list[Moment] = field(default_factory=list, init=False, repr=False)

    def open(self) -> None:
        """Start without detections, and without recorded steps."""
        super().open()
        self.moments.clear()
        self._observation = Observation((*self.place, self.release))
        self._closed = False
        self._left = 0
        self._push = np.zeros(4)
        self._blur: Vector | None = None

    def step(self, objects: Detections, tcp: Pose, gripper: GripperState, target: Target, now: Time) -> Goal:
        """Return the goal of `PickPlace`, displaced during a disturbance."""
        if self._blur is None:
            self._blur = self.rng.normal(0.0, self.blur, 3)
        before = self.phase
        goal = super().step(replace(objects, position=objects.position + self._blur), tcp, gripper, target, now)
        observation = self._observation
        observation.update(tcp)
        empty = self._closed and gripper.width < 0.6 * self.block
        known = (before in KNOWN or self.phase is PickPhase.ABOVE) and not empty
        state = observation.state(tcp, gripper, self._grasp if known else None, self._closed)
        self._closed = goal.gripper < self.block
        if self._left == 0 and self.rng.random() < self.disturbed:
            self._left = int(self.rng.integers(2, 6))
            self._push = self.rng.uniform(-1.0, 1.0, 4) * (self.reach, self.reach, self.reach, 0.4)
        disturbed = self._left > 0 and self.phase not in STEADY
        self._left = max(self._left - 1, 0)
        self.moments.append(Moment(state[0], tcp.position, observation.yaw, self._closed, disturbed))
        if not disturbed:
            return goal
        # Near the table disturbances are smaller, and only upwards, so that the tool does not hit blocks or table.
        low = tcp.position[2] < self.hover - 0.02
        push = self._push * (0.3, 0.3, 1.0, 0.3) if low else self._push
        position = goal.position + np.array([push[0], push[1], abs(push[2]) if low else push[2]])
        return replace(goal, position=position, yaw=goal.yaw + float(push[3]))


@dataclass(frozen=True, slots=True)
class Samples:
    """Samples of demonstrations: states (k, STATE), motions (k, CHUNK, 4) and closing (k, CHUNK)."""

    state: NDArray[np.float32]
    motion: NDArray[np.float32]
    closing: NDArray[np.float32]


def samples(moments: list[Moment]) -> Samples:
    """Return samples for all steps of a demonstration whose following chunk is free of disturbances."""
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
    """Run demonstrations of pick and place, and yield the samples of each that passed.

    Args:
        launch: launch file whose node `policy` is a `PickPlace`.
        profile: simulation profile of the launch file.
        seeds: seeds of the runs.
        after: time that a run continues after the verdict, to show the return [s].
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
