"""Limits of a Tesla's commands, in our words after opendbc 0.3.1, `opendbc/safety/modes/tesla.h` (comma.ai, MIT).

That code refuses none of our commands: while nobody drives, they carry accelerations of 0 and the measured angle of the
wheel; then at most 2 m/s² of drive and 3.48 m/s² of braking, and an angle with a lateral acceleration and jerk that
passengers can bear (ISO 11270), by a bicycle model with understeer.
"""

from __future__ import annotations

import math
from dataclasses import replace

from drivers.can_ev.vehicle import DriveCommand, DriveReport

STEERING_RATIO = 12.0
"""Angle of the steering wheel over that of the road wheels (opendbc, Model 3)."""

ACCELERATION_MOST = 2.0
"""Largest acceleration that is commanded [m/s²]."""

BRAKING_MOST = 3.48
"""Largest deceleration that is commanded [m/s²]."""

STEERING_MOST = math.radians(360.0) / STEERING_RATIO
"""Largest angle of the road wheels; the steering motor faults beyond one turn of the steering wheel [rad]."""

LATERAL_MOST = 3.0
"""Largest lateral acceleration [m/s²], and largest lateral jerk [m/s³]."""

WHEELBASE = 2.89
"""Distance between the axles of the model that limits the steering (Model Y) [m]."""

UNDERSTEER = 0.000580374383851451
"""Understeer of that model: the angle for a curvature grows by this share with the square of the speed [s²/m²]."""

COMMAND_RATE = 50.0
"""Largest rate of steering commands; a fifth more of them in a quarter of a second are refused [Hz]."""

SPEED_LEAST = 1.0
"""Speed below which the limits of the steering do not grow any more [m/s]."""


def smooth(command: DriveCommand, before: float, report: DriveReport) -> DriveCommand:
    """Return a command to a Tesla with its steering within the lateral acceleration and jerk at the measured speed.

    Args:
        command: command to follow.
        before: angle of the road wheels that was sent one period ago [rad].
        report: newest state of the vehicle.
    """
    speed = max(abs(report.speed), SPEED_LEAST)
    most = LATERAL_MOST / speed**2 * WHEELBASE * (1.0 + UNDERSTEER * speed**2)
    step, most = most / COMMAND_RATE, min(most, STEERING_MOST)
    near = min(max(command.steering, before - step), before + step)
    return replace(command, steering=min(max(near, -most), most))
