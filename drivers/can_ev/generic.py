"""Generic drive-by-wire unit: the meaning of the messages in `generic.dbc`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from drivers.can_ev.checksum import crc8
from drivers.can_ev.vehicle import FLAG, GEARS, DriveCommand, DriveReport, Layout, Signals, Vehicle

MANUAL, AUTONOMOUS, STOPPING = range(3)

FAULTS = {
    "CommandTimeout": "command time-out",
    "CommandInvalid": "invalid commands",
    "SteeringFault": "steering fault",
    "DriveFault": "drive fault",
    "BrakeFault": "brake fault",
    "LowBattery": "low battery",
}
"""Names of the faults, by the signals of StatusReport that report them."""

MODES = {MANUAL: "Manual", AUTONOMOUS: "Autonomous", STOPPING: "Stopping"}
"""Labels of the modes in StatusReport, by number."""

WHEELS = ("FrontLeft", "FrontRight", "RearLeft", "RearRight")
"""Signals of WheelReport, in the order of `DriveReport.wheels`."""


def encode_command(command: DriveCommand) -> dict[str, Signals]:
    """Return the signals of the generic unit's message DriveCommand for a command."""
    signals = {
        "Enable": command.enable,
        "Clear": command.clear,
        "Gear": GEARS.index(command.gear),
        "Steering": command.steering,
        "Speed": command.speed,
        "Acceleration": command.acceleration,
    }
    return {"DriveCommand": signals}


def decode_command(signals: Mapping[str, Signals]) -> DriveCommand:
    """Return the command in the signals of the generic unit's message DriveCommand."""
    command = signals["DriveCommand"]
    return DriveCommand(
        enable=bool(command["Enable"]),
        clear=bool(command["Clear"]),
        gear=GEARS[int(command["Gear"])],
        steering=command["Steering"],
        speed=command["Speed"],
        acceleration=command["Acceleration"],
    )


def decode_report(signals: Mapping[str, Signals]) -> DriveReport:
    """Return the state in the generic unit's StatusReport and MotionReport, and in its other reports so far."""
    status, motion = signals["StatusReport"], signals["MotionReport"]
    wheels, person, battery = (signals.get(name, {}) for name in ("WheelReport", "PersonReport", "BatteryReport"))
    front_left, front_right, rear_left, rear_right = (wheels.get(wheel, 0.0) for wheel in WHEELS)
    return DriveReport(
        speed=motion["Speed"],
        steering=motion["Steering"],
        yaw_rate=motion["YawRate"],
        gear=dict(enumerate(GEARS)).get(int(status["Gear"]), ""),
        engaged=status["Mode"] == AUTONOMOUS,
        ready=status["Mode"] == AUTONOMOUS,
        stopping=status["Mode"] == STOPPING,
        overridden=bool(status["Overridden"]),
        stopped=bool(status["EmergencyStop"]),
        faults=tuple(name for signal, name in FAULTS.items() if status[signal]),
        rejected=int(status["Rejected"]),
        wheels=(front_left, front_right, rear_left, rear_right),
        torque=person.get("SteeringTorque", 0.0),
        accelerator=person.get("Accelerator", 0.0),
        brake=person.get("Brake", 0.0),
        voltage=battery.get("Voltage", 0.0),
        current=battery.get("Current", 0.0),
        charge=battery.get("Charge", 0.0),
    )


def encode_report(report: DriveReport) -> dict[str, Signals]:
    """Return the signals of all reports of the generic unit for a state."""
    mode = AUTONOMOUS if report.ready or report.engaged else STOPPING if report.stopping else MANUAL
    return {
        "StatusReport": {
            "Mode": mode,
            "Gear": GEARS.index(report.gear),
            "Overridden": report.overridden,
            "EmergencyStop": report.stopped,
            "Rejected": min(report.rejected, 0xFFFF),
            **{signal: name in report.faults for signal, name in FAULTS.items()},
        },
        "MotionReport": {
            "Speed": report.speed,
            "Steering": report.steering,
            "YawRate": report.yaw_rate,
        },
        "WheelReport": dict(zip(WHEELS, report.wheels, strict=True)),
        "PersonReport": {
            "SteeringTorque": report.torque,
            "Accelerator": report.accelerator,
            "Brake": report.brake,
        },
        "BatteryReport": {
            "Voltage": report.voltage,
            "Current": report.current,
            "Charge": report.charge,
        },
    }


def _layout(
    name: str,
    period: float,
    numbers: Mapping[str, Mapping[int, str]] | None = None,
    *,
    required: bool = True,
    **quantities: str,
) -> Layout:
    """Return the layout of a message, with its numbers, and with its quantities by signal."""
    return Layout(name, "Counter", "Checksum", period, quantities, numbers or {}, required)


_GEAR = {"Gear": dict(enumerate(GEARS))}
_COMMANDED = _GEAR | {"Enable": FLAG, "Clear": FLAG}
_STATUS = _GEAR | {"Mode": MODES, "Rejected": {}, **dict.fromkeys(("Overridden", "EmergencyStop", *FAULTS), FLAG)}

GENERIC = Vehicle(
    name="generic",
    title="generic drive-by-wire unit",
    dbc=Path(__file__).with_name("generic.dbc"),
    checksum=crc8,
    bitrate=500_000,
    commands=(_layout("DriveCommand", 0.01, _COMMANDED, Steering="angle", Speed="speed", Acceleration="acceleration"),),
    reports=(
        _layout("StatusReport", 0.01, _STATUS),
        _layout("MotionReport", 0.01, Speed="speed", Steering="angle", YawRate="angular velocity"),
        Layout("WheelReport", "Counter", "Checksum", 0.05, dict.fromkeys(WHEELS, "speed"), required=False),
        _layout("PersonReport", 0.05, required=False, SteeringTorque="torque", Accelerator="share", Brake="share"),
        _layout("BatteryReport", 0.1, required=False, Voltage="voltage", Current="current", Charge="share"),
    ),
    state_report="MotionReport",
    battery_report="BatteryReport",
    reports_stop=True,
    rate_most=200.0,
    acceleration_most=math.inf,
    steering_most=math.inf,
    encode_command=encode_command,
    decode_command=decode_command,
    encode_report=encode_report,
    decode_report=decode_report,
)
