"""Encoder of commands: one frame per command message, each with its running counter."""

from __future__ import annotations

from drivers.can_ev.codec import Codec
from drivers.can_ev.command_check import Limits
from drivers.can_ev.frame import Frame
from drivers.can_ev.vehicle import DriveCommand


class CommandEncoder:
    """Encoder of commands to one drive-by-wire vehicle as CAN frames with running counters.

    Args:
        codec: codec of the vehicle.
    """

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._counters: dict[str, int] = {}

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
        """Check that commands up to some limits fit into the messages.

        Raises:
            OutOfRange: a limit does not fit into its signal.
        """
        # Forwards only: whether a vehicle has a reverse speed shows when one is sent.
        for speed, steering in ((limits.speed, limits.steering), (0.0, -limits.steering)):
            self.encode(DriveCommand(speed=speed, steering=steering, acceleration=limits.acceleration))
