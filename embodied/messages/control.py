"""What is asked of a robot, and what the guard says about it."""

from __future__ import annotations

from dataclasses import dataclass

from embodied.messages.schema import Message


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
class GuardReport(Message):
    """What a guard did with the last commands.

    Attributes:
        state: `following`, `holding` or `stopped`.
        source: whose command is followed: `command`, `operator`, or empty.
        clips: each limit that changed the command, with its evidence.
        refusals: each reason why a command was not followed, with its evidence.
    """

    state: str
    source: str
    clips: tuple[str, ...]
    refusals: tuple[str, ...]
