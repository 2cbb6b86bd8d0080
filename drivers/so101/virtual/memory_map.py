"""Memory of a virtual STS3215: its factory settings, what may be written, and what is kept without power."""

from __future__ import annotations

from enum import IntEnum

from drivers.so101 import control_table
from drivers.so101.codec import LAST, Status
from drivers.so101.control_table import TICKS


class Mode(IntEnum):
    """Mode of a servo: what its motor controls."""

    POSITION = 0
    WHEEL = 1
    PWM = 2
    STEP = 3


FACTORY = {
    control_table.FIRMWARE_MAJOR: 3,
    control_table.FIRMWARE_MINOR: 10,
    control_table.MODEL: control_table.MODEL_STS3215,
    control_table.STATUS_RETURN_LEVEL: 1,
    control_table.MAX_POSITION: TICKS - 1,
    control_table.MAX_TEMPERATURE: 70,
    control_table.MAX_VOLTAGE: 140,
    control_table.MIN_VOLTAGE: 40,
    control_table.MAX_TORQUE: 1000,
    control_table.PHASE: 12,
    control_table.UNLOAD_CONDITIONS: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.ALARM_CONDITIONS: int(Status.TEMPERATURE | Status.CURRENT | Status.LOAD),
    control_table.GAIN_P: 32,
    control_table.GAIN_D: 32,
    control_table.MAX_CURRENT: 500,
    control_table.PROTECTED_TORQUE: 20,
    control_table.PROTECTION_TIME: 200,
    control_table.OVERLOAD: 80,
    control_table.MAX_SPEED: 81,
    control_table.MAX_ACCELERATION: 254,
}
"""Factory settings that are not 0."""

HIGHEST = {control_table.ID: LAST, control_table.BAUD: len(control_table.BAUDS) - 1, control_table.MODE: 3}
"""Highest count of registers that do not take every count that fits; a higher one is not kept."""

EEPROM = range(control_table.ID.address, control_table.TORQUE.address)
"""Addresses of the writable EEPROM, but for the factory parameters."""

FACTORY_PARAMETERS = range(control_table.MOVING_THRESHOLD.address, control_table.MAX_ACCELERATION.address + 2)
"""Addresses of the factory parameters, which are kept without power as well."""

WRITABLE = {*range(control_table.ID.address, control_table.POSITION.address), *FACTORY_PARAMETERS}
"""Addresses that may be written."""

COMMANDS = range(control_table.TORQUE.address, control_table.LOCK.address)
"""Addresses of what moves or stops the motor."""
