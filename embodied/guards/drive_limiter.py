"""A drive: whatever is asked, a vehicle is told a speed, an acceleration and an angle that it can take.

The angle is a set-point that moves no faster than the wheels may be turned. Speed needs none: a command says with which
acceleration to go for it, and that is what is bounded, so that braking is never delayed.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.guards.cornering import Cornering
from embodied.messages import VehicleCommand, VehicleState

_SLACK = 1e-9
"""Differences below this are rounding, not a clip."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """Limits of a drive, applied once a period.

    Attributes:
        speed: along the forward axis, either way [m/s].
        acceleration: with which it may gain speed [m/s²].
        braking: with which it may lose speed, and with which it stops [m/s²].
        steering: of the front wheels at the road, either way [rad].
        slew: how quickly they may turn [rad/s].
        cornering: what of this a bend leaves.
        period: between two calls [s].
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
        """One period towards a command.

        Args:
            angle: set-point of the front wheels that the last call left [rad].
            command: what is asked; it is made of finite numbers.
            state: how it drives now.

        Returns:
            what it may be told, and each limit that changed it.
        """
        inside = _within(command.steering, self.steering)
        fits = _within(inside, self.cornering.angle(state.speed))
        reach = self.period * min(self.slew, self.cornering.slew(state.speed, angle))
        steering = angle + _within(fits - angle, reach)
        # A sharp bend that is asked for makes it slow down first, and then it is steered.
        sharpest = max(abs(inside), abs(steering), abs(state.steering))
        speed = _within(command.speed, min(self.speed, self.cornering.speed(sharpest)))
        limit = self.braking if state.speed * (speed - state.speed) < 0.0 else self.acceleration
        acceleration = limit if command.acceleration is None else _within(abs(command.acceleration), limit)
        told = VehicleCommand(speed=speed, acceleration=acceleration, steering=steering, gear=command.gear)
        return told, _clips(command, told)

    def stop(self, angle: float, gear: str) -> VehicleCommand:
        """A controlled stop, with the front wheels at an angle [rad]."""
        return VehicleCommand(speed=0.0, acceleration=self.braking, steering=angle, gear=gear)


def _within(value: float, limit: float) -> float:
    return min(max(value, -limit), limit)


def _clips(asked: VehicleCommand, told: VehicleCommand) -> tuple[str, ...]:
    assert told.acceleration is not None
    most = told.acceleration if asked.acceleration is None else abs(asked.acceleration)
    pairs = (
        ("speed", "m/s", asked.speed, told.speed),
        ("acceleration", "m/s²", most, told.acceleration),
        ("steering", "rad", asked.steering, told.steering),
    )
    return tuple(
        f"{name} {wanted:.4g} clipped to {given:.4g} {unit}"
        for name, unit, wanted, given in pairs
        if abs(wanted - given) > _SLACK
    )
