"""Parameters of the virtual autopilot, with PX4's names, and the handler of the parameter protocol."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from embodied.ranges import FINITE, Range

PARAMETERS: dict[str, int | float] = {
    "BAT_CRIT_THR": 0.07,  # charge at which it returns
    "BAT_EMERGEN_THR": 0.05,  # charge at which it lands
    "BAT_LOW_THR": 0.15,  # charge at which it warns
    "COM_ARM_BAT_MIN": 0.2,  # charge below which arming is denied
    "COM_DISARM_LAND": 2.0,  # time from landing until the motors stop [s]
    "COM_DISARM_PRFLT": 10.0,  # time from arming until they stop, without a take-off [s]
    "COM_DL_LOSS_T": 10,  # time without heartbeats after which the link is lost [s]
    "COM_FAIL_ACT_T": 5.0,  # time of hold before the action for lost set-points or a lost link [s]
    "COM_LOW_BAT_ACT": 3,  # 0 warns, 2 lands, 3 returns at critical and lands at emergency
    "COM_OBL_RC_ACT": 3,  # action for lost set-points: 3 return, 4 land, 5 hold
    "COM_OF_LOSS_T": 0.5,  # time after which set-points are lost [s]
    "FLW_TGT_ALT_M": 0,  # height of the target that it follows: its own, above home
    "FLW_TGT_DST": 8.0,  # distance to it [m]
    "FLW_TGT_FA": 180.0,  # direction to it, which is kept as it is here [deg]
    "FLW_TGT_HT": 8.0,  # height to follow at, above home [m]
    "FLW_TGT_MAX_VEL": 5.0,  # [m/s]
    "FLW_TGT_RS": 0.1,  # responsiveness
    "GF_ACTION": 3,  # action for a breach of the geofence: 1 warn, 2 hold, 3 return, 5 land
    "GF_MAX_VER_DIST": 0.0,  # ceiling above home; 0 for none [m]
    "MAV_SYS_ID": 1,
    "MIS_TAKEOFF_ALT": 2.5,  # [m]
    "MPC_LAND_SPEED": 0.7,  # [m/s]
    "MPC_THR_HOVER": 0.5,  # share of the thrust that carries its weight
    "MPC_XY_VEL_MAX": 12.0,  # [m/s]
    "MPC_Z_VEL_MAX_DN": 1.5,  # [m/s]
    "MPC_Z_VEL_MAX_UP": 3.0,  # [m/s]
    "NAV_DLL_ACT": 2,  # action for a lost link: 0 nothing, 1 hold, 2 return, 3 land
    "RTL_RETURN_ALT": 5.0,  # [m]
    "SYS_FAILURE_EN": 0,  # 1 lets clients inject failures
}
"""Default values by name (PX4 User Guide, "Parameter Reference"); the type of each is kept."""

RANGES = {
    "MPC_LAND_SPEED": Range(0.1, 4.0, "m/s"),
    "MPC_THR_HOVER": Range(0.1, 0.8),
    "MPC_XY_VEL_MAX": Range(0.1, 20.0, "m/s"),
    "MPC_Z_VEL_MAX_DN": Range(0.1, 4.0, "m/s"),
    "MPC_Z_VEL_MAX_UP": Range(0.1, 8.0, "m/s"),
}
"""Ranges of the parameters without which it cannot fly; a client's value outside is not taken."""


@dataclass
class ParameterHandler:
    """Handler of the parameter protocol, for the parameters of one virtual autopilot.

    Attributes:
        values: values by name; the protocol numbers them in the order of their names.
    """

    values: dict[str, int | float]

    def answer(self, message: Any) -> Iterator[Any]:
        """Yield the answers to a message of the parameter protocol."""
        if message.get_type() == "PARAM_REQUEST_LIST":
            yield from (self._value(name) for name in sorted(self.values))
            return
        name = message.param_id
        if message.get_type() == "PARAM_REQUEST_READ" and message.param_index >= 0:
            names = sorted(self.values)
            name = names[message.param_index] if message.param_index < len(names) else ""
        if name not in self.values:
            return
        if message.get_type() == "PARAM_SET":
            with suppress(ValueError):
                value = codec.decode_value(message.param_value, message.param_type)
                if type(value) is type(self.values[name]) and value in RANGES.get(name, FINITE):
                    self.values[name] = value
        yield self._value(name)

    def _value(self, name: str) -> Any:
        names = sorted(self.values)
        bits, kind = codec.encode_value(self.values[name])
        return common.MAVLink_param_value_message(codec.encode_name(name), bits, kind, len(names), names.index(name))
