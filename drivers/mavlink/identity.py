"""Identity of a vehicle in its MAVLink messages: model, unique number, firmware, and why it is unfit."""

from __future__ import annotations

from typing import Any

from pymavlink.dialects.v20 import common

from drivers.mavlink import codec
from embodied.node.identity import Identity

MULTIROTORS = {
    common.MAV_TYPE_QUADROTOR: "quadrotor",
    common.MAV_TYPE_HEXAROTOR: "hexarotor",
    common.MAV_TYPE_OCTOROTOR: "octorotor",
    common.MAV_TYPE_TRICOPTER: "tricopter",
}
"""Names of the types of vehicle that the driver flies, by MAV_TYPE."""


def decode_serial(version: Any) -> str:
    """Decode the unique number in an AUTOPILOT_VERSION, in hex."""
    unique = bytes(version.uid2)
    return unique.hex() if any(unique) else f"{version.uid:016x}"


def decode(heartbeat: Any, version: Any) -> Identity:
    """Decode the identity in a HEARTBEAT and an AUTOPILOT_VERSION."""
    unfit = []
    if heartbeat.autopilot != common.MAV_AUTOPILOT_PX4:
        unfit.append(f"its autopilot must be PX4, got kind {heartbeat.autopilot} of MAV_AUTOPILOT")
    if heartbeat.type not in MULTIROTORS:
        unfit.append(f"it must be a multirotor, got kind {heartbeat.type} of MAV_TYPE")
    firmware = version.flight_sw_version
    return Identity(
        model=f"PX4 {MULTIROTORS.get(heartbeat.type, 'vehicle')}",
        serial=decode_serial(version),
        firmware=".".join(str(firmware >> shift & 0xFF) for shift in (24, 16, 8)),
        virtual=bytes(version.uid2).startswith(codec.VIRTUAL),
        unfit=tuple(unfit),
    )
