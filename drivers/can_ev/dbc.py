"""Reads a DBC, and refuses one that does not have what a vehicle needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.can_ev.units import UNITS
from drivers.can_ev.vehicle import Layout
from embodied.errors import MissingExtra, nearest

if TYPE_CHECKING:
    from cantools.database.can.message import Message


class Unfit(ValueError):
    """A DBC is none, or not that of the vehicle; the sentence says where, and what was expected."""


def read(path: Path, layouts: tuple[Layout, ...]) -> dict[str, Message]:
    """The messages of a DBC that a vehicle needs, by name.

    Args:
        path: of the file.
        layouts: what is needed; a message that is not may be missing.

    Raises:
        MissingExtra: cantools is not installed.
        Unfit: it cannot be read or parsed, lacks a message or a signal, or measures one in an unknown unit.
    """
    try:
        from cantools.database.can import Database
    except ImportError as error:
        raise MissingExtra("cantools", "can", "a vehicle on a CAN bus") from error
    try:
        text = path.read_text("cp1252")
    except OSError as error:
        raise Unfit(f"{path} cannot be read: {error.strerror}") from error
    try:
        # Not strict: public DBCs have signals that overlap; of ours none is among them, see `_wrong`.
        found = Database(strict=False)
        found.add_dbc_string(text)
    except Exception as error:  # its parser raises whatever the text makes it stumble over
        raise Unfit(f"{path} is no DBC that can be parsed: {error}") from error
    messages = {message.name: message for message in found.messages}
    wrong = [sentence for layout in layouts for sentence in _wrong(layout, messages)]
    if wrong:
        raise Unfit(f"{path} does not fit: {'; '.join(wrong)}")
    return {layout.name: messages[layout.name] for layout in layouts if layout.name in messages}


def _wrong(layout: Layout, messages: dict[str, Message]) -> Iterator[str]:
    message = messages.get(layout.name)
    if message is None:
        if layout.needed:
            yield " ".join((f"it has no message '{layout.name}';", *nearest(layout.name, messages)))
        return
    if message.is_extended_frame or message.is_fd or message.length > 8:
        yield f"{layout.name} is no classic message with an 11-bit identifier"
    signals = {signal.name: signal for signal in message.signals}
    for name in (layout.counter, layout.checksum, *layout.quantities):
        if name not in signals:
            yield " ".join((f"{layout.name} has no signal '{name}';", *nearest(name, signals)))
    if (sum_ := signals.get(layout.checksum)) is not None and (sum_.length != 8 or sum_.start % 8 not in (0, 7)):
        yield f"{layout.name}.{layout.checksum} is not one whole byte"
    for name, quantity in layout.quantities.items():
        if name in signals and (signals[name].unit or "") not in UNITS[quantity]:
            units = ", ".join(repr(unit) for unit in UNITS[quantity])
            unit = signals[name].unit or ""
            yield f"{layout.name}.{name} is in '{unit}', and a signal of {quantity} is in one of {units}"
