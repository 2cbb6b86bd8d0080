"""What a drive-by-wire vehicle is told and tells, in SI units, whatever its messages are; and what makes it one kind.

A kind of vehicle is data, a DBC and the layouts of its messages, and a small codec: four functions between the
messages' signals and an `Order` or a `Condition`. The first two are the driver's, the others its far side's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drivers.can_ev.checksum import Checksum

Signals = Mapping[str, float]
"""Values of one message by signal, in SI units where a layout says what they measure."""

GEARS = "PRND"

BRAKING = 3.0
"""With which a controlled stop is made [m/s²]."""

TIMEOUT = 0.1
"""Either side trusts what it last heard for so long [s]."""

STILL = 0.03
"""A vehicle that is slower stands: one and a half steps of the coarsest speed on these buses [m/s]."""

CREEP = 0.1
"""A unit takes over only while it is asked for no more speed than this [m/s]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What a unit is asked to do.

    Attributes:
        enable: whether it is to follow; it takes over on a rising edge.
        clear: forget what is latched.
        steering: angle of the front wheels at the road, left is positive [rad].
        speed: along the forward axis [m/s].
        acceleration: with which to go for that speed, either way [m/s²].
        gear: one of P, R, N, D.
    """

    enable: bool = False
    clear: bool = False
    steering: float = 0.0
    speed: float = 0.0
    acceleration: float = 0.0
    gear: str = "D"


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """How a vehicle is, by its own reports.

    Attributes:
        speed: along the forward axis [m/s].
        steering: angle of the front wheels at the road, left is positive [rad].
        yaw_rate: left is positive [rad/s].
        gear: one of P, R, N, D; empty while it does not say.
        engaged: whether it follows orders.
        stopping: whether it makes a controlled stop of its own.
        overridden: whether a person has taken over since the latches were cleared.
        stopped: whether its emergency stop is pressed.
        faults: by name.
        rejected: frames that it did not accept.
        wheels: speeds at the ground: front left, front right, rear left, rear right [m/s].
        torque: of the person at the wheel, left is positive [N·m].
        accelerator, brake: how far the pedals are pressed, 0 to 1.
        voltage: of its battery [V].
        current: negative while it discharges [A].
        charge: 0 to 1.
    """

    speed: float = 0.0
    steering: float = 0.0
    yaw_rate: float = 0.0
    gear: str = "P"
    engaged: bool = False
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


@dataclass(frozen=True, slots=True)
class Layout:
    """One message, as far as this driver knows it.

    Attributes:
        name: in the DBC.
        counter: the signal that counts.
        checksum: the signal that guards the others.
        period: so often it is sent [s].
        quantities: what signals measure, by signal, see `units`; others are bare numbers.
        needed: whether the vehicle cannot be driven without it.
    """

    name: str
    counter: str
    checksum: str
    period: float
    quantities: Mapping[str, str] = field(default_factory=dict)
    needed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Vehicle:
    """One kind of vehicle.

    Attributes:
        name: by which a launch file chooses it.
        title: what it is, in a few words.
        dbc: the file with its messages.
        checksum: of every message.
        bitrate: of its bus [bit/s].
        commands: messages to it.
        reports: messages from it.
        state: the report that a new state waits for.
        battery: the report with its battery; empty if none has it.
        presses: whether it says that its emergency stop is pressed.
        ask: the commands' signals for an order.
        read: a condition from the reports' signals; those that are not needed may be missing.
        asked: the order in the commands' signals.
        tell: the reports' signals for a condition.
    """

    name: str
    title: str
    dbc: Path
    checksum: Checksum
    bitrate: int
    commands: tuple[Layout, ...]
    reports: tuple[Layout, ...]
    state: str
    battery: str
    presses: bool
    ask: Callable[[Order], dict[str, Signals]]
    read: Callable[[Mapping[str, Signals]], Condition]
    asked: Callable[[Mapping[str, Signals]], Order]
    tell: Callable[[Condition], dict[str, Signals]]

    @property
    def layouts(self) -> tuple[Layout, ...]:
        """Of all its messages."""
        return self.commands + self.reports
