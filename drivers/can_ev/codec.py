"""Codec of a vehicle's messages: signals to CAN frames and back, with counter and checksum, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev import dbc
from drivers.can_ev.frame import Frame
from drivers.can_ev.units import UNITS
from drivers.can_ev.vehicle import Layout, Signals, Vehicle

if TYPE_CHECKING:
    from cantools.database.can.message import Message
    from cantools.database.can.signal import Signal


@dataclass(frozen=True, slots=True)
class DecodedFrame:
    """Message of a vehicle in one CAN frame, as the codec decoded it.

    Attributes:
        name: name of the message.
        signals: its signals without counter and checksum, in SI units.
        counter: value of its counter.
    """

    name: str
    signals: Signals
    counter: int


class Malformed(ValueError):
    """CAN frame with a length, checksum or value that its sender cannot have meant."""


class OutOfRange(ValueError):
    """Value that is not finite or does not fit into its CAN signal, so that nothing is sent."""


class Codec:
    """Codec of all CAN messages of one vehicle.

    Args:
        vehicle: description of the vehicle.
        path: path of another DBC with the same messages; None for the vehicle's own.

    Raises:
        MissingExtra: cantools is not installed.
        Unfit: the DBC lacks something that the vehicle requires.
    """

    def __init__(self, vehicle: Vehicle, path: Path | None = None) -> None:
        self.vehicle = vehicle
        messages = dbc.read(path or vehicle.dbc, vehicle.layouts)
        self._coders = {
            layout.name: _MessageCoder(messages[layout.name], layout, vehicle)
            for layout in vehicle.layouts
            if layout.name in messages
        }
        self._by_identifier = {coder.identifier: coder for coder in self._coders.values()}

    def modulus(self, name: str) -> int:
        """Return the number of values that a message's counter cycles through."""
        modulus: int = self._coders[name].modulus
        return modulus

    def message_name(self, identifier: int) -> str | None:
        """Return the name of the message with an identifier; None if the vehicle has none."""
        coder = self._by_identifier.get(identifier)
        return None if coder is None else coder.layout.name

    def has(self, name: str) -> bool:
        """Return whether the DBC has a message; those that are not required may be missing."""
        return name in self._coders

    def encode(self, name: str, signals: Signals, counter: int) -> Frame:
        """Encode a message with its counter and checksum.

        Args:
            name: name of the message.
            signals: its signals in SI units, without counter and checksum; those that are missing are 0.
            counter: number of times that the message was sent before.

        Raises:
            OutOfRange: a value is not finite, or outside the range that the DBC states.
        """
        return self._coders[name].encode(signals, counter)

    def decode(self, frame: Frame) -> DecodedFrame:
        """Decode a frame into its signals.

        Raises:
            Malformed: the frame has an unknown identifier, or a wrong length, checksum or value.
        """
        coder = self._by_identifier.get(frame.identifier)
        if coder is None:
            raise Malformed(f"{self.vehicle.name} has no message {frame.identifier:#x}")
        return coder.decode(frame)


class _MessageCoder:
    """Codec of one message."""

    def __init__(self, message: Message, layout: Layout, vehicle: Vehicle) -> None:
        self.layout = layout
        self.identifier = message.frame_id
        self._message = message
        self._checksum = vehicle.checksum
        signals = {signal.name: signal for signal in message.signals}
        self.modulus = 2 ** signals[layout.counter].length
        self._place = signals[layout.checksum].start // 8
        # Factors to SI come from the DBC, so a file in km/h instead of m/s needs no change here.
        self._factors = {name: UNITS[kind][signals[name].unit or ""] for name, kind in layout.quantities.items()}
        protection = (layout.counter, layout.checksum)
        self._signals = {name: signal for name, signal in signals.items() if name not in protection}

    def encode(self, signals: Signals, counter: int) -> Frame:
        values: dict[str, float] = {self.layout.counter: counter % self.modulus, self.layout.checksum: 0}
        for name, signal in self._signals.items():
            values[name] = self._in_range(signal, signals.get(name, 0.0) / self._factors.get(name, 1.0))
        data = self._message.encode(values, strict=False)
        checksum = self._checksum(self.identifier, data, self._place)
        return Frame(self.identifier, data[: self._place] + bytes([checksum]) + data[self._place + 1 :])

    def decode(self, frame: Frame) -> DecodedFrame:
        if len(frame.data) != self._message.length:
            raise Malformed(f"{self.layout.name} must have {self._message.length} bytes, got {len(frame.data)}")
        if self._checksum(self.identifier, frame.data, self._place) != frame.data[self._place]:
            raise Malformed(f"{self.layout.name}: its checksum is wrong")
        decoded = self._message.decode(frame.data, decode_choices=False)
        values = {name: float(decoded[name]) for name in self._signals}  # type: ignore[arg-type, call-overload]
        for name, signal in self._signals.items():
            low, high = _bounds(signal)
            if not low <= values[name] <= high:
                raise Malformed(_outside(self.layout.name, signal, values[name]))
        signals = {name: value * self._factors.get(name, 1.0) for name, value in values.items()}
        return DecodedFrame(self.layout.name, signals, int(decoded[self.layout.counter]))  # type: ignore[arg-type, call-overload]

    def _in_range(self, signal: Signal, value: float) -> float:
        low, high = _bounds(signal)
        if not (math.isfinite(value) and low <= value <= high):
            raise OutOfRange(_outside(self.layout.name, signal, value))
        return value


def _outside(message: str, signal: Signal, value: float) -> str:
    low, high = _bounds(signal)
    return f"{message}.{signal.name} must be in [{low:g}, {high:g}] {signal.unit or ''}".rstrip() + f", got {value:g}"


def _bounds(signal: Signal) -> tuple[float, float]:
    """Return the range of a signal in the DBC's unit, wider by half a step, since a DBC rounds its own bounds."""
    low = -math.inf if signal.minimum is None else signal.minimum
    high = math.inf if signal.maximum is None else signal.maximum
    if low == high:  # public DBCs write [0|0] for bounds that nobody has found out
        return -math.inf, math.inf
    half = abs(signal.scale) / 2
    return low - half, high + half
