"""Watch over the identity of a vehicle: law 4, whoever may have come back is identified again."""

from __future__ import annotations

from drivers.can_ev.frame import Frame
from drivers.can_ev.identity import IdentityReader
from embodied.clock import SECOND, Time
from embodied.node.identity import Identity

IDENTITY_TIMEOUT = 0.6
"""Time for the identity report, which not every vehicle sends [s]."""


class IdentityWatch:
    """Watch over which vehicle is on the bus, by its identity report."""

    def __init__(self) -> None:
        self._reader = IdentityReader()
        self._serial = ""
        self._since: Time | None = None

    def receive(self, frame: Frame) -> None:
        """Read a part of the identity report, if a frame is one."""
        self._reader.receive(frame)

    @property
    def complete(self) -> bool:
        """Whether every part of the report has been received."""
        return self._reader.complete

    def identity(self, title: str) -> Identity:
        """Return the identity of the vehicle, which is watched from now on.

        Args:
            title: maker and model of this kind of vehicle.
        """
        reader = self._reader
        self._serial, self._since = reader.serial, None
        return Identity(
            model=" ".join(filter(None, (title, reader.model))), serial=reader.serial, virtual=reader.virtual
        )

    def doubt(self, now: Time) -> None:
        """Read the report again, if the vehicle sends any: in the time that has passed another one may have come."""
        if self._serial and self._since is None:
            self._reader, self._since = IdentityReader(), now

    @property
    def certain(self) -> bool:
        """Whether the vehicle is the one that was identified, as far as it says so at all."""
        return self._since is None

    def problem(self, now: Time) -> str:
        """Return the reason why this is not the vehicle that was identified; empty as long as there is none."""
        serial = self._reader.serial
        if self._serial and serial and serial != self._serial:
            return f"another vehicle, {serial}, took the place of {self._serial}"
        if self._since is not None and self._reader.complete:
            self._since = None
        if self._since is not None and now - self._since > IDENTITY_TIMEOUT * SECOND:
            return f"nothing says whether it is still {self._serial}"
        return ""
