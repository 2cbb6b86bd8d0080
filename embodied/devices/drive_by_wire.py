"""Drive-by-wire unit of an electric vehicle: its speed control, gear changes and battery readings.

The simulated vehicle and the virtual unit of a real driver follow these same rules.
"""

from __future__ import annotations

from dataclasses import dataclass

from embodied.bodies import CarSensors

BRAKING = 3.0
"""Deceleration of a controlled stop [m/s²]."""

STANDSTILL_SPEED = 0.03
"""Speed up to which a vehicle counts as standing [m/s]."""

SPEED_GAIN = 4.0
"""Acceleration for each m/s between commanded and measured speed [1/s]."""

CHARGE_LEAST = 0.1
"""Charge of the battery below which the unit stops following commands, 0 to 1."""

LOW_BATTERY = "low battery"
"""Name of the fault of a battery below that charge."""

BATTERY_VOLTAGE = 48.0
"""Voltage of a full battery [V]; an empty one has four fifths of it."""

IDLE_CURRENT = 2.0
"""Current that the unit draws at rest [A]."""

DRIVE_CURRENT = 20.0
"""Current that the motor draws for each m/s² of acceleration [A·s²/m]."""


@dataclass(slots=True)
class SpeedControl:
    """Speed control of a drive-by-wire unit, proportional, with a gear that changes at rest.

    Attributes:
        gear: gear that is engaged, one of P, N, D; such units have no reverse.
    """

    gear: str = "P"

    def step(self, speed: float, gear: str, limit: float, motions: CarSensors) -> tuple[float, float]:
        """Run one period of the control loop.

        Args:
            speed: commanded speed along the forward axis [m/s].
            gear: commanded gear.
            limit: largest acceleration, either way [m/s²].
            motions: measured motion of the vehicle.

        Returns:
            target speed [m/s], 0 unless D is commanded and engaged, and acceleration [m/s²].
        """
        standing = abs(motions.speed) <= STANDSTILL_SPEED
        if standing and gear != "R":
            self.gear = gear
        target = speed if self.gear == gear == "D" else 0.0
        # At rest a target of 0 is held by the brakes: proportional control alone would let the vehicle creep.
        if target <= 0.0 and standing:
            return target, -BRAKING
        return target, min(max(SPEED_GAIN * (target - motions.speed), -limit), limit)


def voltage(charge: float) -> float:
    """Return the voltage of a drive-by-wire vehicle's battery at a charge of 0 to 1 [V]."""
    return BATTERY_VOLTAGE * (0.8 + 0.2 * charge)


def current(acceleration: float) -> float:
    """Return the current from a drive-by-wire vehicle's battery at an acceleration [m/s²], in [A]; brakes draw none."""
    return IDLE_CURRENT + DRIVE_CURRENT * max(acceleration, 0.0)
