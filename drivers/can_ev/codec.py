"""Frames of a vehicle's messages and back, with their counters and checksums; pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev import dbc
from drivers.can_ev.units import UNITS
from drivers.can_ev.vehicle import Layout, Signals, Vehicle

if TYPE_CHECKING:
    from cantools.database.can.message import Message
    from cantools.database.can.signal import Signal


@dataclass(frozen=True, slots=True)
class Frame:
    """A classic CAN frame with an 11-bit identifier."""

    identifier: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a frame says: the message's name, its signals in SI units, and its count."""

    name: str
    signals: Signals
    counter: int


class Malformed(ValueError):
    """A frame that its sender cannot have meant: length, checksum or a value."""


class Refused(ValueError):
    """A value that is not sent: it is not finite, or beyond what the message holds."""


class Codec:
    """The messages of one vehicle.

    Args:
        vehicle: which.
        path: of another DBC with the same messages; None for the vehicle's own.

    Raises:
        MissingExtra: cantools is not installed.
        Unfit: the DBC does not have what the vehicle needs.
    """

    def __init__(self, vehicle: Vehicle, path: Path | None = None) -> None:
        self.vehicle = vehicle
        found = dbc.read(path or vehicle.dbc, vehicle.layouts)
        self._coders = {
            layout.name: _Coder(found[layout.name], layout, vehicle)
            for layout in vehicle.layouts
            if layout.name in found
        }
        self._named = {coder.identifier: coder for coder in self._coders.values()}

    def modulus(self, name: str) -> int:
        """After so many its counter begins anew."""
        modulus: int = self._coders[name].modulus
        return modulus

    def names(self, identifier: int) -> str | None:
        """The message of an identifier; None if the vehicle has none."""
        coder = self._named.get(identifier)
        return None if coder is None else coder.layout.name

    def has(self, name: str) -> bool:
        """Whether the DBC has a message; those that are not needed may be missing."""
        return name in self._coders

    def pack(self, name: str, signals: Signals, counter: int) -> Frame:
        """A frame.

        Args:
            name: of the message.
            signals: all of it but its counter and its checksum, in SI units; signals nobody knows are 0.
            counter: how often it was sent before.

        Raises:
            Refused: a value is not finite, or beyond what the DBC allows.
        """
        return self._coders[name].pack(signals, counter)

    def unpack(self, frame: Frame) -> Parcel:
        """What a frame says.

        Raises:
            Malformed: it is of no message of the vehicle, or has a wrong length, checksum or value.
        """
        coder = self._named.get(frame.identifier)
        if coder is None:
            raise Malformed(f"{self.vehicle.name} has no message {frame.identifier:#x}")
        return coder.unpack(frame)


class _Coder:
    """One message."""

    def __init__(self, message: Message, layout: Layout, vehicle: Vehicle) -> None:
        self.layout = layout
        self.identifier = message.frame_id
        self._message = message
        self._sum = vehicle.checksum
        signals = {signal.name: signal for signal in message.signals}
        self.modulus = 2 ** signals[layout.counter].length
        self._place = signals[layout.checksum].start // 8
        # A DBC's unit, and the factor to the SI unit: whoever changes km/h to m/s in the file changes nothing else.
        self._units = {name: UNITS[what][signals[name].unit or ""] for name, what in layout.quantities.items()}
        own = (layout.counter, layout.checksum)
        self._signals = {name: signal for name, signal in signals.items() if name not in own}

    def pack(self, signals: Signals, counter: int) -> Frame:
        values: dict[str, float] = {self.layout.counter: counter % self.modulus, self.layout.checksum: 0}
        for name, signal in self._signals.items():
            values[name] = self._within(signal, signals.get(name, 0.0) / self._units.get(name, 1.0))
        data = self._message.encode(values, strict=False)
        checksum = self._sum(self.identifier, data, self._place)
        return Frame(self.identifier, data[: self._place] + bytes([checksum]) + data[self._place + 1 :])

    def unpack(self, frame: Frame) -> Parcel:
        if len(frame.data) != self._message.length:
            raise Malformed(f"{self.layout.name} has {self._message.length} bytes, and not {len(frame.data)}")
        if self._sum(self.identifier, frame.data, self._place) != frame.data[self._place]:
            raise Malformed(f"{self.layout.name}: its checksum is wrong")
        found = self._message.decode(frame.data, decode_choices=False)
        values = {name: float(found[name]) for name in self._signals}  # type: ignore[arg-type, call-overload]
        for name, signal in self._signals.items():
            low, high = _bounds(signal)
            if not low <= values[name] <= high:
                raise Malformed(f"{self.layout.name}.{name} is {values[name]}, which it cannot be")
        signals = {name: value * self._units.get(name, 1.0) for name, value in values.items()}
        return Parcel(self.layout.name, signals, int(found[self.layout.counter]))  # type: ignore[arg-type, call-overload]

    def _within(self, signal: Signal, value: float) -> float:
        if not math.isfinite(value):
            raise Refused(f"{self.layout.name}.{signal.name} is {value}")
        low, high = _bounds(signal)
        if not low <= value <= high:
            raise Refused(f"{self.layout.name}.{signal.name} is {value:g}, and goes from {low:g} to {high:g}")
        return value


def _bounds(signal: Signal) -> tuple[float, float]:
    """What it may be, in the DBC's unit, within half a step: a DBC rounds its own bounds."""
    low = -math.inf if signal.minimum is None else signal.minimum
    high = math.inf if signal.maximum is None else signal.maximum
    if low == high:  # public DBCs write [0|0] for bounds that nobody has found out
        return -math.inf, math.inf
    half = abs(signal.scale) / 2
    return low - half, high + half
