"""Identity of an SO-101: models, firmware, modes and limits of its six servos, and their adapter's serial number."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from drivers.so101 import control_table, sdk
from drivers.so101.calibration import JointCalibration
from drivers.so101.control_table import TICKS
from drivers.so101.servo_state import POSITION_MODE
from drivers.so101.servos import IDS, JOINTS, NAMES, ServoScale
from drivers.so101.supervision import JointRanges
from embodied.node.identity import Identity

if TYPE_CHECKING:
    from drivers.so101.motors import Motors


def identify(
    motors: Motors,
    scale: ServoScale,
    joint_ranges: JointRanges,
    calibration: Mapping[str, JointCalibration],
    port: str,
) -> Identity:
    """Read the identity of an SO-101: its servos and its adapter.

    Args:
        motors: motors of the arm.
        scale: conversion by the arm's calibration.
        joint_ranges: ranges in which its joints can be.
        calibration: calibration by joint, and of `gripper`.
        port: path of the serial port.

    Raises:
        DeviceLost: a servo does not answer.
    """
    kinds = [motors.read(servo, control_table.KIND) for servo in IDS]
    plate = motors.nameplate()
    unfit = unsuitable_servos(motors)
    missing = [name for name in NAMES if name not in calibration]
    if missing and not plate:
        unfit.append(f"it is not calibrated ({', '.join(missing)}): see `embodied calibrate arm`")
    present = motors.present()
    for name, state in zip(NAMES, present, strict=True):
        homing = calibration[name].homing if name in calibration else None
        if homing is not None and homing != state.offset:
            unfit.append(
                f"the servo of {name} has the offset {state.offset}, and had {homing} when it was calibrated: another "
                "program has changed it; calibrate the arm again"
            )
    angles = scale.angles(np.array([state.position for state in present], dtype=np.float64))
    if impossible := joint_ranges.problem(angles):
        unfit.append(impossible)
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
        if (mode := motors.read(servo, control_table.MODE)[0]) != POSITION_MODE:
            problems.append(f"the servo of {name} is in mode {mode}, and must be in mode 0 to control its position")
    return problems
