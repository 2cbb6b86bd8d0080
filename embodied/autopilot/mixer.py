"""Mixer of a multirotor: thrusts of four rotors for a force and a torque."""

from __future__ import annotations

import numpy as np

from embodied.bodies import Quadrotor
from embodied.messages.schema import Vector

_LIFT, _ROLL, _PITCH, _YAW = range(4)


class Mixer:
    """Mixer of one airframe: distributes a force along the up axis and a torque among its rotors.

    In saturation, roll and pitch have priority over yaw, and both over the force: a multirotor that loses its attitude
    loses everything.

    Args:
        quadrotor: the airframe.

    Raises:
        ValueError: the rotors do not turn it about every axis, or one would have to pull down for it to rise.
    """

    def __init__(self, quadrotor: Quadrotor) -> None:
        x, y = quadrotor.rotors.T
        # A rotor's drag turns the body against its own sense.
        self.wrench = np.array([np.ones(4), y, -x, -quadrotor.moment * quadrotor.spins])
        self._most = quadrotor.most
        if abs(np.linalg.det(self.wrench)) < 1e-9:
            raise ValueError("the rotors of this airframe do not turn it about every axis")
        self._parts = np.linalg.inv(self.wrench)
        if self._parts[:, _LIFT].min() <= 0.0:
            raise ValueError("the rotors of this airframe do not lift it level: its middle is not between them")

    def mix(self, force: float, torque: Vector) -> Vector:
        """Compute the thrusts for a force and a torque.

        Args:
            force: along the body's up axis [N].
            torque: about its forward, left and up axes, shape (3,) [N·m].

        Returns:
            thrust of each rotor, shape (4,) [N], between 0 and its maximum.
        """
        tilt = self._parts[:, _ROLL] * torque[0] + self._parts[:, _PITCH] * torque[1]
        tilt = tilt * min(1.0, self._most / max(float(np.ptp(tilt)), 1e-12))
        rest = tilt + self._share(tilt, self._parts[:, _YAW] * torque[2])
        lift = self._parts[:, _LIFT]
        least, most = float(np.max(-rest / lift)), float(np.min((self._most - rest) / lift))
        thrusts: Vector = np.clip(lift * max(min(force, most), least) + rest, 0.0, self._most)
        return thrusts

    def _share(self, tilt: Vector, yaw: Vector) -> Vector:
        """Scale a yaw so that all rotors stay within their range."""
        gap, more = np.subtract.outer(tilt, tilt), np.subtract.outer(yaw, yaw)
        over = gap + more > self._most
        if not over.any():
            return yaw
        share: Vector = yaw * max(0.0, float(np.min((self._most - gap[over]) / more[over])))
        return share
