"""Who is at the other end of the bus: six servos, asked one after the other, and the adapter that they hang on."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from drivers.so101 import control_table, sdk
from drivers.so101.control_table import TICKS
from drivers.so101.servos import IDS, JOINTS, NAMES, Servos
from embodied.node.identity import Identity

if TYPE_CHECKING:
    from drivers.so101.motors import Motors


def introduced(motors: Motors, scale: Servos, calibrated: Collection[str], port: str) -> Identity:
    """Models, firmware, modes and limits of the servos, and the serial number of their adapter.

    Args:
        motors: whom to ask.
        scale: of the arm that it is to be.
        calibrated: joints whose zero is known, and `gripper`.
        port: path of the serial port.

    Raises:
        DeviceLost: a servo does not answer.
    """
    kinds = [motors.ask(servo, control_table.KIND) for servo in IDS]
    plate = motors.nameplate()
    unfit = others(motors)
    missing = [name for name in NAMES if name not in calibrated]
    if missing and not plate:
        unfit.append(f"it is not calibrated ({', '.join(missing)}): see `embodied calibrate arm`")
    ranges = {}
    for joint, name in enumerate(JOINTS):
        lowest, highest = motors.ask(IDS[joint], control_table.RANGE)
        # Both 0 is a servo without limits; in one turn it has still no more ticks than these.
        ends = (lowest, highest) if lowest < highest else (0, TICKS - 1)
        ranges[name] = scale.range(joint, *ends, control_table.NO_LOAD)
    return Identity(
        # The two differ in how their cables run; their servos do not know.
        model="SO-100 or SO-101",
        serial=plate or sdk.bus().adapter(port),
        firmware=" and ".join(sorted({f"{major}.{minor}" for major, minor, *_ in kinds})),
        virtual=bool(plate),
        joints=ranges,
        unfit=tuple(unfit),
    )


def others(motors: Motors) -> list[str]:
    """Which servos are not those of an SO-101, or do not control their position, a sentence each.

    Raises:
        DeviceLost: a servo does not answer.
    """
    found = []
    for name, servo in zip(NAMES, IDS, strict=True):
        if (model := motors.ask(servo, control_table.MODEL)[0]) != control_table.MODEL_STS3215:
            found.append(f"the servo of {name} is model {model}, and an STS3215 is {control_table.MODEL_STS3215}")
        if (mode := motors.ask(servo, control_table.MODE)[0]) != 0:
            found.append(f"the servo of {name} is in mode {mode}, and controls its position in mode 0 alone")
    return found
