"""Parts of a vehicle's state: each has its own message, its own greatest age, and its own time until it is lost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import common

from embodied.clock import SECOND, Time

STREAM_RATES = {
    common.MAVLINK_MSG_ID_LOCAL_POSITION_NED: 50.0,
    common.MAVLINK_MSG_ID_ATTITUDE_QUATERNION: 50.0,
    common.MAVLINK_MSG_ID_EXTENDED_SYS_STATE: 5.0,
    common.MAVLINK_MSG_ID_BATTERY_STATUS: 2.0,
    common.MAVLINK_MSG_ID_POSITION_TARGET_LOCAL_NED: 10.0,
}
"""Rates that are requested of the vehicle's messages [Hz]; a heartbeat comes once a second in any case."""


@dataclass(frozen=True, slots=True)
class Part:
    """Part of a vehicle's state.

    Attributes:
        name: name of the part, for errors.
        age: greatest age in a state that is published [s].
        timeout: time without it after which the vehicle is lost [s].
    """

    name: str
    age: float
    timeout: float


PARTS = {
    "LOCAL_POSITION_NED": Part("position", 0.5, 1.0),
    "ATTITUDE_QUATERNION": Part("attitude", 0.5, 1.0),
    "EXTENDED_SYS_STATE": Part("landed state", 1.5, 3.0),
    "HEARTBEAT": Part("heartbeat", 2.5, 3.0),
}
"""Parts by their messages: position, attitude, whether it has landed, and mode with whether it is armed."""


class LossWatch:
    """Watch on the parts of a vehicle's state, by the times of a driver's steps."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[float, Time]] = {}

    def begin(self) -> None:
        """Count from the next step on, as if everything had come just then."""
        self._seen.clear()

    def loss(self, newest: Mapping[str, tuple[Any, float]], now: Time) -> str:
        """Return which part has ceased, and for how long; empty if none has.

        Args:
            newest: newest message of each type, and when it came [s].
            now: time of the step.
        """
        for kind, part in PARTS.items():
            came = newest.get(kind, (None, 0.0))[1]
            seen = self._seen.get(kind)
            if seen is None or came > seen[0]:
                seen = self._seen[kind] = came, now
            silence = (now - seen[1]) / SECOND
            if silence > part.timeout:
                return f"{part.name} for {silence:.2f} s"
        return ""
