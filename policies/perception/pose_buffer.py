"""Pose buffer of a moving camera carrier: interpolates the body's pose at the time when an image was acquired."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from embodied.clock import SECOND, Time
from embodied.geometry import rotation, rotation_matrix, rotation_vector
from embodied.messages import DroneState, Vector

HISTORY = 1.0
"""Age of the oldest state that is kept [s]."""

EXTRAPOLATION_MOST = 0.05
"""Longest time beyond the newest state for which the pose is extrapolated from its velocities [s]."""

GAP_MOST = 0.25
"""Longest time between two states for which the pose is interpolated [s]."""


@dataclass(frozen=True, slots=True)
class BodyPose:
    """Pose of a body in its pose buffer, in the frame of its state.

    Attributes:
        position: shape (3,) [m].
        rotation: rotation matrix, shape (3, 3).
    """

    position: Vector
    rotation: Vector


class PoseBuffer:
    """Pose buffer of one body: its newest states; images arrive later than the states around them."""

    def __init__(self) -> None:
        self._states: deque[DroneState] = deque()

    def add(self, state: DroneState) -> None:
        """Add a state, unless it is no newer than the last one."""
        if self._states and state.acquired <= self._states[-1].acquired:
            return
        self._states.append(state)
        while state.acquired - self._states[0].acquired > HISTORY * SECOND:
            self._states.popleft()

    def at(self, time: Time) -> BodyPose | None:
        """Return the pose at a time [ns]; None if it is not known, or too long ago."""
        after = next((state for state in self._states if state.acquired >= time), None)
        before = next((state for state in reversed(self._states) if state.acquired <= time), None)
        if before is None:
            return None
        elapsed = (time - before.acquired) / SECOND
        attitude = rotation(before.orientation)
        if after is None:
            if elapsed > EXTRAPOLATION_MOST:
                return None
            turned = attitude @ rotation_matrix(elapsed * before.angular_velocity)
            return BodyPose(before.position + elapsed * before.linear_velocity, turned)
        gap = (after.acquired - before.acquired) / SECOND
        if gap > GAP_MOST:
            return None
        fraction = elapsed / gap if gap else 0.0
        turn = rotation_vector(attitude.T @ rotation(after.orientation))
        position = before.position + fraction * (after.position - before.position)
        return BodyPose(position, attitude @ rotation_matrix(fraction * turn))
