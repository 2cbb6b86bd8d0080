"""Encoder of commands: one frame per command message, each with its running counter."""

from __future__ import annotations

from drivers.can_ev.codec import Codec, OutOfRange
from drivers.can_ev.command_check import Limits
from drivers.can_ev.frame import Frame
from drivers.can_ev.vehicle import DriveCommand, DriveReport

COARSE_MOST = 0.05
"""Share of a limit by which the resolution of its signal may change it."""


class CommandEncoder:
    """Encoder of commands to one drive-by-wire vehicle as CAN frames with running counters.

    Args:
        codec: codec of the vehicle.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._counters: dict[str, int] = {}
        self._commands = {layout.name for layout in codec.vehicle.commands}

    def command_name(self, identifier: int) -> str:
        """Return the name of the command with an identifier; empty if it is none of a command."""
        name = self._codec.message_name(identifier) or ""
        return name if name in self._commands else ""

    def encode(self, command: DriveCommand) -> list[Frame]:
        """Encode a command, and advance the counter of each of its messages.

        Raises:
            OutOfRange: a value does not fit into its signal.
        """
        frames = []
        for name, signals in self._codec.vehicle.encode_command(command).items():
            counter = self._counters.get(name, 0)
            frames.append(self._codec.encode(name, signals, counter))
            self._counters[name] = counter + 1
        return frames

    def decode(self, frames: list[Frame]) -> DriveCommand:
        """Return the command that the unit will read in some frames, in the resolution of its messages."""
        decoded = map(self._codec.decode, frames)
        return self._codec.vehicle.decode_command({frame.name: frame.signals for frame in decoded})

    def check(self, limits: Limits) -> None:
        """Check that commands up to some limits fit into the messages, and that the vehicle can report such a state.

        Raises:
            OutOfRange: a limit does not fit into its signal, or its steps are too coarse.
        """
        # Forwards only: whether a vehicle has a reverse speed shows when one is sent.
        for sign in (1, -1):
            command = DriveCommand(
                enable=True, speed=limits.speed, steering=sign * limits.steering, acceleration=limits.acceleration
            )
            decoded = self.decode(self.encode(command))
            self._compare("command", command, decoded)
            report = DriveReport(speed=limits.speed, steering=sign * limits.steering)
            self._compare("report", report, self._reported(report))
        self.encode(DriveCommand(steering=-limits.steering, acceleration=limits.acceleration))

    def _reported(self, report: DriveReport) -> DriveReport:
        vehicle, codec = self._codec.vehicle, self._codec
        signals = {
            name: codec.decode(codec.encode(name, values, 0)).signals
            for name, values in vehicle.encode_report(report).items()
            if codec.has(name)
        }
        return vehicle.decode_report(signals)

    def _compare(self, which: str, sent: DriveCommand | DriveReport, decoded: DriveCommand | DriveReport) -> None:
        for name in ("speed", "steering"):
            wanted, got = getattr(sent, name), getattr(decoded, name)
            if abs(got - wanted) > COARSE_MOST * abs(wanted):
                raise OutOfRange(f"{name} {wanted:g} comes out of a {which} as {got:g}: its steps are too coarse")
