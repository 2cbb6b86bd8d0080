"""Handler of MAVLink commands: what the virtual autopilot does for each, and what it answers."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from pymavlink.dialects.v20 import common

from drivers.mavlink.coordinates import heading
from drivers.mavlink.mission import DEGREE_UNITS
from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Autopilot, Denied
from drivers.mavlink.virtual.legs import ABOVE_HOME, HERE
from drivers.mavlink.virtual.telemetry import Telemetry
from embodied.messages import Vector

OLD_REQUESTS = {
    common.MAV_CMD_REQUEST_AUTOPILOT_CAPABILITIES: common.MAVLINK_MSG_ID_AUTOPILOT_VERSION,
    common.MAV_CMD_GET_HOME_POSITION: common.MAVLINK_MSG_ID_HOME_POSITION,
}
"""Messages by the older command that requests each."""

ORBIT_SPEED = 1.0
"""Speed on a circle, unless the command has one [m/s]."""

FORCED = 21196.0
"""Parameter that lets motors be stopped in the air (MAVLink, MAV_CMD_COMPONENT_ARM_DISARM)."""

ACCEPTED = int(common.MAV_RESULT_ACCEPTED)
"""Result of a command that is executed."""

DENIED = int(common.MAV_RESULT_DENIED)
"""Result of a command that is never executed as it is."""

UNSUPPORTED = int(common.MAV_RESULT_UNSUPPORTED)
"""Result of a command that is not known."""

REJECTED = int(common.MAV_RESULT_TEMPORARILY_REJECTED)
"""Result of a command that is not executed now."""

FACES_CENTRE = (0, 5)
"""Behaviours of the yaw on a circle for which the nose points to the centre: to the centre, and left as it is."""

CHANGES_MODE = 1
"""Flag of a reposition that changes the mode for it (MAVLink, MAV_DO_REPOSITION_FLAGS)."""

MODE_COMMANDS = {
    common.MAV_CMD_NAV_LAND: Mode.LAND,
    common.MAV_CMD_NAV_RETURN_TO_LAUNCH: Mode.RETURN,
    common.MAV_CMD_MISSION_START: Mode.MISSION,
}
"""Modes by the command that changes to them."""


@dataclass
class CommandHandler:
    """Handler of MAVLink commands to one virtual autopilot.

    Attributes:
        autopilot: autopilot that executes them.
        telemetry: messages that can be requested.
        restart: function that restarts the autopilot once the answer is sent.
    """

    autopilot: Autopilot
    telemetry: Telemetry
    restart: Callable[[], None]

    def answer(self, message: Any) -> list[Any]:
        """Execute a COMMAND_LONG or COMMAND_INT.

        Returns:
            acknowledgement, and the message that was requested.
        """
        number, requested = message.command, []
        try:
            if (asked := self._asked(message)) is not None:
                requested = self._requested(asked)
                result = ACCEPTED if requested else DENIED
            else:
                result = self._execute(number, message)
        except Denied:
            result = REJECTED
        sender = (message.get_srcSystem(), message.get_srcComponent())
        return [common.MAVLink_command_ack_message(number, result, 0, 0, *sender), *requested]

    def set_mode(self, custom: int) -> None:
        """Change to the mode of a SET_MODE, which is not acknowledged."""
        with contextlib.suppress(Denied):
            self._change_mode(custom)

    def _change_mode(self, custom: int) -> int:
        mode = Mode.from_custom(custom)
        if mode is None:
            self.autopilot.say(2, "Mode denied: there is no such mode")
            return DENIED
        self.autopilot.change(mode)
        return ACCEPTED

    def _asked(self, message: Any) -> float | None:
        """Return the number of the message that a command requests; None if it requests none."""
        if message.command == common.MAV_CMD_REQUEST_MESSAGE:
            return float(message.param1)
        return OLD_REQUESTS.get(message.command)

    def _requested(self, number: float) -> list[Any]:
        message = self.telemetry.requested(int(number)) if math.isfinite(number) else None
        return [] if message is None else [message]

    def _execute(self, number: int, message: Any) -> int:
        autopilot = self.autopilot
        first, second, third = message.param1, message.param2, message.param3
        if number == common.MAV_CMD_COMPONENT_ARM_DISARM:
            if first == 1.0:
                autopilot.arm()
            else:
                autopilot.disarm(forced=second == FORCED)
        elif number == common.MAV_CMD_DO_SET_MODE:
            if not (math.isfinite(second) and math.isfinite(third)):
                return DENIED
            return self._change_mode((int(second) & 0xFF) << 16 | (int(third) & 0xFF) << 24)
        elif number == common.MAV_CMD_NAV_TAKEOFF:
            height = self._place(message)[2]
            home = autopilot.home
            autopilot.takeoff(None if home is None or math.isnan(height) else height - float(home[2]))
        elif number in MODE_COMMANDS:
            if number == common.MAV_CMD_MISSION_START and 0 < first < len(autopilot.mission.legs):
                autopilot.mission.begin(int(first))
            autopilot.change(MODE_COMMANDS[number])
        elif number == common.MAV_CMD_DO_REPOSITION:
            yaw = heading(message.param4) if math.isfinite(message.param4) else None
            autopilot.reposition(self._place(message), yaw, change=bool(_flags(second) & CHANGES_MODE))
            if first > 0:
                autopilot.set_speed(first)
        elif number == common.MAV_CMD_DO_CHANGE_SPEED:
            if second > 0:
                autopilot.set_speed(second)
        elif number == common.MAV_CMD_DO_ORBIT:
            # Its radius is negative for counter-clockwise.
            speed = math.copysign(second if math.isfinite(second) else ORBIT_SPEED, first)
            autopilot.orbit(abs(first), speed, self._place(message), faces=third in FACES_CENTRE)
        elif number == common.MAV_CMD_DO_SET_MISSION_CURRENT:
            if not 0 <= first < len(autopilot.mission.legs):
                return DENIED
            autopilot.mission.begin(int(first))
        elif number == common.MAV_CMD_INJECT_FAILURE:
            return self._inject(first, second)
        elif number == common.MAV_CMD_PREFLIGHT_REBOOT_SHUTDOWN:
            if autopilot.armed or first != 1.0:
                return DENIED
            self.restart()
        elif number == common.MAV_CMD_SET_MESSAGE_INTERVAL:
            known = math.isfinite(first) and self.telemetry.set_interval(int(first), second)
            return ACCEPTED if known else UNSUPPORTED
        else:
            return UNSUPPORTED
        return ACCEPTED

    def _place(self, message: Any) -> Vector:
        """Return the place in a command, in the local frame, shape (3,) [m]; NaN keeps an axis as it is."""
        integers = message.get_type() == "COMMAND_INT"
        if integers:
            unknown = HERE in (message.x, message.y)
            latitude, longitude, height = message.x / DEGREE_UNITS, message.y / DEGREE_UNITS, message.z
        else:
            latitude, longitude, height = message.param5, message.param6, message.param7
            unknown = not (math.isfinite(latitude) and math.isfinite(longitude))
        east, north = (math.nan, math.nan) if unknown else self.telemetry.origin.local(latitude, longitude)
        # The height of a circle counts from the sea in any frame, as clients of PX4 expect.
        above_home = integers and message.frame in ABOVE_HOME and message.command != common.MAV_CMD_DO_ORBIT
        home = self.autopilot.home
        base = (0.0 if home is None else float(home[2])) if above_home else -self.telemetry.origin.altitude
        return np.array([east, north, height + base if math.isfinite(height) else math.nan])

    def _inject(self, unit: float, kind: float) -> int:
        """Inject a failure of the satellite receiver, if the parameter allows it."""
        autopilot = self.autopilot
        if not autopilot.parameters["SYS_FAILURE_EN"]:
            autopilot.say(2, "Failure injection is not enabled")
            return DENIED
        if unit != common.FAILURE_UNIT_SENSOR_GPS or kind not in (common.FAILURE_TYPE_OK, common.FAILURE_TYPE_OFF):
            return UNSUPPORTED
        autopilot.gnss = kind == common.FAILURE_TYPE_OK
        return ACCEPTED


def _flags(value: float) -> int:
    return int(value) if math.isfinite(value) else 0
