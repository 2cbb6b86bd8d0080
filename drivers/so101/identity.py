"""Identity of an SO-101: models, firmware, modes and limits of its six servos, and their adapter's serial number."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from drivers.so101 import control_table, sdk
from drivers.so101.control_table import TICKS
from drivers.so101.servos import IDS, JOINTS, NAMES, ServoScale
from embodied.node.identity import Identity

if TYPE_CHECKING:
    from drivers.so101.motors import Motors


def identify(motors: Motors, scale: ServoScale, calibrated: Collection[str], port: str) -> Identity:
    """Read the identity of an SO-101: its servos and its adapter.

    Args:
        motors: motors of the arm.
        scale: conversion by the arm's calibration.
        calibrated: names that have a calibration, of joints and `gripper`.
        port: path of the serial port.

    Raises:
        DeviceLost: a servo does not answer.
    """
    kinds = [motors.read(servo, control_table.KIND) for servo in IDS]
    plate = motors.nameplate()
    unfit = unsuitable_servos(motors)
    missing = [name for name in NAMES if name not in calibrated]
    if missing and not plate:
        unfit.append(f"it is not calibrated ({', '.join(missing)}): see `embodied calibrate arm`")
    ranges = {}
    for joint, name in enumerate(JOINTS):
        lowest, highest = motors.read(IDS[joint], control_table.RANGE)
        # A servo whose limits are both 0 has none; its range is then one turn.
        ends = (lowest, highest) if lowest < highest else (0, TICKS - 1)
        ranges[name] = scale.range(joint, *ends, control_table.NO_LOAD)
    return Identity(
        # The two differ in their cables only; their servos are the same.
        model="SO-100 or SO-101",
        serial=plate or sdk.bus().adapter(port),
        firmware=" and ".join(sorted({f"{major}.{minor}" for major, minor, *_ in kinds})),
        virtual=bool(plate),
        joints=ranges,
        unfit=tuple(unfit),
    )


def unsuitable_servos(motors: Motors) -> list[str]:
    """Return a sentence for each servo that is no STS3215, or does not control its position.

    Raises:
        DeviceLost: a servo does not answer.
    """
    problems = []
    for name, servo in zip(NAMES, IDS, strict=True):
        if (model := motors.read(servo, control_table.MODEL)[0]) != control_table.MODEL_STS3215:
            problems.append(f"the servo of {name} must be model {control_table.MODEL_STS3215} (STS3215), got {model}")
        if (mode := motors.read(servo, control_table.MODE)[0]) != 0:
            problems.append(f"the servo of {name} is in mode {mode}, and must be in mode 0 to control its position")
    return problems
