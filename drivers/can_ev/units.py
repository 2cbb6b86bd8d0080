"""Units that a DBC may state for each physical quantity, as factors to the SI unit."""

from __future__ import annotations

import math

UNITS: dict[str, dict[str, float]] = {
    "speed": {"m/s": 1.0, "km/h": 1 / 3.6, "kph": 1 / 3.6, "mph": 0.44704},
    "angle": {"rad": 1.0, "deg": math.pi / 180, "°": math.pi / 180},
    "angular velocity": {"rad/s": 1.0, "deg/s": math.pi / 180, "°/s": math.pi / 180},
    "acceleration": {"m/s^2": 1.0, "m/s2": 1.0, "m/s²": 1.0},
    "jerk": {"m/s^3": 1.0, "m/s3": 1.0, "m/s³": 1.0},
    "torque": {"Nm": 1.0, "N·m": 1.0},
    "voltage": {"V": 1.0},
    "current": {"A": 1.0},
    "share": {"": 1.0, "%": 0.01},
}
"""SI units per DBC unit, by quantity and by the DBC's name of the unit."""
