"""Description of a drive-by-wire vehicle: its messages, and their conversion to commands and reports in SI units.

A vehicle is data, a DBC and the layouts of its messages, and four functions between the messages' signals and a
`DriveCommand` or a `DriveReport`: two for the driver, two for the virtual device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.can_ev.checksum import Checksum

Signals = Mapping[str, float]
"""Values of one message by signal, in SI units where a layout states their quantity."""

GEARS = "PRND"
"""Letters of the gears, in the order of their numbers in `generic.dbc`."""

TIMEOUT = 0.1
"""Time without valid messages after which either end stops trusting the other [s]."""

ENGAGE_SPEED = 0.1
"""Commanded speed up to which a unit takes over [m/s]."""

IDENTITY_IDENTIFIER = 0x7F0
"""Identifier of the identity report, which no message of a vehicle may have."""

FLAG: Mapping[int, str] = {0: "", 1: ""}
"""Values of a signal of one bit, under any labels."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveCommand:
    """Command to a drive-by-wire vehicle of any kind, in SI units.

    Attributes:
        enable: whether the unit follows; it takes over on a rising edge.
        clear: whether the unit clears its latches.
        steering: angle of the front wheels at the road, left is positive [rad].
        speed: speed along the forward axis [m/s].
        acceleration: magnitude of the acceleration towards that speed [m/s²].
        gear: one of P, R, N, D.
        ready: whether the unit reports that it takes commands; before, a Tesla is only asked to.
    """

    enable: bool = False
    clear: bool = False
    steering: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    gear: str = "D"
    ready: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveReport:
    """State of a drive-by-wire vehicle of any kind, put together from its reports, in SI units.

    Attributes:
        speed: speed along the forward axis [m/s].
        steering: angle of the front wheels at the road, left is positive [rad].
        yaw_rate: rate about the upward axis, left is positive [rad/s].
        gear: one of P, R, N, D; empty if not reported.
        engaged: whether the unit follows commands.
        ready: whether the unit has taken over, and waits for its first command, or follows commands.
        stopping: whether the unit makes a controlled stop of its own.
        overridden: whether a person has taken over since the latches were cleared.
        stopped: whether its emergency stop is pressed.
        faults: names of the latched faults.
        rejected: number of frames that the unit did not accept.
        wheels: wheel speeds at the ground: front left, front right, rear left, rear right [m/s].
        torque: torque of the person at the wheel, left is positive [N·m].
        accelerator, brake: positions of the pedals, 0 to 1.
        voltage: voltage of the battery [V].
        current: current of the battery, negative while it discharges [A].
        charge: charge of the battery, 0 to 1.
    """

    speed: float = 0.0
    steering: float = 0.0
    yaw_rate: float = 0.0
    gear: str = "P"
    engaged: bool = False
    ready: bool = False
    stopping: bool = False
    overridden: bool = False
    stopped: bool = False
    faults: tuple[str, ...] = ()
    rejected: int = 0
    wheels: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)
    torque: float = 0.0
    accelerator: float = 0.0
    brake: float = 0.0
    voltage: float = 0.0
    current: float = 0.0
    charge: float = 0.0

    @property
    def hindrance(self) -> str:
        """Reason why the unit would not take over, with its remedy; empty if it would."""
        if self.stopped:
            return "its emergency stop is pressed: release it"
        if self.overridden:
            return "driver override: a person has taken over"
        if self.faults:
            return f"{', '.join(self.faults)}: see to it"
        return ""


@dataclass(frozen=True, slots=True)
class Layout:
    """Description of one CAN message of a vehicle, as far as this driver uses it.

    Attributes:
        name: name of the message in the DBC.
        counter: name of its counter signal.
        checksum: name of its checksum signal.
        period: time between two frames [s].
        quantities: physical quantity of signals by name, see `units`.
        numbers: signals that are whole numbers; each with the values that are used, and the endings of their labels in
            the DBC, empty where any label will do.
        required: whether the vehicle cannot be driven without it.
    """

    name: str
    counter: str
    checksum: str
    period: float
    quantities: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    required: bool = True

    @property
    def signals(self) -> tuple[str, ...]:
        """Names of all signals that this driver uses, counter and checksum included."""
        return (self.counter, self.checksum, *self.quantities, *self.numbers)


def any_command(command: DriveCommand, before: float, report: DriveReport) -> DriveCommand:  # noqa: ARG001
    """Return a command as it is, for a vehicle that takes any steering motion."""
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """Description of one kind of vehicle: its CAN messages, and what they mean.

    Attributes:
        name: name that a launch file gives.
        title: maker and model, in a few words.
        dbc: path of the file with its messages.
        checksum: checksum of every message.
        bitrate: bit rate of its bus [bit/s].
        commands: layouts of the messages to it.
        reports: layouts of the messages from it.
        state_report: name of the report that a new state waits for.
        battery_report: name of the report with its battery; empty if there is none.
        reports_stop: whether it reports its emergency stop.
        rate_most: largest rate at which it takes commands [Hz].
        acceleration_most: largest acceleration that it takes [m/s²].
        steering_most: largest angle of the front wheels that it takes [rad].
        encode_command: signals of the command messages for a command.
        decode_command: command in the signals of the command messages.
        encode_report: signals of the report messages for a state.
        decode_report: state in the signals of the report messages; those not required may be missing.
        smooth: command with the steering that the vehicle takes, after an angle that was sent before and a report.
    """

    name: str
    title: str
    dbc: Path
    checksum: Checksum
    bitrate: int
    commands: tuple[Layout, ...]
    reports: tuple[Layout, ...]
    state_report: str
    battery_report: str
    reports_stop: bool
    rate_most: float
    acceleration_most: float
    steering_most: float
    encode_command: Callable[[DriveCommand], dict[str, Signals]]
    decode_command: Callable[[Mapping[str, Signals]], DriveCommand]
    encode_report: Callable[[DriveReport], dict[str, Signals]]
    decode_report: Callable[[Mapping[str, Signals]], DriveReport]
    smooth: Callable[[DriveCommand, float, DriveReport], DriveCommand] = any_command

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Layouts of all its messages."""
        return self.commands + self.reports
