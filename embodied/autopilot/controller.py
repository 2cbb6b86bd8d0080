"""Cascaded controller of a multirotor: position, velocity, attitude, angular rates, four thrusts.

Each loop is a few times faster than the one around it; the innermost is as fast as rotors with a lag of 30 ms and a
delay of 10 ms allow. The desired force comes first, and the attitude follows from it (Lee, Leok and McClamroch,
Geometric tracking control of a quadrotor UAV on SE(3), 2010).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from embodied.autopilot.estimator import GRAVITY, Estimate
from embodied.autopilot.mixer import Mixer
from embodied.bodies import Quadrotor
from embodied.geometry import cross, norm, rotation, rotation_matrix, rotation_vector
from embodied.messages.schema import Vector
from embodied.ranges import Range, positive

POSITION_GAIN = 1.5
"""Gain of the position loop [1/s]."""

VELOCITY_GAIN = np.array([3.2, 3.2, 4.0])
"""Gains of the velocity loop, east, north, up [1/s]."""

INTEGRAL_GAIN = np.array([2.0, 2.0, 2.0])
"""Integral gains of the velocity loop, east, north, up [1/s²]."""

ATTITUDE_GAIN = np.array([6.0, 6.0, 2.5])
"""Gains of the attitude loop, roll, pitch, yaw [1/s]."""

RATE_GAIN = np.array([16.0, 16.0, 6.0])
"""Gains of the angular rate loop, roll, pitch, yaw [1/s]."""

INTEGRAL_ERROR_MOST = 0.2
"""Largest velocity error that is integrated [m/s]: larger ones come from set-points, not from wind."""

INTEGRAL_MOST = 4.0
"""Largest integral, as strong as wind can be [m/s²]."""

THRUST_LEAST = 0.2
"""Thrust that the rotors always give, so that they can still turn the body [weights]."""

TILT_MOST = 1.2
"""Largest limit of the tilt, beyond which the rotors cannot lift [rad]."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the cascaded controller of a multirotor.

    Attributes:
        speed: over the ground [m/s].
        climb: upwards [m/s].
        descent: downwards [m/s].
        acceleration: of braking before a position [m/s²].
        tilt: of the up axis from the vertical [rad].
        turn: rate about the vertical [rad/s].

    Raises:
        ValueError: a limit is not above 0, or the tilt is too large to lift.
    """

    speed: float = 3.0
    climb: float = 1.5
    descent: float = 1.0
    acceleration: float = 2.5
    tilt: float = 0.5
    turn: float = 1.0

    def __post_init__(self) -> None:
        positive().require(**{name: getattr(self, name) for name in self.__slots__})
        Range(0, TILT_MOST, "rad", "(]").require(tilt=self.tilt)


@dataclass(frozen=True, slots=True)
class Setpoint:
    """Set-point of the cascaded controller: position or velocity; with neither the multirotor comes to rest.

    Attributes:
        position: in the world's frame, shape (3,) [m].
        velocity: shape (3,) [m/s]; beside a position, that of the position itself.
        yaw: of the forward axis from east [rad].
    """

    position: Vector | None = None
    velocity: Vector | None = None
    yaw: float = 0.0


class Controller:
    """Cascaded controller of one airframe; its only state is the integral that holds against wind.

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
        """Clear the integral; before every take-off, because on the ground it would wind up."""
        self._integral = np.zeros(3)

    def step(self, estimate: Estimate, setpoint: Setpoint, dt: float) -> Vector:
        """Run one period of the control loops.

        Args:
            estimate: present state.
            setpoint: desired state.
            dt: time since the last call [s].

        Returns:
            thrusts of the rotors, shape (4,) [N].
        """
        force = self.quadrotor.mass * (self._acceleration(estimate, setpoint, dt) + np.array([0.0, 0.0, GRAVITY]))
        attitude = rotation(estimate.orientation)
        lift = float(force @ attitude[:, 2])
        return self.turn(estimate, self.rates(attitude, _attitude(force, setpoint.yaw)), lift)

    def rates(self, attitude: Vector, wanted: Vector) -> Vector:
        """Run one period of the attitude loop.

        Args:
            attitude: present rotation of the body, shape (3, 3).
            wanted: desired rotation of the body, shape (3, 3).

        Returns:
            desired angular rates about the body's axes, shape (3,) [rad/s].
        """
        rates: Vector = ATTITUDE_GAIN * _turn(attitude.T @ wanted)
        rates[2] = min(max(rates[2], -self.limits.turn), self.limits.turn)
        return rates

    def turn(self, estimate: Estimate, rates: Vector, lift: float) -> Vector:
        """Run one period of the loop of the angular rates.

        Args:
            estimate: present state.
            rates: desired angular rates about the body's axes, shape (3,) [rad/s].
            lift: desired thrust of all rotors along the up axis [N].

        Returns:
            thrusts of the rotors, shape (4,) [N].
        """
        turning, inertia = estimate.angular_velocity, self.quadrotor.inertia
        torque = inertia * RATE_GAIN * (rates - turning) + cross(turning, inertia * turning)
        return self._mixer.mix(max(lift, THRUST_LEAST * self.quadrotor.mass * GRAVITY), torque)

    def _acceleration(self, estimate: Estimate, setpoint: Setpoint, dt: float) -> Vector:
        """Compute the desired acceleration beside gravity, shape (3,) [m/s²]."""
        error = self._velocity(estimate, setpoint) - estimate.velocity
        asked = VELOCITY_GAIN * error + self._integral
        given = self._bounded(asked)
        # Anti-windup: errors that the limits cut off, and most of a step of the set-point, are not integrated.
        free = (np.abs(given - asked) < 1e-9) | (error * self._integral < 0.0)
        learned = free * np.clip(error, -INTEGRAL_ERROR_MOST, INTEGRAL_ERROR_MOST)
        self._integral = np.clip(self._integral + dt * INTEGRAL_GAIN * learned, -INTEGRAL_MOST, INTEGRAL_MOST)
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
        """Compute the velocity towards a position: proportional when near, from afar such that it can stop."""
        distance, near = norm(missing), self.limits.acceleration / (2.0 * POSITION_GAIN**2)
        if distance <= near:
            return POSITION_GAIN * missing
        speed: float = math.sqrt(self.limits.acceleration * (distance - near / 2.0))
        return missing * (speed / distance)

    def _bounded(self, asked: Vector) -> Vector:
        """Limit an acceleration to what tilt and thrust allow."""
        given = asked.copy()
        given[2] = min(max(given[2], -0.5 * GRAVITY), 4 * self.quadrotor.most / self.quadrotor.mass - GRAVITY)
        most = math.tan(self.limits.tilt) * (GRAVITY + given[2])
        across = norm(given[:2])
        if across > most:
            given[:2] *= most / across
        return given


def _attitude(force: Vector, yaw: float) -> Vector:
    """Return the rotation (3, 3) whose up axis lies along a force, and whose forward axis has a heading [rad]."""
    up = force / norm(force)
    left = cross(up, np.array([math.cos(yaw), math.sin(yaw), 0.0]))
    left /= norm(left)
    return np.stack([cross(left, up), left, up], axis=1)


def _turn(error: Vector) -> Vector:
    """Convert an attitude error (3, 3) to a turn (3,): the shortest way to the tilt, then about the up axis [rad].

    In one rotation vector a large turn bends the tilt's part out of its way (Brescianini and D'Andrea, Tilt-prioritized
    quadrocopter attitude control, 2018).
    """
    x, y, z = error[:, 2].tolist()
    sine = math.hypot(x, y)
    # Upside down, every axis is as short a way.
    angle = math.atan2(sine, z)
    tilt = np.array([-y, x, 0.0]) * (angle / sine) if sine > 1e-9 else np.array([angle, 0.0, 0.0])
    about = rotation_vector(rotation_matrix(tilt).T @ error)
    turn: Vector = tilt + np.array([0.0, 0.0, about[2]])
    return turn
