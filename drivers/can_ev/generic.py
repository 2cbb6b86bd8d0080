"""The generic drive-by-wire unit: what stands in `generic.dbc`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from drivers.can_ev.checksum import crc8
from drivers.can_ev.vehicle import GEARS, Condition, Layout, Order, Signals, Vehicle

MANUAL, AUTONOMOUS, STOPPING = range(3)

FAULTS = {
    "CommandTimeout": "command time-out",
    "CommandInvalid": "invalid commands",
    "SteeringFault": "steering fault",
    "DriveFault": "drive fault",
    "BrakeFault": "brake fault",
    "LowBattery": "low battery",
}
"""Names of the faults, by the signals that tell them."""

WHEELS = ("FrontLeft", "FrontRight", "RearLeft", "RearRight")


def ask(order: Order) -> dict[str, Signals]:
    """One message has all of an order."""
    signals = {
        "Enable": order.enable,
        "Clear": order.clear,
        "Gear": GEARS.index(order.gear),
        "Steering": order.steering,
        "Speed": order.speed,
        "Acceleration": order.acceleration,
    }
    return {"DriveCommand": signals}


def asked(signals: Mapping[str, Signals]) -> Order:
    """The order in a command."""
    command = signals["DriveCommand"]
    return Order(
        enable=bool(command["Enable"]),
        clear=bool(command["Clear"]),
        gear=GEARS[int(command["Gear"])],
        steering=command["Steering"],
        speed=command["Speed"],
        acceleration=command["Acceleration"],
    )


def read(signals: Mapping[str, Signals]) -> Condition:
    """A condition from status and motion, and from what else there is."""
    status, motion = signals["StatusReport"], signals["MotionReport"]
    wheels, person, battery = (signals.get(name, {}) for name in ("WheelReport", "PersonReport", "BatteryReport"))
    front_left, front_right, rear_left, rear_right = (wheels.get(wheel, 0.0) for wheel in WHEELS)
    return Condition(
        speed=motion["Speed"],
        steering=motion["Steering"],
        yaw_rate=motion["YawRate"],
        gear=GEARS[int(status["Gear"])],
        engaged=status["Mode"] == AUTONOMOUS,
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


def tell(condition: Condition) -> dict[str, Signals]:
    """The reports of a condition."""
    mode = AUTONOMOUS if condition.engaged else STOPPING if condition.stopping else MANUAL
    return {
        "StatusReport": {
            "Mode": mode,
            "Gear": GEARS.index(condition.gear),
            "Overridden": condition.overridden,
            "EmergencyStop": condition.stopped,
            "Rejected": min(condition.rejected, 0xFFFF),
            **{signal: name in condition.faults for signal, name in FAULTS.items()},
        },
        "MotionReport": {
            "Speed": condition.speed,
            "Steering": condition.steering,
            "YawRate": condition.yaw_rate,
        },
        "WheelReport": dict(zip(WHEELS, condition.wheels, strict=True)),
        "PersonReport": {
            "SteeringTorque": condition.torque,
            "Accelerator": condition.accelerator,
            "Brake": condition.brake,
        },
        "BatteryReport": {
            "Voltage": condition.voltage,
            "Current": condition.current,
            "Charge": condition.charge,
        },
    }


def _layout(name: str, period: float, *, needed: bool = True, **quantities: str) -> Layout:
    return Layout(name, "Counter", "Checksum", period, quantities, needed)


GENERIC = Vehicle(
    name="generic",
    title="generic drive-by-wire unit",
    dbc=Path(__file__).with_name("generic.dbc"),
    checksum=crc8,
    bitrate=500_000,
    commands=(_layout("DriveCommand", 0.01, Steering="angle", Speed="speed", Acceleration="acceleration"),),
    reports=(
        _layout("StatusReport", 0.01),
        _layout("MotionReport", 0.01, Speed="speed", Steering="angle", YawRate="angular velocity"),
        _layout("WheelReport", 0.05, needed=False, **dict.fromkeys(WHEELS, "speed")),
        _layout("PersonReport", 0.05, needed=False, SteeringTorque="torque", Accelerator="share", Brake="share"),
        _layout("BatteryReport", 0.1, needed=False, Voltage="voltage", Current="current", Charge="share"),
    ),
    state="MotionReport",
    battery="BatteryReport",
    presses=True,
    ask=ask,
    read=read,
    asked=asked,
    tell=tell,
)
