"""Drive limiter: speed, acceleration and steering angle of a vehicle command, each within the vehicle's limits.

The angle is a set-point that moves no faster than the steering rate allows. Speed needs no set-point: a command states
the acceleration with which to approach its speed, and that is what is limited, so that braking is never delayed.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.guards.cornering import Cornering
from embodied.messages import VehicleCommand, VehicleState

_SLACK = 1e-9
"""Difference up to which a value counts as rounded, not clipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveLimiter:
    """Drive limiter of a vehicle command, applied once per control period.

    Attributes:
        speed: limit of the speed, forwards and backwards [m/s].
        acceleration: limit when gaining speed [m/s²].
        braking: limit when losing speed, and deceleration of a stop [m/s²].
        steering: limit of the front wheels' angle at the road, either way [rad].
        slew: limit of the steering rate [rad/s].
        cornering: further limits in a bend.
        period: control period [s].
    """

    speed: float
    acceleration: float
    braking: float
    steering: float
    slew: float
    cornering: Cornering
    period: float

    def follow(
        self, angle: float, command: VehicleCommand, state: VehicleState
    ) -> tuple[VehicleCommand, tuple[str, ...]]:
        """Limit a command for one period.

        Args:
            angle: steering set-point of the last period [rad].
            command: command to limit; all its numbers are finite.
            state: current state of the vehicle.

        Returns:
            the limited command, and each limit that changed it.
        """
        bounded = _within(command.steering, self.steering)
        reachable = self.period * min(self.slew, self.cornering.slew(state.speed, angle))
        steering = angle + _within(_within(bounded, self.cornering.angle(state.speed)) - angle, reachable)
        # A command for a sharp bend slows the vehicle down first; the wheels follow as the speed allows.
        sharpest = max(abs(bounded), abs(steering), abs(state.steering))
        speed = _within(command.speed, min(self.speed, self.cornering.speed(sharpest)))
        limit = self.braking if state.speed * (speed - state.speed) < 0.0 else self.acceleration
        acceleration = limit if command.acceleration is None else _within(abs(command.acceleration), limit)
        limited = VehicleCommand(speed=speed, acceleration=acceleration, steering=steering, gear=command.gear)
        return limited, _clips(command, limited)

    def stop(self, angle: float, gear: str) -> VehicleCommand:
        """Return the command for a controlled stop, with the front wheels at an angle [rad]."""
        return VehicleCommand(speed=0.0, acceleration=self.braking, steering=angle, gear=gear)


def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


def _clips(command: VehicleCommand, limited: VehicleCommand) -> tuple[str, ...]:
    assert limited.acceleration is not None
    acceleration = limited.acceleration if command.acceleration is None else abs(command.acceleration)
    pairs = (
        ("speed", "m/s", command.speed, limited.speed),
        ("acceleration", "m/s²", acceleration, limited.acceleration),
        ("steering", "rad", command.steering, limited.steering),
    )
    return tuple(
        f"{name} {wanted:.4g} clipped to {clipped:.4g} {unit}"
        for name, unit, wanted, clipped in pairs
        if abs(wanted - clipped) > _SLACK
    )
