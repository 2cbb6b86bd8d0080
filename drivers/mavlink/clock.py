"""Clock of a vehicle beside this machine's: age of its samples, round trips of the link, restarts of its autopilot."""

from __future__ import annotations

import time

from embodied.clock import SECOND

JUMP_BACK = 1.0
"""Step back of the vehicle's clock from which the autopilot has restarted [s]."""

JUMP_AHEAD = 5.0
"""Step ahead of the vehicle's clock from which another autopilot answers; the end of a link's delay makes less [s]."""

ROUND_TRIP_MOST = 5.0
"""Longest round trip of the link that is believed [s]."""


class VehicleClock:
    """Clock of a vehicle, by the times in its samples and by its answers to TIMESYNC.

    Attributes:
        jumps: number of its jumps; it jumps when the autopilot restarts, or another one takes its place.
        round_trip: newest round trip of the link [s]; 0 before the first.
    """

    def __init__(self) -> None:
        self.jumps = 0
        self.round_trip = 0.0
        self._offset: tuple[float, float] | None = None  # round trip, and the vehicle's clock minus this one [s]
        # Time of the newest sample by the vehicle, and the greatest difference of a sample's time and this clock [s].
        self._newest: tuple[float, float] | None = None

    def observe(self, since_boot: int) -> bool:
        """Note the time of a sample that has just come; return whether the clock has jumped.

        Args:
            since_boot: time of the sample, by the vehicle [ms].
        """
        sampled, ahead = since_boot / 1000, since_boot / 1000 - time.monotonic()
        newest, most = (sampled, ahead) if self._newest is None else self._newest
        jumped = sampled < newest - JUMP_BACK or ahead > most + JUMP_AHEAD
        if jumped:
            self.jumps += 1
            self._offset = None
            newest, most = sampled, ahead
        self._newest = max(sampled, newest), max(ahead, most)
        return jumped

    def compare(self, sent: int, answered: int) -> None:
        """Compare both clocks by an answer to TIMESYNC that has just come.

        Args:
            sent: time at which the request was sent, by this clock [ns].
            answered: time at which it was answered, by the vehicle [ns].
        """
        trip = (time.monotonic_ns() - sent) / SECOND
        if not 0 <= trip < ROUND_TRIP_MOST:
            return
        self.round_trip = trip
        # The shortest round trip is the most exact; one of up to 1.5 times replaces it, since clocks drift.
        if trip < 1.0 and (self._offset is None or trip <= 1.5 * self._offset[0]):
            self._offset = trip, (answered - sent) / SECOND - trip / 2

    def age(self, since_boot: int) -> float:
        """Return the age of a sample by the vehicle's clock [s]; 0 before the clocks are compared.

        Args:
            since_boot: time of the sample, by the vehicle [ms].
        """
        if self._offset is None:
            return 0.0
        return max(0.0, time.monotonic() + self._offset[1] - since_boot / 1000)
