"""Tesla Model 3 and Y on the party bus: the meaning of the messages of opendbc's tesla_model3_party.dbc, in an excerpt.

Its angles are those of the steering wheel, right is positive. It latches no fault for commands that cease, and reports
neither its emergency stop nor its battery here, nor its yaw rate: that follows from speed and angle.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from drivers.can_ev.checksum import byte_sum
from drivers.can_ev.tesla_limits import (
    ACCELERATION_MOST,
    BRAKING_MOST,
    COMMAND_RATE,
    STEERING_MOST,
    STEERING_RATIO,
    smooth,
)
from drivers.can_ev.vehicle import FLAG, DriveCommand, DriveReport, Layout, Signals, Vehicle
from embodied.devices.drive_by_wire import BRAKING, STANDSTILL_SPEED

WHEELBASE = 2.875
"""Distance between the axles (opendbc, Model 3) [m]."""

CONTROL_NONE, CONTROL_ANGLE = range(2)

ACC_CANCEL = 0
"""State of DAS_accState that lets go."""

ACC_ON = 4
"""State of DAS_accState that follows."""

ACC_CANCEL_SILENT = 13
"""State of DAS_accState that lets go and clears latches, by our reading of it."""

INHIBITED, AVAILABLE, ACTIVE, EAC_FAULT = range(4)
STANDBY, ENABLED, STANDSTILL, OVERRIDE, FAULT, PRE_FAULT, PRE_CANCEL = range(1, 8)

HANDS_ON = 3
"""Level of hands on the wheel from which the person steers."""

GEAR = {"P": 1, "R": 2, "N": 3, "D": 4}
"""Numbers of the gears in DI_gear."""

JERK_MOST = 4.9
"""Largest jerk that is commanded; the cruise control faults at 5 [m/s³]."""


def encode_command(command: DriveCommand) -> dict[str, Signals]:
    """Return the signals for a Tesla: an angle, and a speed with accelerations towards it; a person shifts gears.

    Until its cruise control reports that it is on, it is only asked to be: the angle is the measured one, with no
    control of it, and the accelerations are 0, as in every command that does not enable.
    """
    follow = command.enable and command.ready
    steering = min(max(command.steering, -STEERING_MOST), STEERING_MOST)
    strength = (command.acceleration or BRAKING) if follow else 0.0
    return {
        "DAS_steeringControl": {
            "DAS_steeringAngleRequest": -steering * STEERING_RATIO,
            "DAS_steeringHapticRequest": 0,
            "DAS_steeringControlType": CONTROL_ANGLE if follow else CONTROL_NONE,
        },
        "DAS_control": {
            "DAS_setSpeed": command.speed if follow else 0.0,
            "DAS_accState": ACC_ON if command.enable else ACC_CANCEL_SILENT if command.clear else ACC_CANCEL,
            "DAS_aebEvent": 0,
            "DAS_jerkMin": -JERK_MOST,
            "DAS_jerkMax": JERK_MOST,
            "DAS_accelMin": -min(strength, BRAKING_MOST),
            "DAS_accelMax": min(strength, ACCELERATION_MOST) if command.speed else 0.0,
        },
    }


def decode_command(signals: Mapping[str, Signals]) -> DriveCommand:
    """Return the command in both of a Tesla's command messages; it is ready once its steering is controlled too."""
    steering, control = signals["DAS_steeringControl"], signals["DAS_control"]
    return DriveCommand(
        enable=control["DAS_accState"] == ACC_ON,
        ready=steering["DAS_steeringControlType"] == CONTROL_ANGLE,
        clear=control["DAS_accState"] == ACC_CANCEL_SILENT,
        steering=-steering["DAS_steeringAngleRequest"] / STEERING_RATIO,
        speed=control["DAS_setSpeed"],
        acceleration=-control["DAS_accelMin"],
        gear="D",
    )


def decode_report(signals: Mapping[str, Signals]) -> DriveReport:
    """Return the state in all reports of a Tesla, engaged while both steering and cruise control are."""
    power, steer = signals["DI_systemStatus"], signals["EPAS3S_sysStatus"]
    cruise = signals["DI_state"]["DI_cruiseState"]
    speed = signals["DI_speed"]["DI_vehicleSpeed"]
    angle = -steer["EPAS3S_internalSAS"] / STEERING_RATIO
    hands = steer["EPAS3S_handsOnLevel"] >= HANDS_ON
    faults = {
        "steering fault": steer["EPAS3S_steeringFault"] == 1 or steer["EPAS3S_eacStatus"] == EAC_FAULT,
        "drive fault": cruise in (FAULT, PRE_FAULT),
    }
    return DriveReport(
        speed=speed,
        steering=angle,
        yaw_rate=speed * math.tan(angle) / WHEELBASE,
        gear=next((gear for gear, number in GEAR.items() if number == power["DI_gear"]), ""),
        engaged=steer["EPAS3S_eacStatus"] == ACTIVE and cruise in (ENABLED, STANDSTILL),
        ready=cruise in (ENABLED, STANDSTILL),
        stopping=cruise == PRE_CANCEL,
        overridden=hands or cruise == OVERRIDE,
        faults=tuple(name for name, present in faults.items() if present),
        torque=-steer["EPAS3S_torsionBarTorque"],
        accelerator=power["DI_accelPedalPos"],
        brake=float(power["DI_brakePedalState"] == 1),
    )


def encode_report(report: DriveReport) -> dict[str, Signals]:
    """Return the signals of all reports for a state, as a Tesla would report it."""
    engaged = ENABLED if abs(report.speed) > STANDSTILL_SPEED else STANDSTILL
    cruise = engaged if report.ready or report.engaged else PRE_CANCEL if report.stopping else STANDBY
    if report.overridden:
        cruise = OVERRIDE
    drive_faults = [name for name in report.faults if name != "steering fault"]
    steering_fault = "steering fault" in report.faults
    return {
        "EPAS3S_sysStatus": {
            "EPAS3S_steeringFault": steering_fault,
            "EPAS3S_torsionBarTorque": -report.torque,
            "EPAS3S_internalSAS": -report.steering * STEERING_RATIO,
            "EPAS3S_handsOnLevel": HANDS_ON if report.overridden else 0,
            "EPAS3S_eacStatus": EAC_FAULT if steering_fault else ACTIVE if report.engaged else AVAILABLE,
        },
        "DI_speed": {"DI_vehicleSpeed": report.speed},
        "DI_systemStatus": {
            "DI_brakePedalState": report.brake > 0,
            "DI_gear": GEAR[report.gear],
            "DI_accelPedalPos": report.accelerator,
        },
        "DI_state": {"DI_cruiseState": FAULT if drive_faults else cruise},
    }


def _layout(
    name: str, period: float, numbers: Mapping[str, Mapping[int, str]], prefix: str = "", **quantities: str
) -> Layout:
    prefix = prefix or name
    return Layout(name, f"{prefix}Counter", f"{prefix}Checksum", period, quantities, numbers)


TESLA = Vehicle(
    name="tesla",
    title="Tesla Model 3 and Y, party bus",
    dbc=Path(__file__).with_name("tesla_party.dbc"),
    checksum=byte_sum,
    bitrate=500_000,
    commands=(
        _layout(
            "DAS_steeringControl",
            0.02,
            {
                "DAS_steeringHapticRequest": FLAG,
                "DAS_steeringControlType": {CONTROL_NONE: "NONE", CONTROL_ANGLE: "ANGLE_CONTROL"},
            },
            DAS_steeringAngleRequest="angle",
        ),
        _layout(
            "DAS_control",
            0.02,
            {
                "DAS_accState": {
                    ACC_CANCEL: "ACC_CANCEL_GENERIC",
                    ACC_ON: "ACC_ON",
                    ACC_CANCEL_SILENT: "ACC_CANCEL_GENERIC_SILENT",
                },
                "DAS_aebEvent": {0: "NOT_ACTIVE"},
            },
            DAS_setSpeed="speed",
            DAS_jerkMin="jerk",
            DAS_jerkMax="jerk",
            DAS_accelMin="acceleration",
            DAS_accelMax="acceleration",
        ),
    ),
    reports=(
        _layout(
            "EPAS3S_sysStatus",
            0.01,
            {
                "EPAS3S_steeringFault": FLAG,
                "EPAS3S_handsOnLevel": {HANDS_ON: ""},
                "EPAS3S_eacStatus": {
                    INHIBITED: "INHIBITED",
                    AVAILABLE: "AVAILABLE",
                    ACTIVE: "ACTIVE",
                    EAC_FAULT: "FAULT",
                },
            },
            EPAS3S_internalSAS="angle",
            EPAS3S_torsionBarTorque="torque",
        ),
        _layout("DI_speed", 0.02, {}, DI_vehicleSpeed="speed"),
        _layout(
            "DI_systemStatus",
            0.02,
            {"DI_brakePedalState": FLAG, "DI_gear": {number: gear for gear, number in GEAR.items()}},
            DI_accelPedalPos="share",
        ),
        _layout(
            "DI_state",
            0.02,
            {
                "DI_cruiseState": {
                    STANDBY: "STANDBY",
                    ENABLED: "ENABLED",
                    STANDSTILL: "STANDSTILL",
                    OVERRIDE: "OVERRIDE",
                    FAULT: "FAULT",
                    PRE_FAULT: "PRE_FAULT",
                    PRE_CANCEL: "PRE_CANCEL",
                }
            },
            "DI_locStatus",
        ),
    ),
    state_report="DI_speed",
    battery_report="",
    reports_stop=False,
    rate_most=COMMAND_RATE,
    acceleration_most=ACCELERATION_MOST,
    steering_most=STEERING_MOST,
    encode_command=encode_command,
    decode_command=decode_command,
    encode_report=encode_report,
    decode_report=decode_report,
    smooth=smooth,
)
