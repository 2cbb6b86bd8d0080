"""The far end of MAVLink's commands: what a virtual autopilot does when it is told, and what it answers."""

from __future__ import annotations

import contextlib
import math
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink.modes import Mode
from drivers.mavlink.virtual.autopilot import Autopilot, Denied
from drivers.mavlink.virtual.telemetry import Telemetry

FORCED = 21196.0
"""With this word motors are stopped in the air, too (MAVLink, MAV_CMD_COMPONENT_ARM_DISARM)."""

ACCEPTED, DENIED = common.MAV_RESULT_ACCEPTED, common.MAV_RESULT_DENIED

MODES = {
    common.MAV_CMD_NAV_LAND: Mode.LAND,
    common.MAV_CMD_NAV_RETURN_TO_LAUNCH: Mode.RETURN,
    common.MAV_CMD_MISSION_START: Mode.MISSION,
}


@dataclass
class Orders:
    """Commands to an autopilot.

    Attributes:
        autopilot: its mind.
        telemetry: what it can be asked for.
    """

    autopilot: Autopilot
    telemetry: Telemetry

    def answer(self, message: Any) -> list[Any]:
        """Do what COMMAND_LONG or COMMAND_INT says.

        Returns:
            the acknowledgement, and before it what was asked for.
        """
        number = message.command
        four = (message.param1, message.param2, message.param3, message.param4)
        asked: list[Any] = []
        try:
            if number == common.MAV_CMD_REQUEST_MESSAGE:
                asked = self._asked(four[0])
                result = ACCEPTED if asked else DENIED
            else:
                result = self._do(number, four, message)
        except Denied:
            result = common.MAV_RESULT_TEMPORARILY_REJECTED
        who = (message.get_srcSystem(), message.get_srcComponent())
        return [common.MAVLink_command_ack_message(number, result, 0, 0, *who), *asked]

    def set_mode(self, custom: int) -> None:
        """Go to a mode, as SET_MODE has it, which nobody acknowledges."""
        with contextlib.suppress(Denied):
            self._mode(custom)

    def _mode(self, custom: int) -> int:
        mode = Mode.of(custom)
        if mode is None:
            self.autopilot.said.append((2, "Mode denied: there is no such mode"))
            return int(DENIED)
        self.autopilot.change(mode)
        return int(ACCEPTED)

    def _asked(self, number: float) -> list[Any]:
        found = self.telemetry.asked(int(number)) if math.isfinite(number) else None
        return [] if found is None else [found]

    def _do(self, number: int, four: tuple[float, float, float, float], message: Any) -> int:
        mind = self.autopilot
        if number == common.MAV_CMD_COMPONENT_ARM_DISARM:
            if four[0] == 1.0:
                mind.arm()
            else:
                mind.disarm(forced=four[1] == FORCED)
        elif number == common.MAV_CMD_DO_SET_MODE:
            if not (math.isfinite(four[1]) and math.isfinite(four[2])):
                return int(DENIED)
            return self._mode((int(four[1]) & 0xFF) << 16 | (int(four[2]) & 0xFF) << 24)
        elif number == common.MAV_CMD_NAV_TAKEOFF:
            above = message.z if message.get_type() == "COMMAND_INT" else message.param7
            home = mind.home
            if math.isfinite(above) and home is not None:
                mind.takeoff(above - self.telemetry.origin.altitude - float(home[2]))
            else:
                mind.takeoff(None)
        elif number in MODES:
            mind.change(MODES[number])
        elif number == common.MAV_CMD_SET_MESSAGE_INTERVAL:
            known = math.isfinite(four[0]) and self.telemetry.pace(int(four[0]), four[1])
            return int(ACCEPTED if known else common.MAV_RESULT_UNSUPPORTED)
        else:
            return int(common.MAV_RESULT_UNSUPPORTED)
        return int(ACCEPTED)
