"""Guidance of the virtual autopilot: the set-point of the flight controller in each mode."""

from __future__ import annotations

import math

import numpy as np

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.flight_state import FlightState
from drivers.mavlink.virtual.targets import AttitudeTarget, Target
from embodied.autopilot import Setpoint, descent
from embodied.autopilot.controller import ATTITUDE_GAIN
from embodied.geometry import norm
from embodied.messages import Vector

STICK_SPEED = 3.0
"""Horizontal speed for a stick at its end [m/s]."""

STICK_CLIMB = 1.0
"""Vertical speed for a stick at its end [m/s]."""

STICK_TURN = 0.8
"""Rate of the yaw for a stick at its end [rad/s]."""

TURN_MOST = 2.0
"""Highest rate of the yaw that is flown [rad/s]."""

STICK_REST = 0.05
"""Deflection up to which a stick is in the middle."""


class Guidance(FlightState):
    """Guidance of the virtual PX4: set-points of its modes from its targets."""

    def _next_setpoint(self) -> Setpoint | AttitudeTarget:
        if self.mode is Mode.OFFBOARD and self._setpoint is not None:
            target = self._setpoint[1]
            return target if isinstance(target, AttitudeTarget) else self._toward(target)
        if self.mode is Mode.TAKEOFF:
            return Setpoint(np.array([*self._target[:2], self._height]), None, self._heading)
        if self.mode is Mode.LAND:
            return descent(self._target, self._at[2], float(self.parameters["MPC_LAND_SPEED"]), self._heading)
        if self.mode is Mode.ORBIT and self._orbit is not None:
            return self._along_orbit()
        if self.mode is Mode.FOLLOW and self._followed is not None:
            return self._behind_target()
        if self.mode is Mode.POSITION and self._sticks is not None:
            return self._by_sticks()
        return Setpoint(self._target, None, self._heading)

    def _toward(self, target: Target) -> Setpoint:
        """Return the set-point of a target; on an axis without a position it keeps to the velocity alone."""
        if target.yaw is not None:
            self._heading = target.yaw
        elif target.yaw_rate is not None:
            self._turn(target.yaw_rate)
        free = np.isnan(target.position)
        position = None if free.all() else np.where(free, self._at, target.position)
        still = np.isnan(target.velocity)
        velocity = None if still.all() else np.where(still, 0.0, target.velocity)
        return Setpoint(position, velocity, self._heading)

    def _turn(self, rate: float) -> None:
        """Turn at a rate [rad/s]: lead the yaw by what the attitude loop turns at that rate."""
        if rate:
            rate = min(max(rate, -TURN_MOST), TURN_MOST)
            self._heading = self._yaw + rate / float(ATTITUDE_GAIN[2])
            self._turning = True
        elif self._turning:
            self._heading, self._turning = self._yaw, False

    def _along_orbit(self) -> Setpoint:
        orbit = self._orbit
        assert orbit is not None
        arm = self._at[:2] - orbit.centre[:2]
        outward = arm / norm(arm) if norm(arm) > 1e-6 else np.array([1.0, 0.0])
        position = np.array([*(orbit.centre[:2] + orbit.radius * outward), orbit.centre[2]])
        velocity = orbit.speed * np.array([-outward[1], outward[0], 0.0])
        if orbit.faces:
            self._heading = math.atan2(-outward[1], -outward[0])
        # The way round begins once it is near the circle.
        near = abs(norm(arm) - orbit.radius) < max(1.0, 0.2 * orbit.radius)
        return Setpoint(position, velocity if near else None, self._heading)

    def _behind_target(self) -> Setpoint:
        followed, home = self._followed, self.home
        assert followed is not None
        assert home is not None
        distance, height = float(self.parameters["FLW_TGT_DST"]), float(self.parameters["FLW_TGT_HT"])
        away = self._at[:2] - followed[:2]
        outward = away / norm(away) if norm(away) > 1e-6 else np.array([0.0, 1.0])
        self._heading = math.atan2(-outward[1], -outward[0])
        return Setpoint(np.array([*(followed[:2] + distance * outward), home[2] + height]), None, self._heading)

    def _by_sticks(self) -> Setpoint:
        """Return the set-point of position mode: sticks in the middle hold the place where it comes to rest."""
        assert self._sticks is not None
        sticks = self._sticks[1]
        self._turn(STICK_TURN * sticks.turn if abs(sticks.turn) > STICK_REST else 0.0)
        moved = np.array([sticks.forward, sticks.left, sticks.up])
        if np.abs(moved).max() <= STICK_REST:
            return Setpoint(self._target, None, self._heading)
        # Where it would come to rest, for the moment at which the sticks are let go.
        self._target = self._at + 0.5 * self._velocity
        forward = np.array([math.cos(self._yaw), math.sin(self._yaw)])
        across = STICK_SPEED * (sticks.forward * forward + sticks.left * np.array([-forward[1], forward[0]]))
        return Setpoint(None, np.array([*across, STICK_CLIMB * sticks.up]), self._heading)

    _turning = False


def upward(setpoint: Setpoint | AttitudeTarget, at: Vector, hover: float) -> float:
    """Return how fast a set-point leads up, from its velocity and its distance [m/s]; negative leads down.

    Args:
        setpoint: set-point of the flight controller.
        at: position of the vehicle [m].
        hover: share of the thrust that carries its weight.
    """
    if isinstance(setpoint, AttitudeTarget):
        return setpoint.thrust - hover
    up = 0.0 if setpoint.velocity is None else float(setpoint.velocity[2])
    return up if setpoint.position is None else up + float(setpoint.position[2] - at[2])
