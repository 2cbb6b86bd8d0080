"""A Tesla Model 3 or Y on its party bus: the messages of opendbc's tesla_model3_party.dbc, of which ours is an excerpt.

Its angles are those of the steering wheel, right is positive. It counts no faults of its own for orders that stay out,
says nothing of an emergency stop or its battery here, and of its yaw rate neither: that follows from speed and angle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from drivers.can_ev.checksum import total
from drivers.can_ev.vehicle import BRAKING, STILL, Condition, Layout, Order, Signals, Vehicle

RATIO, WHEELBASE = 12.0, 2.875
"""Angle of the steering wheel over that of the road wheels, and between the axles [m]: opendbc, Model 3."""

NONE, ANGLE_CONTROL = 0, 1
CANCEL, ACC_ON, CANCEL_SILENT = 0, 4, 13
INHIBITED, AVAILABLE, ACTIVE, EAC_FAULT = range(4)
STANDBY, ENABLED, STANDSTILL, OVERRIDE, FAULT, PRE_FAULT, PRE_CANCEL = range(1, 8)
HANDS_ON = 3
"""At this level of hands on the wheel the person steers."""

GEAR = {"P": 1, "R": 2, "N": 3, "D": 4}
JERK = 4.9
"""Its cruise control faults at 5 [m/s³]."""


def ask(order: Order) -> dict[str, Signals]:
    """An angle, and a speed with the accelerations between which to go for it; gears are left to the person."""
    steering = {
        "DAS_steeringAngleRequest": -order.steering * RATIO,
        "DAS_steeringHapticRequest": 0,
        "DAS_steeringControlType": ANGLE_CONTROL if order.enable else NONE,
    }
    acceleration = order.acceleration or BRAKING
    control = {
        "DAS_setSpeed": order.speed,
        "DAS_accState": ACC_ON if order.enable else CANCEL_SILENT if order.clear else CANCEL,
        "DAS_aebEvent": 0,
        "DAS_jerkMin": -JERK,
        "DAS_jerkMax": JERK,
        "DAS_accelMin": -acceleration,
        "DAS_accelMax": acceleration,
    }
    return {"DAS_steeringControl": steering, "DAS_control": control}


def asked(signals: Mapping[str, Signals]) -> Order:
    """The order in both commands; one that is not of both is none."""
    steering, control = signals["DAS_steeringControl"], signals["DAS_control"]
    return Order(
        enable=steering["DAS_steeringControlType"] == ANGLE_CONTROL and control["DAS_accState"] == ACC_ON,
        clear=control["DAS_accState"] == CANCEL_SILENT,
        steering=-steering["DAS_steeringAngleRequest"] / RATIO,
        speed=control["DAS_setSpeed"],
        acceleration=control["DAS_accelMax"],
        gear="D",
    )


def read(signals: Mapping[str, Signals]) -> Condition:
    """It is engaged while both its steering and its cruise control are."""
    power, steer = signals["DI_systemStatus"], signals["EPAS3S_sysStatus"]
    cruise = signals["DI_state"]["DI_cruiseState"]
    speed = signals["DI_speed"]["DI_vehicleSpeed"]
    angle = -steer["EPAS3S_internalSAS"] / RATIO
    hands = steer["EPAS3S_handsOnLevel"] >= HANDS_ON
    faults = {
        "steering fault": steer["EPAS3S_steeringFault"] == 1 or steer["EPAS3S_eacStatus"] == EAC_FAULT,
        "drive fault": cruise in (FAULT, PRE_FAULT),
    }
    return Condition(
        speed=speed,
        steering=angle,
        yaw_rate=speed * math.tan(angle) / WHEELBASE,
        gear=next((gear for gear, number in GEAR.items() if number == power["DI_gear"]), ""),
        engaged=steer["EPAS3S_eacStatus"] == ACTIVE and cruise in (ENABLED, STANDSTILL),
        stopping=cruise == PRE_CANCEL,
        overridden=hands or cruise == OVERRIDE,
        faults=tuple(name for name, present in faults.items() if present),
        torque=-steer["EPAS3S_torsionBarTorque"],
        accelerator=power["DI_accelPedalPos"],
        brake=float(power["DI_brakePedalState"] == 1),
    )


def tell(condition: Condition) -> dict[str, Signals]:
    """What such a car would report."""
    engaged = ENABLED if abs(condition.speed) > STILL else STANDSTILL
    cruise = engaged if condition.engaged else PRE_CANCEL if condition.stopping else STANDBY
    if condition.overridden:
        cruise = OVERRIDE
    broken = [name for name in condition.faults if name != "steering fault"]
    steering = "steering fault" in condition.faults
    return {
        "EPAS3S_sysStatus": {
            "EPAS3S_steeringFault": steering,
            "EPAS3S_torsionBarTorque": -condition.torque,
            "EPAS3S_internalSAS": -condition.steering * RATIO,
            "EPAS3S_handsOnLevel": HANDS_ON if condition.overridden else 0,
            "EPAS3S_eacStatus": EAC_FAULT if steering else ACTIVE if condition.engaged else AVAILABLE,
        },
        "DI_speed": {"DI_vehicleSpeed": condition.speed},
        "DI_systemStatus": {
            "DI_brakePedalState": condition.brake > 0,
            "DI_gear": GEAR[condition.gear],
            "DI_accelPedalPos": condition.accelerator,
        },
        "DI_state": {"DI_cruiseState": FAULT if broken else cruise},
    }


def _layout(name: str, period: float, prefix: str = "", **quantities: str) -> Layout:
    prefix = prefix or name
    return Layout(name, f"{prefix}Counter", f"{prefix}Checksum", period, quantities)


TESLA = Vehicle(
    name="tesla",
    title="Tesla Model 3 and Y, party bus",
    dbc=Path(__file__).with_name("tesla_party.dbc"),
    checksum=total,
    bitrate=500_000,
    commands=(
        _layout("DAS_steeringControl", 0.02, DAS_steeringAngleRequest="angle"),
        _layout(
            "DAS_control",
            0.02,
            DAS_setSpeed="speed",
            DAS_jerkMin="jerk",
            DAS_jerkMax="jerk",
            DAS_accelMin="acceleration",
            DAS_accelMax="acceleration",
        ),
    ),
    reports=(
        _layout("EPAS3S_sysStatus", 0.01, EPAS3S_internalSAS="angle", EPAS3S_torsionBarTorque="torque"),
        _layout("DI_speed", 0.02, DI_vehicleSpeed="speed"),
        _layout("DI_systemStatus", 0.02, DI_accelPedalPos="share"),
        _layout("DI_state", 0.02, "DI_locStatus"),
    ),
    state="DI_speed",
    battery="",
    presses=False,
    ask=ask,
    read=read,
    asked=asked,
    tell=tell,
)
