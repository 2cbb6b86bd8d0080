"""Flight modes of PX4: main and sub mode in the `custom_mode` of a heartbeat (PX4, `px4_custom_mode.h`)."""

from __future__ import annotations

from enum import Enum

from embodied.errors import NotStopped


class Denied(NotStopped):
    """Denial by the vehicle: the order was received, and not carried out."""


class Mode(Enum):
    """Flight mode of PX4, with its main and sub number."""

    MANUAL = (1, 0)
    ALTITUDE = (2, 0)
    POSITION = (3, 0)
    ORBIT = (3, 1)
    READY = (4, 1)
    TAKEOFF = (4, 2)
    HOLD = (4, 3)
    MISSION = (4, 4)
    RETURN = (4, 5)
    LAND = (4, 6)
    FOLLOW = (4, 8)
    OFFBOARD = (6, 0)

    @property
    def label(self) -> str:
        """Name of the mode in `DroneState.mode`."""
        return self.name.lower()

    @property
    def custom(self) -> int:
        """Number of the mode in a heartbeat."""
        main, sub = self.value
        return main << 16 | sub << 24

    @classmethod
    def from_custom(cls, custom: int) -> Mode | None:
        """Return the mode of a number in a heartbeat; None for one that is not among these."""
        return _MODES.get((custom >> 16 & 0xFF, custom >> 24 & 0xFF))


_MODES = {mode.value: mode for mode in Mode}
"""Modes by main and sub mode."""


def mode_name(custom: int) -> str:
    """Return a name for the PX4 flight mode in a heartbeat, even if it is not among these."""
    mode = Mode.from_custom(custom)
    return mode.label if mode else f"mode {custom >> 16 & 0xFF}/{custom >> 24 & 0xFF}"
