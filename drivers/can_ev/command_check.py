"""Check of a command against the vehicle's limits; a command is sent or refused as a whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from drivers.can_ev.vehicle import Vehicle
from embodied.guards.command_check import vehicle_problem
from embodied.messages import VehicleCommand
from embodied.ranges import Range, positive


class Limits(NamedTuple):
    """Largest values in a command to a drive-by-wire vehicle that this driver sends.

    Attributes:
        speed: largest speed, either way [m/s].
        steering: largest angle of the front wheels, either way [rad].
        acceleration: largest acceleration, either way [m/s²].
    """

    speed: float
    steering: float
    acceleration: float

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each limit that is not above 0 and finite."""
        yield from positive("m/s").problems(speed_limit=self.speed)
        yield from positive("rad").problems(steering_limit=self.steering)
        yield from positive("m/s²").problems(acceleration_limit=self.acceleration)

    def problems_of(self, vehicle: Vehicle) -> Iterator[str]:
        """Yield a sentence for each limit that is beyond what a vehicle takes."""
        taken = {
            "steering_limit": (vehicle.steering_most, "rad"),
            "acceleration_limit": (vehicle.acceleration_most, "m/s²"),
        }
        for (name, (most, unit)), value in zip(taken.items(), (self.steering, self.acceleration), strict=True):
            if value > most:
                yield f"{name} must be at most {most:.4g} {unit}, all that a {vehicle.title} takes, got {value:g}"


def refusal(command: VehicleCommand, limits: Limits) -> str:
    """Return the reason to refuse a command to a drive-by-wire vehicle; empty if it may be sent."""
    if problem := vehicle_problem(command):
        return f"refused: {problem}"
    acceleration = 0.0 if command.acceleration is None else command.acceleration
    values = {"speed": command.speed, "steering": command.steering, "acceleration": acceleration}
    for (name, value), limit, unit in zip(values.items(), limits, ("m/s", "rad", "m/s²"), strict=True):
        for problem in Range(-limit, limit, unit).problems(**{name: value}):
            return f"refused: {problem}"
    return ""
