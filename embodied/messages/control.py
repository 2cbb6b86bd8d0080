"""Messages of tasks and supervision: targets, stops, separation of people, reports of guards and devices."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from embodied.clock import Time
from embodied.messages.schema import Array, Message, Unit, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Message):
    """Message with the object of a task, by the label of its detector."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Message):
    """Stop now, and stay stopped until a Reset. `reason` is for the person who resets it."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Message):
    """Release of a latched stop by a person; motion resumes only with a newer command."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation(Message):
    """Separation between an arm and people. Where nobody is detected, the distance is the range of the sensor.

    Attributes:
        distance: lower bound of the distance from any part of the arm to a person; None: not measured [m].
        speed: limit for every part of the arm, such as while a warning field is occupied; None: no limit [m/s].
        acquired: time of the measurement.
    """

    distance: Annotated[float, Unit("m")] | None = None
    speed: Annotated[float, Unit("m/s")] | None = None
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReport(Message):
    """Report of a guard on the last commands.

    Attributes:
        state: `following`, `holding` or `stopped`.
        source: name of the input whose command is followed, such as `command` or `operator`; or empty.
        clips: each limit that changed the command, with its evidence.
        refusals: each reason why a command was not followed, with its evidence.
    """

    state: str
    source: str
    clips: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus(Message):
    """Status of a device, as the device itself reports it.

    Attributes:
        state: `ready`, `moving`, `stopped` (by its emergency stop, or by a command to stop) or `fault`.
        reason: for `stopped` and `fault`, with the device's own code, and what to do about it.
        rejected: number of frames that were corrupted, truncated, repeated or out of order since it was opened.
        temperature: of each joint's motor [degC]; None where it is not reported.
        voltage: of the supply [V]; None where it is not reported.
    """

    state: str
    reason: str = ""
    rejected: int = 0
    temperature: Annotated[Vector, Array("n", "degC")] | None = None
    voltage: Annotated[float, Unit("V")] | None = None
