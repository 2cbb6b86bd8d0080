"""A cascaded controller of a multirotor: position, velocity, attitude, turning rates, four thrusts.

Each loop is a few times faster than the one around it; the innermost is as fast as rotors with a lag of 30 ms and a
delay of 10 ms allow. A force is wanted first, and the attitude follows from it (Lee, Leok and McClamroch, Geometric
tracking control of a quadrotor UAV on SE(3), 2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.autopilot.estimator import GRAVITY, Estimate
from embodied.autopilot.mixer import Mixer
from embodied.bodies import Quadrotor
from embodied.geometry import norm, rotation, rotation_matrix, rotation_vector
from embodied.messages.schema import Vector

POSITION = 1.5  # [1/s]
VELOCITY = np.array([3.2, 3.2, 4.0])  # [1/s]
INTEGRAL = np.array([2.0, 2.0, 2.0])  # [1/s²]
ATTITUDE = np.array([6.0, 6.0, 2.5])  # [1/s]
RATES = np.array([16.0, 16.0, 6.0])  # [1/s]
SMALL, STRONGEST = 0.2, 4.0  # of errors in velocity that tell of wind, and of what wind does [m/s], [m/s²]
LEAST = 0.2  # of its weight that the rotors always give, so that they can still turn it


@dataclass(frozen=True, slots=True)
class Limits:
    """What a flight may be.

    Attributes:
        speed: over the ground [m/s].
        climb: upwards [m/s].
        descent: downwards [m/s].
        acceleration: with which it slows down before a position [m/s²].
        tilt: of the up axis from the vertical [rad].
        turn: about the vertical [rad/s].

    Raises:
        ValueError: one is not above 0, or it would tilt until nothing lifts it.
    """

    speed: float = 3.0
    climb: float = 1.5
    descent: float = 1.0
    acceleration: float = 2.5
    tilt: float = 0.5
    turn: float = 1.0

    def __post_init__(self) -> None:
        for name in self.__slots__:
            if not 0.0 < getattr(self, name) < math.inf:
                raise ValueError(f"{name} = {getattr(self, name)} is no limit: it must be above 0 and finite")
        if self.tilt > 1.2:
            raise ValueError(f"tilt = {self.tilt} rad leaves nothing to lift with: at most 1.2 rad")


@dataclass(frozen=True, slots=True)
class Setpoint:
    """Where to be, or how to move. With neither it comes to rest.

    Attributes:
        position: in the world's frame, shape (3,) [m].
        velocity: shape (3,) [m/s]; beside a position, that of the position itself.
        yaw: of the forward axis from east [rad].
    """

    position: Vector | None = None
    velocity: Vector | None = None
    yaw: float = 0.0


class Controller:
    """Flies an airframe to set-points. It remembers what wind it holds against, and nothing else.

    Args:
        quadrotor: the airframe.
        limits: of the flight.

    Raises:
        ValueError: the rotors of this airframe cannot fly it.
    """

    def __init__(self, quadrotor: Quadrotor, limits: Limits | None = None) -> None:
        weight = quadrotor.mass * GRAVITY
        if not 4 * quadrotor.most > weight:
            raise ValueError(f"four rotors of {quadrotor.most:g} N do not lift a weight of {weight:.3g} N")
        self.quadrotor = quadrotor
        self.limits = Limits() if limits is None else limits
        self._mixer = Mixer(quadrotor)
        self.reset()

    def reset(self) -> None:
        """Forget the wind; before every take-off, because on the ground nothing can be learned of it."""
        self._steady = np.zeros(3)

    def step(self, estimate: Estimate, setpoint: Setpoint, dt: float) -> Vector:
        """One period.

        Args:
            estimate: how it flies now.
            setpoint: how it should.
            dt: since the last call [s].

        Returns:
            thrusts of the rotors, shape (4,) [N].
        """
        force = self.quadrotor.mass * (self._acceleration(estimate, setpoint, dt) + np.array([0.0, 0.0, GRAVITY]))
        attitude = rotation(estimate.orientation)
        wanted = _attitude(force, setpoint.yaw)
        rates = ATTITUDE * _turn(attitude.T @ wanted)
        rates[2] = min(max(rates[2], -self.limits.turn), self.limits.turn)
        turning, inertia = estimate.angular_velocity, self.quadrotor.inertia
        torque = inertia * RATES * (rates - turning) + np.cross(turning, inertia * turning)
        lift = max(float(force @ attitude[:, 2]), LEAST * self.quadrotor.mass * GRAVITY)
        return self._mixer.mix(lift, torque)

    def _acceleration(self, estimate: Estimate, setpoint: Setpoint, dt: float) -> Vector:
        """What is wanted beside gravity, shape (3,) [m/s²]."""
        error = self._velocity(estimate, setpoint) - estimate.velocity
        asked = VELOCITY * error + self._steady
        given = self._bounded(asked)
        # What the limits cut off, and most of what a new set-point asks for, is not learned as if it were wind.
        free = (np.abs(given - asked) < 1e-9) | (error * self._steady < 0.0)
        learned = free * np.clip(error, -SMALL, SMALL)
        self._steady = np.clip(self._steady + dt * INTEGRAL * learned, -STRONGEST, STRONGEST)
        return given

    def _velocity(self, estimate: Estimate, setpoint: Setpoint) -> Vector:
        wanted = np.zeros(3) if setpoint.velocity is None else setpoint.velocity.copy()
        if setpoint.position is not None:
            missing = setpoint.position - estimate.position
            wanted[:2] += self._approach(missing[:2])
            wanted[2:] += self._approach(missing[2:])
        limits = self.limits
        speed = norm(wanted[:2])
        if speed > limits.speed:
            wanted[:2] *= limits.speed / speed
        wanted[2] = min(max(wanted[2], -limits.descent), limits.climb)
        return wanted

    def _approach(self, missing: Vector) -> Vector:
        """Velocity towards what is missing: in proportion to it when near, and from afar so that it can still stop."""
        distance, near = norm(missing), self.limits.acceleration / (2.0 * POSITION**2)
        if distance <= near:
            return POSITION * missing
        speed: float = math.sqrt(self.limits.acceleration * (distance - near / 2.0))
        return missing * (speed / distance)

    def _bounded(self, asked: Vector) -> Vector:
        """An acceleration for which it need not tilt too far, nor fall."""
        given = asked.copy()
        given[2] = min(max(given[2], -0.5 * GRAVITY), 4 * self.quadrotor.most / self.quadrotor.mass - GRAVITY)
        most = math.tan(self.limits.tilt) * (GRAVITY + given[2])
        across = norm(given[:2])
        if across > most:
            given[:2] *= most / across
        return given


def _attitude(force: Vector, yaw: float) -> Vector:
    """The rotation (3, 3) whose up axis lies along a force, and whose forward axis has a heading [rad]."""
    up = force / norm(force)
    left = np.cross(up, (math.cos(yaw), math.sin(yaw), 0.0))
    left /= norm(left)
    return np.stack([np.cross(left, up), left, up], axis=1)


def _turn(error: Vector) -> Vector:
    """How to turn for an error of attitude (3, 3): the shortest way to the tilt, then about the up axis, (3,) [rad].

    In one rotation vector a large turn bends the tilt's part out of its way (Brescianini and D'Andrea, Tilt-prioritized
    quadrocopter attitude control, 2018).
    """
    x, y, z = error[:, 2].tolist()
    sine = math.hypot(x, y)
    # Upside down every way is as short.
    angle = math.atan2(sine, z)
    tilt = np.array([-y, x, 0.0]) * (angle / sine) if sine > 1e-9 else np.array([angle, 0.0, 0.0])
    about = rotation_vector(rotation_matrix(tilt).T @ error)
    turn: Vector = tilt + np.array([0.0, 0.0, about[2]])
    return turn
