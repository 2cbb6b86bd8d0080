"""Flight control of the virtual autopilot: from a set-point of any kind to the thrusts of the rotors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from drivers.mavlink.virtual.targets import AttitudeTarget
from embodied.autopilot import Controller, Estimate, Setpoint
from embodied.autopilot.estimator import GRAVITY
from embodied.bodies import Quadrotor
from embodied.geometry import rotation
from embodied.messages import Vector


class FlightControl:
    """Flight control of one airframe.

    Args:
        quadrotor: the airframe.
    """

    def __init__(self, quadrotor: Quadrotor) -> None:
        self._controller = Controller(quadrotor)
        self._limits = self._controller.limits
        self._weight = quadrotor.mass * GRAVITY

    def thrusts(
        self,
        estimate: Estimate,
        setpoint: Setpoint | AttitudeTarget | None,
        speeds: tuple[float, float, float] | None,
        hover: float,
        dt: float,
    ) -> Vector:
        """Run one period, and return the thrusts of the rotors, shape (4,) [N].

        Args:
            estimate: present state.
            setpoint: desired state; None for motors that idle or stand.
            speeds: highest speed over the ground, up and down [m/s]; None for those by default.
            hover: share of the thrust that carries the weight.
            dt: time since the last call [s].
        """
        controller = self._controller
        if isinstance(setpoint, Setpoint):
            across, up, down = speeds or (self._limits.speed, self._limits.climb, self._limits.descent)
            controller.limits = replace(self._limits, speed=across, climb=up, descent=down)
            return controller.step(estimate, setpoint, dt)
        controller.reset()
        if setpoint is None:
            return np.zeros(4)
        rates = setpoint.rates
        if setpoint.orientation is not None:
            rates = controller.rates(rotation(estimate.orientation), rotation(setpoint.orientation))
        return controller.turn(estimate, rates, setpoint.thrust / hover * self._weight)
