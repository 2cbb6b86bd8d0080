"""How a multirotor knows where it is, and how it flies there: pure, with time handed in.

The driver of the simulated world and the virtual autopilot of a real driver fly with it.
"""

from embodied.autopilot.controller import Controller, Limits, Setpoint
from embodied.autopilot.estimator import Estimate, Estimator, Noise
from embodied.autopilot.mixer import Mixer

__all__ = ["Controller", "Estimate", "Estimator", "Limits", "Mixer", "Noise", "Setpoint"]
