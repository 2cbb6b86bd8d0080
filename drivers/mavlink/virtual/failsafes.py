"""Failsafes of the virtual autopilot: battery, geofence, set-points, link, sticks and satellites.

Times and thresholds are PX4's parameters of the same names (PX4 User Guide, "Safety Configuration (Failsafes)").
"""

from __future__ import annotations

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.flight_state import FlightState

LINK_LOSS_MODES = {1: Mode.HOLD, 2: Mode.RETURN, 3: Mode.LAND}
"""Modes for a lost link, by NAV_DLL_ACT."""

SETPOINT_LOSS_MODES = {3: Mode.RETURN, 4: Mode.LAND}
"""Modes for lost set-points, by COM_OBL_RC_ACT."""

FENCE_MODES = {2: Mode.HOLD, 3: Mode.RETURN, 5: Mode.LAND}
"""Modes for a breach of the geofence, by GF_ACTION."""

GNSS_TIMEOUT = 2.0
"""Time without satellites after which it lands where it is, as long as it still knows where that is [s]."""


class Failsafes(FlightState):
    """Failsafes of the virtual PX4, which change its mode."""

    def __init__(self, parameters: dict[str, int | float]) -> None:
        super().__init__(parameters)
        self._failsafe: tuple[float, Mode] | None = None
        self._warnings = 0
        self._breached = False
        self._gnss_time = 0.0

    def _check_failsafes(self) -> None:
        """Check all that may change the mode of a vehicle whose motors are armed."""
        self._check_battery()
        self._check_fence()
        self._check_links()
        self._check_gnss()

    def _check_battery(self) -> None:
        charge = self.charge
        levels = [charge <= self.parameters[f"BAT_{level}_THR"] for level in ("LOW", "CRIT", "EMERGEN")]
        before, self._warnings = self._warnings, sum(levels)
        if self._warnings > before:
            self.say(4 - self._warnings, f"Battery at {100 * charge:.0f} %")
            action = self.parameters["COM_LOW_BAT_ACT"]
            if levels[2] and action:
                self._act(Mode.LAND)
            elif levels[1] and action:
                self._act(Mode.RETURN if action == 3 else Mode.LAND)

    def _check_fence(self) -> None:
        outside = self._outside(self._at)
        if outside and not self._breached:
            self.say(2, "Geofence breached")
            self._act(FENCE_MODES.get(int(self.parameters["GF_ACTION"])))
        self._breached = outside

    def _check_links(self) -> None:
        """Hold when set-points, sticks or heartbeats cease, and act on it after a while."""
        parameters, heartbeat = self.parameters, self.heartbeat_time
        if self.mode is Mode.OFFBOARD and not self._setpoints_come():
            self._hold_after("Set-points lost", SETPOINT_LOSS_MODES.get(int(parameters["COM_OBL_RC_ACT"])))
        elif self.mode is Mode.POSITION and not self.piloted and self._sticks is not None and not self._sticks_come():
            self._sticks = None
            self._hold_after("Sticks lost", None)
        elif heartbeat is not None and self._now - heartbeat > parameters["COM_DL_LOSS_T"]:
            self.heartbeat_time = None
            self._hold_after("Link lost", LINK_LOSS_MODES.get(int(parameters["NAV_DLL_ACT"])))
        if self._failsafe is not None and self._now - self._failsafe[0] > parameters["COM_FAIL_ACT_T"]:
            mode, self._failsafe = self._failsafe[1], None
            self.say(2, f"Failsafe: {mode.label}")
            self._act(mode)

    def _check_gnss(self) -> None:
        if self.gnss:
            self._gnss_time = self._now
        elif self._now - self._gnss_time > GNSS_TIMEOUT and self.mode is not Mode.LAND:
            self.say(2, "GNSS lost: land", once=True)
            self._act(Mode.LAND)

    def _hold_after(self, loss: str, later: Mode | None) -> None:
        """Hold after a loss, and change to a mode after COM_FAIL_ACT_T."""
        self.say(2, f"{loss}: hold")
        if self.mode in (Mode.OFFBOARD, Mode.HOLD, Mode.TAKEOFF, Mode.POSITION, Mode.ORBIT, Mode.FOLLOW):
            self._enter(Mode.HOLD)
            if later not in (None, Mode.HOLD):
                self._failsafe = self._now, later

    def _act(self, mode: Mode | None) -> None:
        if mode is not None and not self.landed and self.mode is not Mode.LAND:
            self._enter(mode)
