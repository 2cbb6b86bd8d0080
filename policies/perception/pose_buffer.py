"""Where what carries a camera was when a picture was taken: pictures arrive later than states, and between two."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from embodied.clock import SECOND, Time
from embodied.geometry import rotation, rotation_matrix, rotation_vector
from embodied.messages import DroneState, Vector

KEPT = 1.0  # of states [s]
AHEAD = 0.05  # beyond the newest state, as it moves [s]
BETWEEN = 0.25  # two states, for what lies in the middle to be known [s]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a body is: position (3,) [m] and rotation (3, 3) in the frame of its state."""

    position: Vector
    rotation: Vector


class Whereabouts:
    """Remembers the newest states of one body."""

    def __init__(self) -> None:
        self._states: deque[DroneState] = deque()

    def add(self, state: DroneState) -> None:
        """Take in a state; one that is not newer than the last is not."""
        if self._states and state.acquired <= self._states[-1].acquired:
            return
        self._states.append(state)
        while state.acquired - self._states[0].acquired > KEPT * SECOND:
            self._states.popleft()

    def at(self, when: Time) -> Place | None:
        """Where it was at a time [ns]; None: not known, or too long ago."""
        after = next((state for state in self._states if state.acquired >= when), None)
        before = next((state for state in reversed(self._states) if state.acquired <= when), None)
        if before is None:
            return None
        gone = (when - before.acquired) / SECOND
        attitude = rotation(before.orientation)
        if after is None:
            if gone > AHEAD:
                return None
            turned = attitude @ rotation_matrix(gone * before.angular_velocity)
            return Place(before.position + gone * before.linear_velocity, turned)
        span = (after.acquired - before.acquired) / SECOND
        if span > BETWEEN:
            return None
        share = gone / span if span else 0.0
        turn = rotation_vector(attitude.T @ rotation(after.orientation))
        moved = before.position + share * (after.position - before.position)
        return Place(moved, attitude @ rotation_matrix(share * turn))
