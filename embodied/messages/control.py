"""What is asked of a robot, and what the guard says about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from embodied.clock import Time
from embodied.messages.schema import Array, Message, Unit, Vector


@dataclass(frozen=True, slots=True, kw_only=True)
class Target(Message):
    """The object a task is about, by the label a detector gives it."""

    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop(Message):
    """Stop now, and stay stopped until a Reset. `reason` is for the person who has to come."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reset(Message):
    """A person releases a latched stop; motion resumes only with a command newer than this."""

    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Separation(Message):
    """What is known of the people around an arm. Where nobody is seen, the distance is as far as the sensor sees.

    Attributes:
        distance: from the part of the arm that is nearest to a person to that person, at least; None: not measured [m].
        speed: no part of the arm may be faster, such as while someone is in a warning field; None: no limit [m/s].
        acquired: when it was measured.
    """

    distance: Annotated[float, Unit("m")] | None = None
    speed: Annotated[float, Unit("m/s")] | None = None
    acquired: Annotated[Time, Unit("ns")]


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardReport(Message):
    """What a guard did with the last commands.

    Attributes:
        state: `following`, `holding` or `stopped`.
        source: whose command is followed, the name of that input, such as `command` or `operator`; or empty.
        clips: each limit that changed the command, with its evidence.
        refusals: each reason why a command was not followed, with its evidence.
    """

    state: str
    source: str
    clips: tuple[str, ...]
    refusals: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceStatus(Message):
    """How a device is, by its own words.

    Attributes:
        state: `ready`, `moving`, `stopped` (its emergency stop, or told to stop) or `fault`.
        reason: for `stopped` and `fault`, with the device's own code; what to do about it.
        rejected: frames that were corrupted, truncated, repeated or out of order since it was opened.
        temperature: of each joint's motor [degC]; None where it does not say.
        voltage: of its supply [V]; None where it does not say.
    """

    state: str
    reason: str = ""
    rejected: int = 0
    temperature: Annotated[Vector, Array("n", "degC")] | None = None
    voltage: Annotated[float, Unit("V")] | None = None
