"""PX4's flight modes: a main and a sub mode in the `custom_mode` of a heartbeat (PX4, `px4_custom_mode.h`)."""

from __future__ import annotations

from enum import Enum

from embodied.errors import nearest


class Mode(Enum):
    """A mode, with its main and its sub number."""

    MANUAL = (1, 0)
    ALTITUDE = (2, 0)
    POSITION = (3, 0)
    READY = (4, 1)
    TAKEOFF = (4, 2)
    HOLD = (4, 3)
    MISSION = (4, 4)
    RETURN = (4, 5)
    LAND = (4, 6)
    OFFBOARD = (6, 0)

    @property
    def word(self) -> str:
        """As a graph has it in `DroneState.mode`."""
        return self.name.lower()

    @property
    def custom(self) -> int:
        """As a heartbeat has it."""
        main, sub = self.value
        return main << 16 | sub << 24

    @classmethod
    def of(cls, custom: int) -> Mode | None:
        """From a heartbeat; None for one that is not among these."""
        found = (custom >> 16 & 0xFF, custom >> 24 & 0xFF)
        return next((mode for mode in cls if mode.value == found), None)

    @classmethod
    def named(cls, word: str) -> Mode:
        """By its word.

        Raises:
            ValueError: there is none of that name.
        """
        for mode in cls:
            if mode.word == word:
                return mode
        hint = "; ".join(nearest(word, [mode.word for mode in cls]))
        raise ValueError(f"there is no flight mode '{word}': {hint}")


def told(custom: int) -> str:
    """A word for any mode, also for one that is not among these."""
    mode = Mode.of(custom)
    return mode.word if mode else f"mode {custom >> 16 & 0xFF}/{custom >> 24 & 0xFF}"
