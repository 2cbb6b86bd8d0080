"""Handler of MAVLink commands: what the virtual autopilot does for each, and what it answers."""

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
"""Parameter that lets motors be stopped in the air (MAVLink, MAV_CMD_COMPONENT_ARM_DISARM)."""

ACCEPTED = int(common.MAV_RESULT_ACCEPTED)
"""Result of a command that is executed."""

DENIED = int(common.MAV_RESULT_DENIED)
"""Result of a command that is never executed as it is."""

UNSUPPORTED = int(common.MAV_RESULT_UNSUPPORTED)
"""Result of a command that is not known."""

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
    """

    autopilot: Autopilot
    telemetry: Telemetry

    def answer(self, message: Any) -> list[Any]:
        """Execute a COMMAND_LONG or COMMAND_INT.

        Returns:
            acknowledgement, and the message that was requested.
        """
        number = message.command
        parameters = (message.param1, message.param2, message.param3, message.param4)
        requested: list[Any] = []
        try:
            if number == common.MAV_CMD_REQUEST_MESSAGE:
                requested = self._requested(parameters[0])
                result = ACCEPTED if requested else DENIED
            else:
                result = self._execute(number, parameters, message)
        except Denied:
            result = int(common.MAV_RESULT_TEMPORARILY_REJECTED)
        sender = (message.get_srcSystem(), message.get_srcComponent())
        return [common.MAVLink_command_ack_message(number, result, 0, 0, *sender), *requested]

    def set_mode(self, custom: int) -> None:
        """Change to the mode of a SET_MODE, which is not acknowledged."""
        with contextlib.suppress(Denied):
            self._change_mode(custom)

    def _change_mode(self, custom: int) -> int:
        mode = Mode.from_custom(custom)
        if mode is None:
            self.autopilot.texts.append((2, "Mode denied: there is no such mode"))
            return DENIED
        self.autopilot.change(mode)
        return ACCEPTED

    def _requested(self, number: float) -> list[Any]:
        message = self.telemetry.requested(int(number)) if math.isfinite(number) else None
        return [] if message is None else [message]

    def _execute(self, number: int, parameters: tuple[float, float, float, float], message: Any) -> int:
        autopilot = self.autopilot
        if number == common.MAV_CMD_COMPONENT_ARM_DISARM:
            if parameters[0] == 1.0:
                autopilot.arm()
            else:
                autopilot.disarm(forced=parameters[1] == FORCED)
        elif number == common.MAV_CMD_DO_SET_MODE:
            main, sub = parameters[1:3]
            if not (math.isfinite(main) and math.isfinite(sub)):
                return DENIED
            return self._change_mode((int(main) & 0xFF) << 16 | (int(sub) & 0xFF) << 24)
        elif number == common.MAV_CMD_NAV_TAKEOFF:
            altitude = message.z if message.get_type() == "COMMAND_INT" else message.param7
            home = autopilot.home
            if math.isfinite(altitude) and home is not None:
                autopilot.takeoff(altitude - self.telemetry.origin.altitude - float(home[2]))
            else:
                autopilot.takeoff(None)
        elif number in MODE_COMMANDS:
            autopilot.change(MODE_COMMANDS[number])
        elif number == common.MAV_CMD_SET_MESSAGE_INTERVAL:
            known = math.isfinite(parameters[0]) and self.telemetry.set_interval(int(parameters[0]), parameters[1])
            return ACCEPTED if known else UNSUPPORTED
        else:
            return UNSUPPORTED
        return ACCEPTED
