"""Codec of a vehicle's messages: signals to CAN frames and back, with counter and checksum, no I/O."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev import dbc
from drivers.can_ev.frame import Frame
from drivers.can_ev.signals import MAGNITUDE_MOST, bounds, count_bounds
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
        messages = dbc.read(path or vehicle.dbc, vehicle)
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
        self._first, last = count_bounds(signals[layout.counter])
        self.modulus = last - self._first + 1
        self._place = signals[layout.checksum].start // 8
        protection = (layout.counter, layout.checksum)
        self._signals = {
            name: _SignalRange(name, signal, layout, message.name)
            for name, signal in signals.items()
            if name not in protection
        }

    def encode(self, signals: Signals, counter: int) -> Frame:
        values: dict[str, float] = {
            self.layout.counter: self._first + counter % self.modulus,
            self.layout.checksum: 0,
        }
        for name, signal in self._signals.items():
            values[name] = signal.unscale(signals.get(name, 0.0))
        data = self._message.encode(values, strict=False)
        checksum = self._checksum(self.identifier, data, self._place)
        return Frame(self.identifier, data[: self._place] + bytes([checksum]) + data[self._place + 1 :])

    def decode(self, frame: Frame) -> DecodedFrame:
        if len(frame.data) != self._message.length:
            raise Malformed(f"{self.layout.name} must have {self._message.length} bytes, got {len(frame.data)}")
        if self._checksum(self.identifier, frame.data, self._place) != frame.data[self._place]:
            raise Malformed(f"{self.layout.name}: its checksum is wrong")
        decoded = self._message.decode(frame.data, decode_choices=False)
        signals = {name: signal.scale(float(decoded[name])) for name, signal in self._signals.items()}  # type: ignore[arg-type, call-overload]
        counter = int(decoded[self.layout.counter]) - self._first  # type: ignore[arg-type, call-overload]
        if not 0 <= counter < self.modulus:
            raise Malformed(
                f"{self.layout.name}.{self.layout.counter} must be in "
                f"[{self._first}, {self._first + self.modulus - 1}], got {self._first + counter}"
            )
        return DecodedFrame(self.layout.name, signals, counter)


class _SignalRange:
    """Range and factor of one signal, both ways."""

    def __init__(self, name: str, signal: Signal, layout: Layout, message: str) -> None:
        unit = signal.unit or ""
        # Factors to SI come from the DBC, so a file in km/h instead of m/s needs no change here.
        self._factor = UNITS[layout.quantities[name]][unit] if name in layout.quantities else 1.0
        self._low, self._high = bounds(signal)
        if name in layout.quantities:
            # A floating-point signal holds infinity and worse, which the bounds of a DBC do not have to exclude.
            most = MAGNITUDE_MOST / self._factor
            self._low, self._high = max(self._low, -most), min(self._high, most)
        self._text = f"{message}.{name} must be in [{self._low:g}, {self._high:g}] {unit}".rstrip()

    def scale(self, value: float) -> float:
        """Return a value of the signal in its SI unit.

        Raises:
            Malformed: the value is outside the signal's range; NaN is in none.
        """
        if not self._low <= value <= self._high:
            raise Malformed(f"{self._text}, got {value:g}")
        return value * self._factor

    def unscale(self, value: float) -> float:
        """Return a value in the DBC's unit.

        Raises:
            OutOfRange: the value is not finite, or outside the signal's range.
        """
        value = value / self._factor
        if not (math.isfinite(value) and self._low <= value <= self._high):
            raise OutOfRange(f"{self._text}, got {value:g}")
        return value
