"""Arbiter: the part of a control period that all guards share, from the commanders to the one command that is followed.

A lease decides which commander is followed, a latch keeps a stop until a reset, and whatever forbids to follow anyone
becomes the refusal in the report. What is left for a guard is the physics: limit the command, or hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from embodied.clock import SECOND, Time
from embodied.guards.latch import Latch
from embodied.guards.lease import Lease
from embodied.messages import Command, GuardReport, Reset, Stop
from embodied.node.ports import Stamped

CommandT = TypeVar("CommandT", bound=Command)


class Arbiter(Generic[CommandT]):
    """Arbiter between the commanders of one body, period by period: `receive`, `latch`, `select`, then a report.

    Args:
        ranks: inputs of the commanders, highest rank first.
        lease: silence of a commander after which a lower rank may take over [s].
        resting: what a lower rank waits for besides that silence, for refusals: `the arm rests`.
    """

    def __init__(self, ranks: Sequence[str], lease: float, resting: str) -> None:
        self._lease = Lease(ranks, round(lease * SECOND))
        self._latch = Latch()
        self._resting = resting
        self._commands: dict[str, Stamped[CommandT]] = {}
        self._stamps: dict[str, Time] = {}

    @property
    def stopped(self) -> str:
        """Refusal while a stop is latched; empty otherwise."""
        return self._latch.refusal()

    def receive(self, commands: Mapping[str, Stamped[CommandT] | None], resting: bool, now: Time) -> bool:
        """Take the commands of this period and grant the lease.

        Args:
            commands: newest command of each commander, highest rank first; None if it is silent or its command stale.
            resting: whether the body is at rest, so that a lower rank may take over.
            now: current time [ns].

        Returns:
            whether anyone commands.
        """
        self._commands = {name: command for name, command in commands.items() if command is not None}
        self._stamps = {name: command.stamp for name, command in self._commands.items()}
        self._lease.grant(self._stamps, resting, now)
        return bool(self._commands)

    def latch(self, stop: Sequence[Stop], causes: Iterable[str], reset: Sequence[Stamped[Reset]], now: Time) -> bool:
        """Latch stops, or release the latch on a reset.

        Args:
            stop: stops received in this period.
            causes: the guard's own reasons to stop, the gravest last; empty ones do not count.
            reset: resets received in this period.
            now: current time [ns].

        Returns:
            whether the latch was released in this period.
        """
        reasons = [*(message.reason for message in stop), *filter(None, causes)]
        return self._latch.update(reasons, bool(reset), now)

    def select(self, obstacle: str, problem: Callable[[CommandT], str]) -> tuple[CommandT | None, str]:
        """Select the command to follow.

        Args:
            obstacle: the guard's own reason to follow nobody now; empty if it has none.
            problem: function that returns why a command is illegal, or an empty string.

        Returns:
            the command of the holder of the lease, and an empty string; or None, and the reason why none is followed.
        """
        refusal = self._latch.refusal() or obstacle
        refusal = refusal or self._lease.refusal(self._stamps, self._latch.released, self._resting)
        if refusal:
            return None, refusal
        holder = self._lease.holder
        command = self._commands[holder].value
        wrong = problem(command)
        return (None, f"{holder}: {wrong}") if wrong else (command, "")

    @property
    def source(self) -> str:
        """Commander that holds the lease; empty if nobody does."""
        return self._lease.holder

    def report_following(self, clips: tuple[str, ...], refusal: str = "") -> GuardReport:
        """Return the report of a period in which a command was followed.

        Args:
            clips: each limit that changed the command.
            refusal: why the command could not be followed after all, so that the guard holds; empty if it could.
        """
        return _report("holding" if refusal else "following", self._lease.holder, clips, refusal)

    def report_holding(self, refusal: str) -> GuardReport:
        """Return the report of a period in which nobody was followed.

        Args:
            refusal: why not; may be empty, if there was nothing to refuse.
        """
        return _report("stopped" if self._latch.reason else "holding", "", (), refusal)


def _report(state: str, source: str, clips: tuple[str, ...], refusal: str) -> GuardReport:
    return GuardReport(state=state, source=source, clips=clips, refusals=(refusal,) if refusal else ())
