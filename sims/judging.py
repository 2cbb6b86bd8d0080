"""Parts that the judges of all worlds share: rest timer, hover accuracy, flight state, motion of blocks, containers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from embodied.errors import WorldFailed
from embodied.geometry import rotation
from embodied.messages import Vector
from sims.bodies.quadrotor import QuadrotorBody
from sims.bullet import Bullet

LOOKS = 20
"""Judgements per second of simulated time [Hz]."""

HOVER_ERROR_MOST = 0.10
"""Position error that 95 % of a hold stay within [m]."""

HOVER_NEAR = 0.5
"""Position error within which a hold begins, and beyond which it ends [m]."""

HOVER_ARRIVING = 3.0
"""Begin of a hold that does not count yet [s]."""

HOVER_HOLDING = 5.0
"""Duration of the part that counts, at least [s]."""

LANDED = 0.20
"""Distance from the middle of the pad within which a flight has landed on it [m]."""

FLIGHT_STILL = 0.05
"""Speed below which a multirotor rests [m/s]."""

TIPPED = math.radians(60.0)
"""Tilt beyond which a multirotor has tipped over [rad]."""

BLOCK_MOVED = 0.02
"""Distance by which a block that is not the target may be moved [m]."""

BLOCK_STILL = 0.02
"""Speed below which a block rests [m/s]."""

BLOCK_STILL_TURNING = 0.3
"""Angular speed below which a block rests [rad/s]."""

OUTSIDE_MOST = 0.001
"""Distance by which a corner of a block may be outside its container [m]."""

ABOVE_MOST = 0.005
"""Distance from the floor of its container within which a block lies on it [m]."""


class RestTimer:
    """Timer for judges: how long a condition has held without a break."""

    def __init__(self) -> None:
        self._since: float | None = None

    def update(self, now: float, holds: bool) -> float:
        """Record the condition at a time [s]; return for how long it has held [s]."""
        self._since = None if not holds else now if self._since is None else self._since
        return 0.0 if self._since is None else now - self._since

    def restart(self) -> None:
        """Forget the condition, as if it had not held."""
        self._since = None


class HoverAccuracy:
    """Hover accuracy: 95th percentile position error of the best uninterrupted hold, transients excluded.

    Args:
        rate: updates per second [Hz].

    Attributes:
        error: that percentile [m]; None: there was no hold of `HOVER_HOLDING`.
    """

    def __init__(self, rate: int) -> None:
        self._arriving = round(HOVER_ARRIVING * rate)
        self._enough = round((HOVER_ARRIVING + HOVER_HOLDING) * rate)
        self._errors: list[float] = []
        self.error: float | None = None

    def update(self, error: float) -> None:
        """Record the position error at the next instant [m]."""
        self._errors = [*self._errors, error] if error <= HOVER_NEAR else []
        if len(self._errors) >= self._enough:
            # The best so far is kept, so that leaving the place does not count.
            percentile = float(np.quantile(self._errors[self._arriving :], 0.95))
            self.error = percentile if self.error is None else min(self.error, percentile)

    def failure(self, place: str) -> str:
        """Return why there was no accurate hold over a place, empty if there was one."""
        if self.error is None:
            return f"it never held over {place}"
        if self.error <= HOVER_ERROR_MOST:
            return ""
        return f"it held over {place} within {self.error:.3f} m, {HOVER_ERROR_MOST} allowed"


@dataclass(frozen=True, slots=True)
class Flight:
    """True state of a multirotor, as far as the judges of worlds need it.

    Attributes:
        position: position of its middle, shape (3,) [m].
        speed: magnitude of its velocity [m/s].
        tilt: angle of its up axis from the vertical [rad].
        grounded: whether it touches the ground.
        off: whether its rotors stand.
    """

    position: Vector
    speed: float
    tilt: float
    grounded: bool
    off: bool

    @classmethod
    def of(cls, bullet: Bullet, drone: QuadrotorBody, ground: int) -> Self:
        """Read the state of a quadrotor above a ground of a number.

        Raises:
            WorldFailed: its position is not finite.
        """
        require_finite("drone", drone.position)
        return cls(
            position=drone.position,
            speed=float(np.linalg.norm(drone.velocity)),
            tilt=math.acos(max(-1.0, min(1.0, float(drone.attitude[2, 2])))),
            grounded=bool(bullet.getContactPoints(drone.body, ground)),
            off=drone.turned_off,
        )

    def rests(self) -> bool:
        """Return whether it has landed somewhere and stopped its rotors."""
        return self.grounded and self.off and self.speed < FLIGHT_STILL

    def failure(self, who: str, fence: str, low: Vector, high: Vector, now: float) -> str:
        """Return how the flight has failed at a time [s], empty if it has not.

        Args:
            who: name of the multirotor in the sentence.
            fence: name of its geofence in the sentence.
            low: lower corner of the geofence, shape (3,) [m].
            high: upper corner of the geofence, shape (3,) [m].
            now: time [s].
        """
        if not np.all((low <= self.position) & (self.position <= high)):
            return f"{who} left {fence} at {now:.2f} s, at {np.round(self.position, 2).tolist()} m"
        if self.tilt > TIPPED:
            return f"{who} tipped over at {now:.2f} s, by {math.degrees(self.tilt):.0f}°"
        return ""


@dataclass(frozen=True, slots=True)
class BlockMotion:
    """True pose and speed of a block, for the judges of worlds.

    Attributes:
        position: position of its centre, shape (3,) [m].
        rotation: rotation matrix, shape (3, 3).
        linear, angular: speeds [m/s], [rad/s].
    """

    position: Vector
    rotation: Vector
    linear: float
    angular: float

    @classmethod
    def of(cls, bullet: Bullet, body: int, label: str) -> Self:
        """Read the motion of a body.

        Raises:
            WorldFailed: its position is not finite.
        """
        position, orientation = bullet.getBasePositionAndOrientation(body)
        linear, angular = bullet.getBaseVelocity(body)
        require_finite(f"{label} block", np.array(position))
        return cls(np.array(position), rotation(np.array(orientation)), math.hypot(*linear), math.hypot(*angular))


def displacements(blocks: Mapping[str, BlockMotion], start: Mapping[str, Vector]) -> dict[str, float]:
    """Return for a judge how far each block is from its position at the start [m], by label."""
    return {label: math.dist(blocks[label].position, at) for label, at in start.items()}


def moved_failure(moved: Mapping[str, float], now: float) -> str:
    """Return for a judge which block was moved too far by a time [s], empty if none was.

    Args:
        moved: displacement of each block that must stay where it is [m], by label.
        now: time [s].
    """
    worst = max(moved, key=moved.__getitem__, default="")
    if not worst or moved[worst] < BLOCK_MOVED:
        return ""
    return f"the {worst} block was moved {1e3 * moved[worst]:.0f} mm by {now:.2f} s, {1e3 * BLOCK_MOVED:.0f} allowed"


class Container:
    """Open box with a level floor in which a judge wants a block to rest.

    Args:
        name: noun of the container in sentences.
        middle: middle of its floor in the frame of what carries it, shape (3,) [m].
        half: half of its inside along that frame's x and y [m].
        edge: edge of the block [m].
    """

    def __init__(self, name: str, middle: Vector, half: tuple[float, float], edge: float) -> None:
        self._name = name
        self._middle = middle
        self._half = half
        self._corners = edge / 2 * np.array([(x, y, z) for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])

    def failure(self, block: BlockMotion, held: Callable[[], bool], position: Vector, attitude: Vector) -> str:
        """Return why a block does not rest in the container, empty if it does.

        Args:
            block: motion of the block in the world.
            held: tells whether a gripper touches the block; called last, since contacts are costly to find.
            position: position of the frame of what carries the container, shape (3,) [m].
            attitude: rotation of that frame, shape (3, 3).
        """
        corners = (block.position + self._corners @ block.rotation.T - position) @ attitude - self._middle
        outside = float(np.max(np.abs(corners[:, :2]) - self._half))
        above = float(corners[:, 2].min())
        if outside > OUTSIDE_MOST:
            return f"is {1e3 * outside:.0f} mm outside the {self._name}"
        if above > ABOVE_MOST:
            return f"is {1e3 * above:.0f} mm above the floor of the {self._name}"
        if block.linear > BLOCK_STILL or block.angular > BLOCK_STILL_TURNING:
            return f"still moves, {block.linear:.3f} m/s and {block.angular:.2f} rad/s"
        return "is still held" if held() else ""


def require_finite(name: str, position: Vector) -> None:
    """Check for a judge that the physics gave a position that is a number.

    Raises:
        WorldFailed: it is NaN or infinite.
    """
    if not np.isfinite(position).all():
        raise WorldFailed(f"the physics broke: the {name} is at {position.tolist()}")
