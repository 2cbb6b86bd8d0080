"""Autopilot of a multirotor: state estimation, control, arming and landing, without I/O or a clock of its own.

The simulated drone and the virtual PX4 of the MAVLink driver fly with it.
"""

from embodied.autopilot.arming import arming_denials, is_level
from embodied.autopilot.controller import Controller, Limits, Setpoint
from embodied.autopilot.estimator import Estimate, Estimator, Noise
from embodied.autopilot.landing import Touchdown, descent
from embodied.autopilot.mixer import Mixer

__all__ = [
    "Controller",
    "Estimate",
    "Estimator",
    "Limits",
    "Mixer",
    "Noise",
    "Setpoint",
    "Touchdown",
    "arming_denials",
    "descent",
    "is_level",
]
